/** How a world comes back: its past is acted again from what it produced and observed, and only what is missing is produced. */
import type { AssignmentEvent, TripChanged } from "#schemas";
import { STOP_LOCATION_SUFFIX } from "./fleet-world.ts";
import type { World, WorldEvent } from "./world.ts";

export interface History {
  /** Ids of all events this world has produced, but locations. */
  readonly known: ReadonlySet<string>;
  /** Everything it could have observed; of one job, in the order of its partition. */
  readonly observed: readonly (AssignmentEvent | TripChanged)[];
  /** `recordedAt` of each driver's last location produced. */
  readonly lastLocations: ReadonlyMap<string, number>;
}

export interface ReplayOptions {
  /** Present time of the world that comes back. */
  readonly until: number;
  /** Periodic locations before it, which a device could not send while the world was down, are left out. Default: none are. */
  readonly locationsFrom?: number;
}

/**
 * Brings a fresh world to `until`. The result was due and is not in the history: a crash came between, so produce it now.
 * Acts depend on due times and on the times in the records, so a past without delay is repeated exactly; where a record was
 * observed late in the past, what was produced then decides.
 */
export function replay(world: World, history: History, { until, locationsFrom = -Infinity }: ReplayOptions): readonly WorldEvent[] {
  const missing: WorldEvent[] = [];
  const { known } = history;
  const keep = (events: readonly WorldEvent[]): void => {
    for (const event of events) if (!known.has(eventKey(event))) missing.push(event);
  };
  world.beginReplay(known);
  // Stable: records of one job stay in their order.
  for (const record of history.observed.toSorted((a, b) => a.at - b.at)) {
    keep(world.run(Math.min(record.at, until)));
    world.observe(record);
  }
  keep(world.run(until));
  world.endReplay(history.lastLocations, locationsFrom);
  return missing;
}

/** The id by which the past knows an event: a stop's location goes with its stop. */
function eventKey(event: WorldEvent): string {
  const { eventId } = event.value;
  return event.topic === "driverLocations" ? eventId.slice(0, -STOP_LOCATION_SUFFIX.length) : eventId;
}
