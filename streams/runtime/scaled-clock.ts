/** Real time shown faster, from a chosen moment on: the same numbers in every thread, so that all of them agree what time it is. */
import { realClock, type HostClock } from "./defaults.ts";

/** Structured-cloneable. */
export interface TimeScale {
  /** What the clock shows at `realStartsAt`; milliseconds since the epoch. */
  readonly startsAt: number;
  readonly realStartsAt: number;
  /** Above 0; 1 is real time. */
  readonly speed: number;
}

/** `sleep` takes milliseconds of the scaled clock too. */
export function scaledClock({ startsAt, realStartsAt, speed }: TimeScale, real: HostClock = realClock): HostClock {
  return {
    now: () => startsAt + Math.floor((real.now() - realStartsAt) * speed),
    monotonic: () => real.monotonic(),
    sleep: (ms, cancelled) => real.sleep(ms / speed, cancelled),
  };
}
