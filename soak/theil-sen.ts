/** The slope of noisy measurements, which a few wild ones do not move: the median of the slopes of all pairs. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Trend {
  /** y for each unit of x. */
  readonly slope: number;
  /** Of the slope, 95 %. */
  readonly low: number;
  readonly high: number;
  /** y at x = 0. */
  readonly intercept: number;
  /** How far measurements lie from the line, as a standard deviation, by the median. */
  readonly noise: number;
  readonly points: number;
}

const POINTS_MAX = 400;
const Z_95 = 1.96;
/** Median of the distances → standard deviation, where they are normal. */
const MAD_TO_DEVIATION = 1.4826;

/** Undefined for fewer than eight points, or all at one x. Of more than 400, every n-th. */
export function theilSen(all: readonly Point[]): Trend | undefined {
  const step = Math.max(1, Math.ceil(all.length / POINTS_MAX));
  const points = all.filter((_, index) => index % step === 0);
  if (points.length < 8) return undefined;
  const slopes: number[] = [];
  for (const [index, one] of points.entries())
    for (const other of points.slice(index + 1)) if (other.x !== one.x) slopes.push((other.y - one.y) / (other.x - one.x));
  if (slopes.length === 0) return undefined;
  slopes.sort((one, other) => one - other);
  const slope = middle(slopes);
  const intercept = median(points.map(({ x, y }) => y - slope * x));
  const noise = MAD_TO_DEVIATION * median(points.map(({ x, y }) => Math.abs(y - (intercept + slope * x))));
  const n = points.length;
  // Kendall's variance, as Sen has it.
  const reach = Z_95 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))] ?? slope;
  return { slope, low: at((slopes.length - reach) / 2), high: at((slopes.length + reach) / 2), intercept, noise, points: n };
}

export function median(values: readonly number[]): number {
  return middle(values.toSorted((one, other) => one - other));
}

/** Of sorted ones. */
function middle(sorted: readonly number[]): number {
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}
