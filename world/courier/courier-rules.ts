/** What a courier works with: places, jobs, shifts, and the rules that differ from world to world. */
import type { Point, Vehicle } from "#schemas";

/** A spot in metres on the world's own plane. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface Place extends Spot {
  /** Of a restaurant, an order's door, or `0` where the shift begins; empty for a spot on a street. */
  readonly id: string;
}

/** A spot with the way it is passed. */
export interface Motion extends Spot {
  /** Metres per second. */
  readonly speed: number;
  /** Degrees clockwise from north. */
  readonly heading: number;
}

/** A job as it really is, not as somebody told. */
export interface JobFacts {
  readonly jobId: string;
  /** Jobs of one place may share a trip; empty: shares none. */
  readonly placeId: string;
  readonly pickup: Place;
  readonly dropOff: Place;
  readonly readyAt: number;
}

/** One shift of one driver. */
export interface Shift {
  readonly driverId: string;
  readonly start: Place;
  readonly startsAt: number;
  /** When it really ends. */
  readonly endsAt: number;
  /** When it is said to end. */
  readonly plannedEndsAt: number;
  readonly vehicle: Vehicle;
  /** Along the straight line, of this driver. */
  readonly metresPerSecond: number;
  readonly tags: readonly string[];
  readonly capacity: number;
}

/** How the ground looks as degrees, and back. */
export interface Ground {
  pointOf(spot: Spot): Point;
  spotOf(point: Point): Spot;
}

export interface CourierRules {
  /** Couriers act at multiples of this: a minute in the meal delivery problem, a millisecond in a city. */
  readonly quantumMs: number;
  /**
   * Nobody reaches a counter sooner than this after (the quantum of) the assignment, so that jobs assigned together are all
   * known when the bundle is fixed. Below a quantum it changes no quantum.
   */
  readonly settleMs: number;
  /** Whether each arrival, pickup and drop is also reported as a location. */
  readonly locatesAtStops: boolean;
  /** Multiples of the quantum. */
  travelMs(shift: Shift, from: Spot, to: Spot): number;
  /** Half of the time at a counter. */
  pickupHalfMs(job: JobFacts): number;
  /** Half of the time at a door. */
  dropHalfMs(job: JobFacts): number;
  /** Where a courier without work is: he was left at `from` at `since`. */
  idleAt(shift: Shift, from: Place, since: number, at: number): Motion;
  /** The answer to an offer; never, if `afterMs` is Infinity. */
  answer(shift: Shift, jobId: string, attempt: number): { readonly accepts: boolean; readonly afterMs: number };
  /** Nothing is heard from the driver before this time; `at` itself when he is not silent then. */
  heardAt(shift: Shift, at: number): number;
}

/** What couriers really did; for those who write it down. Times are milliseconds. */
export interface CourierJournal {
  moved(driverId: string, departedAt: number, from: Place, to: Place): void;
  /** `jobs` in the sequence in which they will be dropped; `assignedAt` of the last one assigned. */
  pickedUp(driverId: string, at: number, assignedAt: number, jobs: readonly JobFacts[]): void;
  droppedOff(driverId: string, at: number, job: JobFacts): void;
}

export const NO_JOURNAL: CourierJournal = {
  moved: () => undefined,
  pickedUp: () => undefined,
  droppedOff: () => undefined,
};
