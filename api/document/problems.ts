/** How the document of the API says what can go wrong. */
import { apiErrorCodes } from "../errors.ts";
import type { JsonSchema } from "./json-schema.ts";

/** Registered once for the whole document. */
export const problemSchema: JsonSchema = {
  $id: "Problem",
  type: "object",
  title: "Problem",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string", description: "where this server tells cause and remedy" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", enum: apiErrorCodes },
    reason: { type: "string" },
    retryAfterMs: { type: "number" },
  },
};

const said: Readonly<Record<number, string>> = {
  400: "What was sent cannot be used; the detail says which field or parameter",
  401: "No token, or one that nobody was given",
  403: "The token does not allow it",
  404: "There is none",
  413: "The body is too large",
  415: "The body is not application/json",
  429: "Too many requests of this principal",
  502: "Another instance did not answer",
  503: "Not now: starting, restoring, moving, draining or too busy; Retry-After says when",
};

/** Answers of a route with these statuses. */
export function problems(...statuses: readonly number[]): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      { description: said[status] ?? "problem", content: { "application/problem+json": { schema: { $ref: "Problem#" } } } },
    ]),
  );
}
