/** From where a changelog is read so that the rows become what it says; pure. */
import { ROWS_AGE_MS_MAX } from "./defaults.ts";
import type { StoredOffset } from "./position-rows.ts";

export type RestorePlan =
  /** The rows are right as far as they go. */
  | { readonly kind: "go-on"; readonly from: number }
  /** Nobody can say what the rows lack or have too much: they are dropped. */
  | { readonly kind: "start-over"; readonly from: number; readonly because: "unknown" | "beyond-end" | "truncated" | "too-old" };

/** `stored` undefined: no position, or one that cannot be read. */
export function restorePlan(
  stored: StoredOffset | undefined,
  { start, end }: { readonly start: number; readonly end: number },
  now: number,
): RestorePlan {
  const over = (because: "unknown" | "beyond-end" | "truncated" | "too-old"): RestorePlan => ({ kind: "start-over", from: start, because });
  if (stored === undefined) return over("unknown");
  if (stored.position > end) return over("beyond-end");
  if (stored.position < start) return over("truncated");
  if (stored.position < end && now - stored.currentAt > ROWS_AGE_MS_MAX) return over("too-old");
  return { kind: "go-on", from: stored.position };
}
