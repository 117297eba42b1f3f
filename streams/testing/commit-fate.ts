/** What a DelayingLog does with a commit. */

export type CommitFate =
  /** Written after `delayMs`, and answered then. */
  | { readonly kind: "commit"; readonly delayMs: number }
  /** Written at once, answered after `delayMs`. */
  | { readonly kind: "late-answer"; readonly delayMs: number }
  /** Never written; the answer says so after `delayMs` (`LOG_UNAVAILABLE`). */
  | { readonly kind: "failed"; readonly delayMs: number }
  /** Written at once, but the answer is lost: `COMMIT_UNKNOWN` after `delayMs`. */
  | { readonly kind: "unknown-written"; readonly delayMs: number }
  /** Never written, and nobody knows: `COMMIT_UNKNOWN` after `delayMs`. */
  | { readonly kind: "unknown-lost"; readonly delayMs: number }
  /** `COMMIT_UNKNOWN` at once; it arrives after `delayMs`, when a newer writer may have fenced it. */
  | { readonly kind: "unknown-late"; readonly delayMs: number };

/** The fate of the nth commit (from 0) of all writers together. */
export type CommitPlan = (commit: number) => CommitFate;

export const COMMIT_AT_ONCE: CommitFate = { kind: "commit", delayMs: 0 };

const troubles = ["failed", "unknown-written", "unknown-lost", "unknown-late"] as const;

/** Every plan of a seed is the same. `trouble`: share of commits that fail or stay unknown; the others are delayed or not. */
export function seededPlan(seed: number, options: { readonly trouble: number; readonly delayMsMax: number }): CommitPlan {
  return (commit) => {
    const random = randomOf(seed, commit);
    const delayMs = Math.floor(random() * (options.delayMsMax + 1));
    if (random() >= options.trouble) return { kind: random() < 0.5 ? "commit" : "late-answer", delayMs };
    return { kind: troubles[Math.floor(random() * troubles.length)] ?? "failed", delayMs };
  };
}

/** A small generator per commit, so that the order in which commits are asked for does not matter. */
function randomOf(seed: number, commit: number): () => number {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(commit + 1, 0xc2b2ae35)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
