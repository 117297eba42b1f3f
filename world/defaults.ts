/** The world's defaults in one place, and its only touch with the machine's clock. */
import type { Clock } from "./world.ts";

export const WORLD_DEFAULTS = {
  /** Minute 0 of an instance's day: 2026-01-01T00:00:00Z. */
  dayStartsAt: Date.UTC(2026, 0, 1),
  mdrpCapacity: 4,
  /** Instances say no prices; the bill needs one. */
  mdrpPriceMinor: 2_500,
} as const;

/** Milliseconds since the epoch, as the machine says. */
export const systemClock: Clock = { now: () => Date.now() };
