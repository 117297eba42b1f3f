/** What every bench returns: raw runs, their median, and the facts needed to repeat it. */
export interface BenchResult {
  readonly name: string;
  /** Of `runs` and `median`, e.g. "records/s" or "ms". */
  readonly unit: string;
  readonly runs: readonly number[];
  readonly median: number;
  readonly seed: number;
  /** Setting and side results by name. */
  readonly facts: Readonly<Record<string, string | number>>;
}

export interface BenchOptions {
  readonly seed: number;
  readonly runs: number;
  /** Bench-specific flags as given, e.g. `data`, `drivers`. */
  readonly flags: Readonly<Record<string, string>>;
  /** A text that is printed behind all results. */
  readonly conclude: (text: string) => void;
}

export type Bench = (options: BenchOptions) => Promise<readonly BenchResult[]>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
