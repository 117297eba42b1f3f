/** Who may ask what: bearer tokens with scopes, kept as digests and compared in constant time. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseStrictJson } from "./strict-json.ts";

export type Scope =
  /** Writes events. */
  | "ingest"
  /** Reads drivers, jobs and streams: all of them, or only those that the token names. */
  | "query"
  /** Reads everything, topics and stores too. */
  | "operator"
  /** Another instance of the same application that passes a request on. */
  | "instance";

const scopes: readonly Scope[] = ["ingest", "query", "operator", "instance"];

/** Somebody with a token. */
export interface Principal {
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Undefined: every driver and job; else only these, to ask for and to write about. */
  readonly own: { readonly drivers: ReadonlySet<string>; readonly jobs: ReadonlySet<string> } | undefined;
}

export interface Token {
  readonly digest: Buffer;
  readonly principal: Principal;
}

/** `open`: everybody is an operator; for `demo` alone, which says so. */
export type Access = { readonly kind: "open" } | { readonly kind: "tokens"; readonly tokens: readonly Token[] };

export const OPEN_PRINCIPAL: Principal = { name: "anybody", scopes: new Set(scopes), own: undefined };

const TOKENS_MAX = 10_000;
const TOKEN_CHARACTERS_MIN = 16;

/** A token's digest: the tokens themselves are kept nowhere. */
export function digestOf(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

/** Looks at every token whatever it finds, so that the time taken tells nothing. */
export function principalOf(tokens: readonly Token[], presented: string): Principal | undefined {
  const digest = digestOf(presented);
  let found: Principal | undefined;
  for (const token of tokens) if (timingSafeEqual(token.digest, digest)) found = token.principal;
  return found;
}

export function isAllowed(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || (scope === "query" && principal.scopes.has("operator"));
}

/** Whether the principal may see or write about this one. */
export function mayConcern(principal: Principal, kind: "drivers" | "jobs", id: string): boolean {
  return principal.own === undefined || principal.own[kind].has(id);
}

/**
 * From `SLACKLINE_TOKENS` (JSON) or the file that `SLACKLINE_TOKENS_FILE` names: a list of
 * `{ "name", "token" | "sha256", "scopes", "drivers"?, "jobs"? }`. Undefined when neither is set. Throws Error that names the entry
 * and never the token.
 */
export function tokensFromEnvironment(environment: Readonly<Record<string, string | undefined>>): readonly Token[] | undefined {
  const { SLACKLINE_TOKENS: text, SLACKLINE_TOKENS_FILE: file } = environment;
  if (text !== undefined && text !== "") return parseTokens(text, "SLACKLINE_TOKENS");
  if (file !== undefined && file !== "") return parseTokens(readFileSync(file, "utf8"), file);
  return undefined;
}

/** Throws Error with all that is wrong in the list. */
export function parseTokens(text: string, place: string): readonly Token[] {
  const list = readList(text);
  if (list === undefined || list.length > TOKENS_MAX) throw new TypeError(`${place}: a JSON list of at most ${TOKENS_MAX} tokens expected`);
  const problems: string[] = [];
  const tokens = list.flatMap((entry: unknown, index): Token[] => {
    const read = readToken(entry);
    if (typeof read !== "string") return [read];
    problems.push(`entry ${index + 1}: ${read}`);
    return [];
  });
  if (new Set(tokens.map(({ digest }) => digest.toString("hex"))).size !== tokens.length) problems.push("a token is there twice");
  if (problems.length > 0) throw new TypeError(`${place}: ${problems.join("; ")}`);
  return tokens;
}

/** What made it unreadable is dropped: it would quote the text, and the text holds tokens. */
function readList(text: string): readonly unknown[] | undefined {
  try {
    const list = parseStrictJson(text);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

/** The token, or what is wrong. */
function readToken(entry: unknown): Token | string {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "not an object";
  const { name, token, sha256, scopes: given, drivers, jobs, ...rest } = entry as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) return `unknown field "${unknown}"`;
  if (typeof name !== "string" || !/^[\w.-]{1,64}$/.test(name)) return "name must be 1 to 64 letters, digits, dots, dashes";
  if (!isListOf(given, (item) => scopes.includes(item as Scope)) || given.length === 0)
    return `scopes must be some of ${scopes.join(", ")}`;
  let digest: Buffer;
  if (typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) && token === undefined) digest = Buffer.from(sha256, "hex");
  else if (typeof token === "string" && token.length >= TOKEN_CHARACTERS_MIN && sha256 === undefined) digest = digestOf(token);
  else return `either token, at least ${TOKEN_CHARACTERS_MIN} characters, or sha256, 64 hex digits, is needed`;
  for (const ids of [drivers, jobs]) if (ids !== undefined && !isListOf(ids, () => true)) return "drivers and jobs must be lists of ids";
  const own =
    drivers === undefined && jobs === undefined
      ? undefined
      : { drivers: new Set(drivers as readonly string[] | undefined), jobs: new Set(jobs as readonly string[] | undefined) };
  return { digest, principal: { name, scopes: new Set(given as readonly Scope[]), own } };
}

function isListOf(value: unknown, fits: (item: string) => boolean): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && fits(item));
}
