/** Whether memory grows, judged life by life: a new process begins anew. */
import type { Measurement } from "./recording.ts";
import type { Sample } from "./sample.ts";
import { theilSen, type Trend } from "./theil-sen.ts";

export interface LifeOfMemory {
  readonly process: string;
  readonly life: number;
  /** Without the warm-up. */
  readonly seconds: number;
  readonly rss: Trend;
  readonly heap: Trend;
  readonly handles: Trend;
  readonly openFiles: Trend;
  /** How much it grew as the line has it, and how much of that is more than noise; undefined: the life was too short to tell. */
  readonly grows: boolean | undefined;
}

/** Caches fill and code is compiled. */
const WARM_UP_SECONDS = 90;
const SHORTEST_SECONDS = 60;
/** Of a life that is judged. */
const JUDGED_SECONDS = 300;
/** What fits twice into the noise is none. */
const NOISE_FACTOR = 2;
const MIB = 2 ** 20;

export function livesOfMemory(processes: ReadonlyMap<string, readonly Measurement[]>): readonly LifeOfMemory[] {
  return [...processes].flatMap(([process, measurements]) =>
    [...Map.groupBy(measurements, ({ life }) => life)].flatMap(([life, all]) => lifeOf(process, life, all) ?? []),
  );
}

function lifeOf(process: string, life: number, all: readonly Measurement[]): LifeOfMemory | undefined {
  const begun = all[0]?.seconds ?? 0;
  const warm = all.filter(({ seconds, sample }) => sample !== undefined && seconds >= begun + WARM_UP_SECONDS);
  const seconds = (warm.at(-1)?.seconds ?? 0) - (warm[0]?.seconds ?? 0);
  if (seconds < SHORTEST_SECONDS) return undefined;
  const trend = (of: (sample: Sample) => number): Trend | undefined =>
    theilSen(warm.flatMap(({ seconds: x, sample }) => (sample === undefined ? [] : [{ x, y: of(sample) }])));
  const rss = trend(({ rssBytes }) => rssBytes / MIB);
  const heap = trend(({ heapBytes }) => heapBytes / MIB);
  const handles = trend((sample) => sample.handles);
  const openFiles = trend((sample) => sample.openFiles);
  if (rss === undefined || heap === undefined || handles === undefined || openFiles === undefined) return undefined;
  const grows = seconds < JUDGED_SECONDS ? undefined : growsBeyondNoise(rss, seconds) && growsBeyondNoise(heap, seconds);
  return { process, life, seconds, rss, heap, handles, openFiles, grows };
}

/** The whole interval of the slope is above zero, and what came of it is more than the noise. */
export function growsBeyondNoise({ slope, low, noise }: Trend, seconds: number): boolean {
  return low > 0 && slope * seconds > NOISE_FACTOR * noise;
}
