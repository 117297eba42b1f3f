/** Couriers, the jobs they are asked for, and their locations, put together as one actor. Each kind of world is a set of its parts. */
import type { AssignmentEvent, DriverEvent, TripChanged } from "#schemas";
import { Courier } from "./courier/courier.ts";
import { NO_JOURNAL } from "./courier/courier-rules.ts";
import type { CourierJournal, CourierRules, Ground, JobFacts, Motion, Place, Shift } from "./courier/courier-rules.ts";
import { DueHeap } from "./due-heap.ts";
import type { Observed, World, WorldEvent } from "./world.ts";

/** Customers: what they ask for, and when. */
export interface Demand {
  /** Infinity: nothing any more. */
  nextDueAt(): number;
  /** The events due at exactly `nextDueAt()`; moves on. */
  take(out: WorldEvent[]): void;
  /** A job of this demand by its id, placed or not; undefined: somebody else's. */
  job(jobId: string): JobFacts | undefined;
}

/** Who comes to work, and when. */
export interface Roster {
  /** Infinity: nobody any more. */
  nextDueAt(): number;
  /** The shifts that start at exactly `nextDueAt()`; moves on. */
  take(): readonly Shift[];
}

/** How devices report where they are, between the stops. */
export interface LocationReports {
  /** 0: not at all. */
  readonly everyMs: number;
  /** What is reported when the driver really is at `motion`; may add noise drawn from (driver, at). */
  report(shift: Shift, motion: Motion, at: number): { readonly motion: Motion; readonly accuracyMetres: number };
  /** Silent devices report nothing. */
  heard(shift: Shift, at: number): boolean;
  /** What a device says besides, right after a report: undefined where devices are honest. */
  lie?(shift: Shift, motion: Motion, at: number): Lie | undefined;
}

/** A false report. */
export interface Lie {
  /** Undefined: the true report is said again, under its own id. */
  readonly motion: Motion | undefined;
  readonly recordedAt: number;
}

export interface FleetWorldOptions {
  readonly id: string;
  readonly demand: Demand;
  readonly roster: Roster;
  readonly rules: CourierRules;
  readonly ground: Ground;
  readonly locations: LocationReports;
  readonly journal?: CourierJournal;
}

const DEMAND = 0;
const ROSTER = 1;
/** Each courier has two slots of the heap: what he does, and where he says he is. */
const FIRST_COURIER = 2;

export class FleetWorld implements World {
  readonly id: string;
  readonly #demand: Demand;
  readonly #roster: Roster;
  readonly #rules: CourierRules;
  readonly #ground: Ground;
  readonly #locations: LocationReports;
  readonly #journal: CourierJournal;
  readonly #heap = new DueHeap();
  readonly #couriers: (Courier | undefined)[] = [];
  readonly #slotOf = new Map<string, number>();
  readonly #freeSlots: number[] = [];
  /** Content of other people's jobs that are under way: each ends, at the latest by its deadline. */
  readonly #foreign = new Map<string, JobFacts>();
  /** Assigned before their content was heard of. */
  readonly #parked = new Map<string, Extract<AssignmentEvent, { type: "DriverAssigned" }>>();
  /** Ids produced in an earlier life and not acted again yet: what has been said is not said twice. */
  #past = new Set<string>();
  #replaying = false;
  readonly #asked: WorldEvent[] = [];
  #out: WorldEvent[] = [];

  constructor(options: FleetWorldOptions) {
    this.id = options.id;
    this.#demand = options.demand;
    this.#roster = options.roster;
    this.#rules = options.rules;
    this.#ground = options.ground;
    this.#locations = options.locations;
    this.#journal = options.journal ?? NO_JOURNAL;
    this.#heap.set(DEMAND, this.#demand.nextDueAt());
    this.#heap.set(ROSTER, this.#roster.nextDueAt());
  }

  nextDueAt(): number {
    return this.#heap.firstDueAt;
  }

  run(now: number): readonly WorldEvent[] {
    while (this.#heap.firstDueAt <= now) this.#act(this.#heap.first, this.#heap.firstDueAt);
    if (this.#out.length === 0) return NOTHING;
    const out = this.#out;
    this.#out = [];
    return out;
  }

  observe(record: Observed): void {
    switch (record.type) {
      case "DriverOffered":
        return this.#with(record.driverId, (courier) => courier.offer(record.jobId, record.attempt, record.at));
      case "DriverAssigned": {
        const facts = this.#demand.job(record.jobId) ?? this.#foreign.get(record.jobId);
        if (facts !== undefined) return this.#with(record.driverId, (courier) => courier.assign(facts, record.attempt, record.at));
        if (this.#slotOf.has(record.driverId)) this.#parked.set(record.jobId, record);
        return undefined;
      }
      case "AssignmentRevoked":
        this.#parked.delete(record.jobId);
        return this.#with(record.driverId, (courier) => courier.revoke(record.jobId, record.attempt, record.at));
      case "AssignmentFailed":
        this.#parked.delete(record.jobId);
        return undefined;
      case "DriverRepositioned": {
        const to = { id: record.placeId, ...this.#ground.spotOf(record.to) };
        return this.#with(record.driverId, (courier) => courier.reposition(to, record.at));
      }
      case "TripChanged":
        return this.#heardOf(record);
      default:
        return never(record);
    }
  }

  owns(jobId: string): boolean {
    return this.#demand.job(jobId) !== undefined;
  }

  beginReplay(known: ReadonlySet<string>): void {
    this.#past = new Set(known);
    this.#replaying = true;
  }

  endReplay(lastLocations: ReadonlyMap<string, number>, resumeAt: number): void {
    this.#replaying = false;
    for (const [driverId, slot] of this.#slotOf) {
      const after = Math.max(lastLocations.get(driverId) ?? -Infinity, resumeAt - 1);
      this.#scheduleLocation(slot, after);
    }
  }

  /** Where a driver is; undefined when he is not at work. */
  motionOf(driverId: string, at: number): Motion | undefined {
    return this.#couriers[this.#slotOf.get(driverId) ?? -1]?.motionAt(at);
  }

  // ---- stepping

  #act(slot: number, due: number): void {
    if (slot === DEMAND) {
      this.#demand.take(this.#asked);
      for (const event of this.#asked.splice(0)) if (!this.#past.delete(event.value.eventId)) this.#out.push(event);
      this.#heap.set(DEMAND, this.#demand.nextDueAt());
    } else if (slot === ROSTER) {
      for (const shift of this.#roster.take()) this.#enter(shift);
      this.#heap.set(ROSTER, this.#roster.nextDueAt());
    } else if ((slot - FIRST_COURIER) % 2 === 1) {
      this.#reportLocation((slot - FIRST_COURIER - 1) / 2, due);
    } else {
      const index = (slot - FIRST_COURIER) / 2;
      this.#couriers[index]?.act();
      this.#reschedule(index);
    }
  }

  #enter(shift: Shift): void {
    const index = this.#freeSlots.pop() ?? this.#couriers.length;
    const courier = new Courier(shift, this.#rules, this.#reports, this.#journal);
    this.#couriers[index] = courier;
    this.#slotOf.set(shift.driverId, index);
    this.#heap.set(FIRST_COURIER + 2 * index, courier.nextDueAt());
    this.#heap.set(FIRST_COURIER + 2 * index + 1, Infinity);
    if (!this.#replaying) this.#scheduleLocation(index, shift.startsAt);
  }

  /** What a courier says, as records. */
  readonly #reports = {
    eventId: (driverId: string, step: string): string => `${this.id}/${driverId}/${step}`,
    pointOf: (spot: Place) => this.#ground.pointOf(spot),
    wasProduced: (eventId: string): boolean => this.#past.has(eventId),
    located: (driverId: string, place: Place, at: number): void => {
      // Known locations are not counted: what was due in an earlier life has been said, or is old news.
      if (!this.#rules.locatesAtStops || this.#replaying) return;
      this.#location(driverId, `${this.id}/${driverId}/waits/${at}`, { ...place, speed: 0, heading: 0 }, 0, at);
    },
    driverEvent: (event: DriverEvent, place: Place | undefined): void => {
      if (this.#past.delete(event.eventId)) return;
      const { driverId, occurredAt } = event;
      this.#out.push({ topic: "driverEvents", key: driverId, timestamp: occurredAt, value: event });
      // The start of a shift says the position itself.
      if (place === undefined || !this.#rules.locatesAtStops || event.type === "ShiftStarted") return;
      this.#location(driverId, `${event.eventId}/at`, { ...place, speed: 0, heading: 0 }, 0, occurredAt);
    },
  };

  #with(driverId: string, tell: (courier: Courier) => void): void {
    const index = this.#slotOf.get(driverId);
    const courier = this.#couriers[index ?? -1];
    if (index === undefined || courier === undefined) return;
    tell(courier);
    this.#reschedule(index);
  }

  #reschedule(index: number): void {
    const courier = this.#couriers[index];
    if (courier === undefined) return;
    if (!courier.done) return this.#heap.set(FIRST_COURIER + 2 * index, courier.nextDueAt());
    this.#heap.set(FIRST_COURIER + 2 * index, Infinity);
    this.#heap.set(FIRST_COURIER + 2 * index + 1, Infinity);
    this.#couriers[index] = undefined;
    // Another shift of the same driver may have begun already.
    if (this.#slotOf.get(courier.shift.driverId) === index) this.#slotOf.delete(courier.shift.driverId);
    this.#freeSlots.push(index);
  }

  // ---- locations

  /** The next time of the driver's own rhythm after `after`. */
  #scheduleLocation(index: number, after: number): void {
    const { everyMs } = this.#locations;
    const courier = this.#couriers[index];
    if (everyMs <= 0 || courier === undefined) return;
    const { startsAt } = courier.shift;
    const steps = Math.max(1, Math.floor((after - startsAt) / everyMs) + 1);
    this.#heap.set(FIRST_COURIER + 2 * index + 1, startsAt + steps * everyMs);
  }

  #reportLocation(index: number, due: number): void {
    const courier = this.#couriers[index];
    this.#heap.set(FIRST_COURIER + 2 * index + 1, due + this.#locations.everyMs);
    const motion = courier?.motionAt(due);
    if (courier === undefined || motion === undefined || !this.#locations.heard(courier.shift, due)) return;
    const { driverId } = courier.shift;
    const report = this.#locations.report(courier.shift, motion, due);
    const eventId = `${this.id}/${driverId}/gps/${due}`;
    this.#location(driverId, eventId, report.motion, report.accuracyMetres, due);
    const lie = this.#locations.lie?.(courier.shift, motion, due);
    if (lie === undefined) return;
    const falseId = lie.motion === undefined ? eventId : `${eventId}/false`;
    this.#location(driverId, falseId, lie.motion ?? report.motion, report.accuracyMetres, due, lie.recordedAt);
  }

  #location(driverId: string, eventId: string, motion: Motion, accuracyMetres: number, at: number, recordedAt = at): void {
    const { speed, heading } = motion;
    const position = this.#ground.pointOf(motion);
    const value = { type: "DriverLocation", eventId, driverId, position, accuracyMetres, speed, heading, recordedAt } as const;
    this.#out.push({ topic: "driverLocations", key: driverId, timestamp: at, value });
  }

  // ---- other people's jobs

  #heardOf(trip: TripChanged): void {
    const { jobId, content, state } = trip;
    if (this.owns(jobId)) return;
    if (content === null || state === "completed" || state === "cancelled" || state === "failed") {
      this.#foreign.delete(jobId);
      this.#parked.delete(jobId);
      return;
    }
    const { placeId, readyAt } = content;
    const pickup = { id: placeId === "" ? `${jobId}/pickup` : placeId, ...this.#ground.spotOf(content.pickup) };
    const dropOff = { id: jobId, ...this.#ground.spotOf(content.dropOff) };
    this.#foreign.set(jobId, { jobId, placeId, pickup, dropOff, readyAt });
    const waiting = this.#parked.get(jobId);
    if (waiting === undefined) return;
    this.#parked.delete(jobId);
    this.observe(waiting);
  }
}

const NOTHING: readonly WorldEvent[] = [];

function never(record: never): never {
  throw new TypeError(`no such record: ${JSON.stringify(record)}`);
}
