/** Parameters of several routes: how they are checked and how the document describes them. */
import { isValidCell } from "h3-js";
import { ApiError } from "../errors.ts";

export const idParameter = { type: "string", minLength: 1, maxLength: 128 } as const;
export const cellParameter = { type: "string", pattern: "^[0-9a-f]{15}$", description: "H3 cell, 15 lower-case hex digits" } as const;

/** Throws `BAD_REQUEST`. */
export function knownCell(cell: string): string {
  if (!/^[0-9a-f]{15}$/.test(cell) || !isValidCell(cell))
    throw new ApiError("BAD_REQUEST", "cell: 15 lower-case hex digits of an H3 cell expected");
  return cell;
}
