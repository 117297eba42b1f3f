/** How many clients may follow at once: each is an open file of this process. */
import { readFileSync } from "node:fs";

/** Default where files are no limit. */
export const FOLLOWERS_MAX = 10_000;
/** Files that database, brokers and other requests are left. */
const FILES_FOR_OTHERS = 600;
const FILE_LIMITS = "/proc/self/limits";

export interface FollowersBound {
  readonly most: number;
  /** For whoever is refused. */
  readonly why: string;
}

/** `filesMax`: open files that this process may have; Infinity where that is not known. */
export function followersBound(wanted: number = FOLLOWERS_MAX, filesMax: number = openFilesMax()): FollowersBound {
  const most = Math.max(1, Math.min(wanted, filesMax - FILES_FOR_OTHERS));
  if (most === wanted) return { most, why: `${most} clients follow, as many as may` };
  return { most, why: `${most} clients follow, as many as may: the process is allowed ${filesMax} open files (ulimit -n)` };
}

/** The hard limit, which the runtime raises its own to. */
function openFilesMax(): number {
  try {
    const most = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync(FILE_LIMITS, "latin1"))?.[1]);
    return Number.isNaN(most) ? Infinity : most;
  } catch {
    // Other systems than Linux.
    return Infinity;
  }
}
