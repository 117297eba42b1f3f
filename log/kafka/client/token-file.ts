/** A bearer token out of a file that somebody else keeps fresh: read at each login, and logins are renewed before the broker's time is up. */
import { readFile } from "node:fs/promises";
import { LogError } from "../../errors.ts";

const TOKEN = /^[\w.~+/=-]+$/;

/** Throws `LOG_UNAVAILABLE`, with the file's name and never with what is in it. */
export async function readToken(file: string, now: () => number): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw refused(file, "cannot be read", cause);
  }
  if (!TOKEN.test(text)) throw refused(file, "holds no token: one line of letters, digits and . _ ~ + / = -");
  const until = expiryOf(text);
  if (until !== undefined && until <= now())
    throw refused(file, `holds a token that was good until ${new Date(until).toISOString()}: whoever writes it has to renew it`);
  return text;
}

/** Milliseconds since the epoch; undefined where the token is no JWT or does not say. */
function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    return typeof exp === "number" ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

function refused(file: string, why: string, cause?: unknown): LogError {
  return new LogError("LOG_UNAVAILABLE", `The token file ${file} ${why}.`, cause === undefined ? {} : { cause });
}
