/**
 * Real taxis as drivers: each begins his shift with his first row and ends it after his last, and every row between goes out as
 * it was recorded, duplicates, jumps and gaps included. Nobody asks for anything.
 */
import type { World, WorldEvent } from "../world.ts";
import type { TaxiPosition } from "./read-tdrive.ts";

export const tdriveWorldId = "tdrive";

/** A device that knows no better. */
const ACCURACY_METRES = 10;

/** Positions in order of time. */
export function createTdriveWorld(positions: readonly TaxiPosition[]): World {
  return new TdriveWorld(eventsOf(positions));
}

class TdriveWorld implements World {
  readonly id = tdriveWorldId;
  readonly #events: readonly WorldEvent[];
  #next = 0;
  #past: ReadonlySet<string> = new Set();

  constructor(events: readonly WorldEvent[]) {
    this.#events = events;
  }

  nextDueAt(): number {
    return this.#events[this.#next]?.timestamp ?? Infinity;
  }

  run(now: number): readonly WorldEvent[] {
    const due: WorldEvent[] = [];
    for (let event = this.#events[this.#next]; event !== undefined && event.timestamp <= now; event = this.#events[++this.#next]) {
      if (!this.#past.has(event.value.eventId)) due.push(event);
    }
    return due;
  }

  /** Taxis do what they did, whatever is decided. */
  observe(): void {}

  owns(): boolean {
    return false;
  }

  beginReplay(known: ReadonlySet<string>): void {
    this.#past = new Set(known);
  }

  endReplay(): void {
    this.#past = new Set();
  }
}

/** One id for one content: what a device says twice to the letter is one event. */
function eventsOf(positions: readonly TaxiPosition[]): readonly WorldEvent[] {
  const events: WorldEvent[] = [];
  const last = new Map<string, TaxiPosition>();
  for (const position of positions) {
    const { taxiId, at, latitude, longitude } = position;
    const driverId = `taxi-${taxiId}`;
    const point = { latitude, longitude };
    if (!last.has(taxiId)) {
      const base = { eventId: `${tdriveWorldId}/${driverId}/on`, driverId, occurredAt: at } as const;
      const value = { ...base, type: "ShiftStarted", position: point, vehicle: "car", tags: [], capacity: 1, endsAt: null } as const;
      events.push({ topic: "driverEvents", key: driverId, timestamp: at, value });
    }
    last.set(taxiId, position);
    const eventId = `${tdriveWorldId}/${driverId}/${at}/${longitude}/${latitude}`;
    const value = {
      type: "DriverLocation",
      eventId,
      driverId,
      position: point,
      accuracyMetres: ACCURACY_METRES,
      speed: 0,
      heading: 0,
    } as const;
    events.push({ topic: "driverLocations", key: driverId, timestamp: at, value: { ...value, recordedAt: at } });
  }
  for (const [taxiId, { at }] of last) {
    const driverId = `taxi-${taxiId}`;
    const value = { type: "ShiftEnded", eventId: `${tdriveWorldId}/${driverId}/off`, driverId, occurredAt: at + 1 } as const;
    events.push({ topic: "driverEvents", key: driverId, timestamp: at + 1, value });
  }
  return events.sort((a, b) => a.timestamp - b.timestamp);
}
