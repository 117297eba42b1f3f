/** A thread that dies again and again is not bad luck: how often one may be replaced within a minute. */
import { REPLACEMENTS_PER_MINUTE_MAX } from "./defaults.ts";

const MINUTE_MS = 60_000;

export class ReplacementLimit {
  readonly #times: number[] = [];

  /** Counts one; false when it is one too many. */
  allows(now: number): boolean {
    while (this.#times.length > 0 && now - (this.#times[0] ?? 0) >= MINUTE_MS) this.#times.shift();
    this.#times.push(now);
    return this.#times.length <= REPLACEMENTS_PER_MINUTE_MAX;
  }
}
