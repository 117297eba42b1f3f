import type { KeyRange } from "./disk.ts";

/** A range that holds no key whatever the database holds; the bindings differ in what they make of one. */
export function isEmptyRange({ from, to, limit }: KeyRange): boolean {
  if (limit !== undefined && limit <= 0) return true;
  if (to === undefined) return false;
  return from === undefined ? to.length === 0 : Buffer.compare(from, to) >= 0;
}
