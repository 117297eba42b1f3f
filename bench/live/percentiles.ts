/** Latencies of a run, in whole tenths of a millisecond up to a minute. */
export class Latencies {
  readonly #values: number[] = [];

  add(ms: number): void {
    this.#values.push(ms);
  }

  get count(): number {
    return this.#values.length;
  }

  /** NaN when there is none. */
  at(share: number): number {
    const sorted = this.#sorted();
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  }

  summary(): LatencySummary {
    return { count: this.count, p50: this.at(0.5), p95: this.at(0.95), p99: this.at(0.99), max: this.at(1) };
  }

  #sorted(): readonly number[] {
    return this.#values.sort((a, b) => a - b);
  }
}

/** Milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** For a bench's facts. */
export function latencyFacts(name: string, { count, p50, p95, p99, max }: LatencySummary): Readonly<Record<string, number>> {
  return {
    [`${name}, count`]: count,
    [`${name}, p50 ms`]: p50,
    [`${name}, p95 ms`]: p95,
    [`${name}, p99 ms`]: p99,
    [`${name}, max ms`]: max,
  };
}
