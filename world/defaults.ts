/** The world's defaults in one place, and its only touch with the machine's clock. */
import type { Clock } from "./clock.ts";

export const WORLD_DEFAULTS = {
  /** Minute 0 of an instance's day: 2026-01-01T00:00:00Z. */
  dayStartsAt: Date.UTC(2026, 0, 1),
  mdrpCapacity: 4,
  /** Instances say no prices; the bill needs one. */
  mdrpPriceMinor: 2_500,
} as const;

/**
 * A city of moderate size; the seed alone must be given. An order keeps a driver busy for about 20 minutes and a ride for half
 * an hour, so this demand needs about two thirds of the drivers.
 */
export const CITY_DEFAULTS = {
  // Berlin, Alexanderplatz.
  centre: { latitude: 52.5219, longitude: 13.4132 },
  radiusMetres: 5_000,
  drivers: 200,
  ordersPerMinute: 5,
  ridesPerMinute: 1,
  restaurants: 120,
  shiftMs: 8 * 60 * 60_000,
  gpsEveryMs: 5_000,
  gpsNoiseMetres: 6,
  habits: {
    declineProbability: 0,
    missProbability: 0,
    silenceProbability: 0,
    earlyEndProbability: 0,
    cancelProbability: 0,
    lieProbability: 0,
  },
} as const;

/** Of the client that connects a world with a log. */
export const CLIENT_DEFAULTS = {
  /** How far back a restarted world looks for the last location of each driver, and how old a location may be sent. */
  locationTailMs: 30_000,
  /** Orders due longer ago than this while the world was down were never placed, if it is told to skip them. */
  missedDemandMs: 10_000,
  /** No event reaches the log later than this after one that was due later. */
  lateMs: 10 * 60_000,
  /** Polls of one step; what is left waits for the next one. */
  pollsPerStepMax: 16,
  recordBytes: 4_096,
  /** Waits for the next records of the past, where the log has to fetch them. */
  historyWaitsMax: 50,
  /** Until the log has something new, at most a moment. */
  untilChanged: async (log: { changed(since: number): Promise<void> }, version: number): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, 100);
    });
    await Promise.race([log.changed(version), waited]);
    clearTimeout(timer);
  },
} as const;

/** Milliseconds since the epoch, as the machine says. */
export const systemClock: Clock = { now: () => Date.now() };
