/** Many candidates on few days, the better ones on more: what is bad is found out cheaply. */

export interface Halving<Candidate> {
  /** The first one is what the others must beat. */
  readonly candidates: readonly Candidate[];
  /** Number of days of each rung, growing. */
  readonly rungs: readonly number[];
  /** Share that goes on to the next rung; the first candidate always does. */
  readonly keep: number;
  /** Scores on the first so many days, the lower the better; in the order of the candidates. */
  readonly score: (candidates: readonly Candidate[], days: number) => Promise<readonly number[]>;
}

export interface Ranked<Candidate> {
  readonly candidate: Candidate;
  readonly score: number;
  /** On so many days: only scores of the same number may be compared. */
  readonly days: number;
}

/** All candidates, the best first: those that reached a later rung before those that did not. Ties: the earlier candidate. */
export async function successiveHalving<Candidate>(options: Halving<Candidate>): Promise<readonly Ranked<Candidate>[]> {
  const { candidates, rungs, keep, score } = options;
  const [first] = candidates;
  let left = candidates;
  let out: readonly Ranked<Candidate>[] = [];
  for (const [rung, days] of rungs.entries()) {
    const scores = await score(left, days);
    const ranked = left
      .map((candidate, index) => ({ candidate, score: scores[index] ?? Infinity, days, index }))
      .sort((a, b) => a.score - b.score || a.index - b.index)
      .map(({ candidate, score: least }) => ({ candidate, score: least, days }));
    const kept = rung === rungs.length - 1 ? ranked.length : Math.max(1, Math.ceil(ranked.length * keep));
    const stays = ranked.filter(({ candidate }, place) => place < kept || candidate === first);
    out = [...(rung === rungs.length - 1 ? ranked : ranked.filter((one) => !stays.includes(one))), ...out];
    left = stays.map(({ candidate }) => candidate);
  }
  return out;
}
