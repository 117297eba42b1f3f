/** When a thread that lost its work tries again, and when it gives up. Full jitter, drawn from a seed: no chance in the engine. */
import { RETRIES_SOON_MAX, RETRY_BASE_MS, RETRY_BUDGET_MS, RETRY_CAP_MS, RETRY_SERIES_GAP_MS } from "./defaults.ts";

export class RetryBackoff {
  #attempts = 0;
  #failingSince: number | undefined;
  #failedAt = 0;
  #seed: number;

  constructor(seed: number) {
    this.#seed = (seed * 0x9e3779b1 + 1) >>> 0;
  }

  /**
   * When to try again; undefined when the budget is used up. `soon`: it is known what to do otherwise next time, so the first
   * few times there is no pause.
   */
  next(now: number, soon: boolean): number | undefined {
    // Nothing may have had to be committed in between.
    if (now - this.#failedAt > RETRY_SERIES_GAP_MS) this.succeeded();
    this.#failedAt = now;
    this.#failingSince ??= now;
    if (now - this.#failingSince > RETRY_BUDGET_MS) return undefined;
    if (soon && this.#attempts < RETRIES_SOON_MAX) {
      this.#attempts++;
      return now;
    }
    const bound = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** this.#attempts);
    this.#attempts++;
    return now + Math.ceil(this.#random() * bound);
  }

  succeeded(): void {
    this.#attempts = 0;
    this.#failingSince = undefined;
  }

  /** A linear congruential generator is random enough to keep threads apart. */
  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  }
}
