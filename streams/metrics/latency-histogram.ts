/** Latencies counted in buckets: constant memory in a thread, plain data across a thread's border. */

/** Upper bounds in milliseconds, inclusive; whatever is above the last falls into one more bucket. */
export const LATENCY_BOUNDS_MS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/** Structured-cloneable. `counts` has one number per bound and one more; not cumulative. */
export interface LatencyCounts {
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export class LatencyHistogram {
  readonly #counts: number[] = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
  #sumMs = 0;

  observe(latencyMs: number): void {
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_MS.length && latencyMs > (LATENCY_BOUNDS_MS[bucket] ?? Infinity)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sumMs += latencyMs;
  }

  /** A copy. */
  counts(): LatencyCounts {
    return { counts: [...this.#counts], sumMs: this.#sumMs };
  }
}
