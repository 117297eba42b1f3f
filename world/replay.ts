/** How a world comes back: its past is acted again from what it produced and observed, and only what is missing is produced. */
import type { Observed, World, WorldEvent } from "./world.ts";

export interface History {
  /** Ids of all events this world has produced, but locations. */
  readonly known: ReadonlySet<string>;
  /** Everything it could have observed; of one job, in the order of its partition. */
  readonly observed: readonly Observed[];
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
  const keep = (events: readonly WorldEvent[]): void => {
    for (const event of events) missing.push(event);
  };
  world.beginReplay(history.known);
  for (const { record, at } of inTime(history.observed)) {
    keep(world.run(Math.min(at, until)));
    world.observe(record);
  }
  keep(world.run(until));
  world.endReplay(history.lastLocations, locationsFrom);
  return missing;
}

/** By time over all jobs, though never against the order of one job's own partition. */
function inTime(records: History["observed"]): readonly { readonly record: History["observed"][number]; readonly at: number }[] {
  const lastOf = new Map<string, number>();
  const timed = records.map((record) => {
    const key = record.type === "DriverRepositioned" ? record.driverId : record.jobId;
    const at = Math.max(record.at, lastOf.get(key) ?? 0);
    lastOf.set(key, at);
    return { record, at };
  });
  return timed.sort((a, b) => a.at - b.at);
}
