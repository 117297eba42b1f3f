/**
 * The world as an actor without clock, threads or log: it says when it has something to do, does it, and hears what dispatch
 * decided. What it does depends only on its seed, on what it observed, and on due times: never on the moment it was stepped.
 */
import type { AssignmentEvent, DriverEvent, DriverLocation, DriverRepositioned, OrderEvent, RideEvent, TripChanged } from "#schemas";

/** What a world hears of dispatch. */
export type Observed = AssignmentEvent | TripChanged | DriverRepositioned;

/** One record to produce. `timestamp` is the due time, also when the world was stepped late. */
export type WorldEvent =
  | { readonly topic: "orders"; readonly key: string; readonly timestamp: number; readonly value: OrderEvent }
  | { readonly topic: "rides"; readonly key: string; readonly timestamp: number; readonly value: RideEvent }
  | { readonly topic: "driverEvents"; readonly key: string; readonly timestamp: number; readonly value: DriverEvent }
  | { readonly topic: "driverLocations"; readonly key: string; readonly timestamp: number; readonly value: DriverLocation };

export interface World {
  /** Prefix of every eventId: `<id>/<entity>/<step>`. Who produced an event, and at which step, is in its id. */
  readonly id: string;
  /** Infinity: nothing any more, unless something is observed. */
  nextDueAt(): number;
  /** Everything due up to and at `now`, in the order of due times. `now` never goes back. */
  run(now: number): readonly WorldEvent[];
  /** Order between jobs does not matter; of one job, records come in the order of its partition. Unknown drivers are ignored. */
  observe(record: Observed): void;
  /** Whether the job is of this world's own customers: it needs no news of its content. */
  owns(jobId: string): boolean;
  /** From here on the past is acted again: events of `known` are not said a second time, then or later. No periodic locations meanwhile. */
  beginReplay(known: ReadonlySet<string>): void;
  /** Periodic locations go on after each driver's last one, and not before `resumeAt`. */
  endReplay(lastLocations: ReadonlyMap<string, number>, resumeAt: number): void;
}
