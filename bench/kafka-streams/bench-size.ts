/** How much is measured: `full` gives figures, `small` shows in a minute or two that everything works. */

export interface BenchSize {
  readonly runs: number;
  readonly drivers: number;
  readonly throughputRecords: number;
  readonly recoveryRecords: number;
  /** That come after the kill. */
  readonly laterRecords: number;
  readonly latencyPerSecond: number;
  readonly latencyWarmUpSeconds: number;
  readonly latencySeconds: number;
}

const sizes = {
  full: {
    runs: 3,
    drivers: 10_000,
    throughputRecords: 2_000_000,
    recoveryRecords: 1_000_000,
    laterRecords: 20_000,
    latencyPerSecond: 2_000,
    latencyWarmUpSeconds: 10,
    latencySeconds: 20,
  },
  small: {
    runs: 1,
    drivers: 1_000,
    throughputRecords: 20_000,
    recoveryRecords: 20_000,
    laterRecords: 2_000,
    latencyPerSecond: 500,
    latencyWarmUpSeconds: 3,
    latencySeconds: 5,
  },
} as const satisfies Readonly<Record<string, BenchSize>>;

export type SizeName = keyof typeof sizes;

/** Throws a RangeError for a name that is not there. */
export function sizeNamed(name: string): BenchSize {
  if (Object.hasOwn(sizes, name)) return sizes[name as SizeName]; // just asked for
  throw new RangeError(`there is no size "${name}"; there are: ${Object.keys(sizes).join(", ")}`);
}
