/** How far the restoring of all threads is, in one line. */
import type { ThreadMetrics } from "#streams";

export interface RestorePicture {
  readonly tasks: number;
  /** Offsets. */
  readonly done: number;
  readonly total: number;
  readonly recordsPerSecond: number;
  /** Of the slowest; Infinity while nothing moves. */
  readonly secondsLeft: number;
}

/** Undefined while nothing is being restored; standbys do not count. */
export function restoreProgress(counts: readonly ThreadMetrics[]): RestorePicture | undefined {
  const restoring = counts.flatMap(({ following = [] }) => following.filter(({ role }) => role === "restoring"));
  if (restoring.length === 0) return undefined;
  const sum = (of: (each: (typeof restoring)[number]) => number): number => restoring.reduce((total, each) => total + of(each), 0);
  return {
    tasks: restoring.length,
    done: sum(({ done }) => done),
    total: sum(({ total }) => total),
    recordsPerSecond: Math.round(sum(({ recordsPerSecond }) => recordsPerSecond)),
    secondsLeft: Math.ceil(Math.max(...restoring.map(({ msLeft }) => msLeft)) / 1000),
  };
}

export function restoreLine({ tasks, done, total, recordsPerSecond, secondsLeft }: RestorePicture): string {
  const left = Number.isFinite(secondsLeft) ? `${secondsLeft} s left` : "no rate yet";
  return `restoring ${tasks} tasks: ${done} of ${total} offsets, ${recordsPerSecond}/s, ${left}`;
}
