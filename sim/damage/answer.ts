/** What came of a damage, and what may come of it. */
import { DiskError } from "#disk";
import { LogError } from "#log";
import { StateError } from "#state";
import { StreamsError } from "#streams";
import { Wrong } from "./evidence.ts";

export type Answer =
  /** Said with a code and a sentence, when it was opened or when it was read for the first time. */
  | { readonly kind: "refused"; readonly at: "open" | "read"; readonly code: string; readonly message: string }
  /** It goes on from an earlier moment, `lost` of `batches` ago, and comes to the right state. */
  | { readonly kind: "earlier"; readonly lost: number; readonly batches: number }
  /** Nothing is missing. */
  | { readonly kind: "same" }
  /** There was nothing to be damaged. */
  | { readonly kind: "skipped"; readonly why: string }
  /** What must not be: something else than was there, an error without a name, the end of the process. */
  | { readonly kind: "wrong"; readonly what: string };

/** A condition that the product has a name for; anything else is wrong. */
export function refusal(error: unknown, at: "open" | "read"): Answer {
  if (error instanceof Wrong) return { kind: "wrong", what: error.message };
  const named = namedCause(error);
  if (named === undefined) return { kind: "wrong", what: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  const { code, message } = named;
  if (message.split(" ").length < 5) return { kind: "wrong", what: `${code} is said without a sentence: "${message}"` };
  return { kind: "refused", at, code, message };
}

/** The innermost code: what was found, and not who met it. In the words of the one that says most about it. */
function namedCause(error: unknown): { readonly code: string; readonly message: string } | undefined {
  let named: { readonly code: string; readonly message: string } | undefined;
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++)
    if (each instanceof DiskError || each instanceof LogError || each instanceof StateError || each instanceof StreamsError)
      if (each.code !== named?.code) named = each;
  return named;
}
