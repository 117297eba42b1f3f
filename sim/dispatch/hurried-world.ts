/** A world in which everything takes a part of its time, and whose customers stop asking when they are told. */
import type { World, WorldEvent } from "#world";

/** Of whatever a world says, the fields that are times. */
const TIMES: ReadonlySet<string> = new Set(["occurredAt", "recordedAt", "readyAt", "notBefore", "endsAt"]);

export interface HurriedWorldOptions {
  readonly world: World;
  /** Both clocks agree here. */
  readonly origin: number;
  /** The world's time passes so many times as fast. */
  readonly haste: number;
  /** What is asked for later than this is not asked for. */
  readonly asksUntil: () => number;
}

export function hurriedWorld({ world, origin, haste, asksUntil }: HurriedWorldOptions): World {
  const inside = (at: number): number => origin + (at - origin) * haste;
  const outside = (at: number): number => (Number.isFinite(at) ? origin + Math.ceil((at - origin) / haste) : at);
  const told = (event: WorldEvent): WorldEvent => {
    const times = Object.entries(event.value).filter(([name, value]) => TIMES.has(name) && typeof value === "number");
    const value = { ...event.value, ...Object.fromEntries(times.map(([name, at]) => [name, outside(at as number)])) };
    return { ...event, timestamp: outside(event.timestamp), value } as WorldEvent; // of the same kind
  };
  const asks = ({ topic, timestamp }: WorldEvent): boolean => timestamp > asksUntil() && (topic === "orders" || topic === "rides");
  return {
    id: world.id,
    nextDueAt: () => outside(world.nextDueAt()),
    run: (now) =>
      world
        .run(inside(now))
        .map(told)
        .filter((event) => !asks(event)),
    observe: (record) => world.observe(record.type === "TripChanged" ? record : { ...record, at: inside(record.at) }),
    owns: (jobId) => world.owns(jobId),
    beginReplay: (known) => world.beginReplay(known),
    endReplay: (lastLocations, resumeAt) =>
      world.endReplay(new Map([...lastLocations].map(([driver, at]) => [driver, inside(at)])), inside(resumeAt)),
  };
}
