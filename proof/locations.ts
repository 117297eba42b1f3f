/**
 * D5 for locations: each one is the newest position of its driver from then on, or is refused for a reason that is true, and
 * which of the two follows from what came before it. Written from the rules of the contract, not from the code that is checked.
 *
 * | refused as | when |
 * | --- | --- |
 * | DUPLICATE | its event id was accepted before |
 * | OFF_DUTY | its driver's shift has not begun, or is over and nothing is on board |
 * | OUT_OF_ORDER | recorded no later than the newest accepted one, or the start of the shift |
 * | STALE | recorded longer ago than a location may be old |
 * | THROTTLED | recorded too soon after the newest accepted one |
 * | IMPOSSIBLE | recorded in the future, or too far away to be reached |
 *
 * For runs in which events and locations are read in the order of their timestamps: virtual time.
 */
import type { DriverEvent, DriverLocation, InputRefused, Point, RefusalReason } from "#schemas";
import { distanceMetres } from "#geo";
import { placeOf, topicNames } from "./history.ts";
import type { ProofRecord } from "./history.ts";

/** In force everywhere and all the time. */
export interface LocationRules {
  readonly locationTtlMs: number;
  readonly throttleMs: number;
  readonly speedMetresPerSecondMax: number;
}

/** A device clock may run ahead of its record by this. */
const LEAD_MS_MAX = 60_000;
/** Ids of accepted ones that may be known still; older repetitions are refused for their time. */
const IDS_KEPT = 256;
/** Ids of accepted ones that are known for sure. */
const IDS_KNOWN = 64;

interface Turn {
  readonly at: number;
  readonly kind: "on" | "off" | "stop";
  readonly position: Point | undefined;
}

interface Track {
  readonly turns: Turn[];
  turnsDone: number;
  duty: boolean;
  /** Nothing accepted and no shift begun: −Infinity. */
  recordedAt: number;
  seenAt: number;
  position: Point | undefined;
  /** A stop since the newest accepted one: dispatch knows another position than the devices said. */
  stopped: boolean;
  /** Of the accepted ones the last ids, the oldest first, each with its number. */
  readonly ids: Map<string, number>;
  accepted: number;
}

type Complain = (topic: string, at: { readonly partition: number; readonly offset: number }, sentence: string) => void;

/** Feed it the refusals and the accepted driver events, then the locations. */
export class LocationsCheck {
  readonly #rules: LocationRules;
  readonly #complain: Complain;
  readonly #reasons = new Map<string, RefusalReason>();
  readonly #tracks = new Map<string, Track>();

  constructor(rules: LocationRules, complain: Complain) {
    this.#rules = rules;
    this.#complain = complain;
  }

  addRefusal({ value }: ProofRecord<InputRefused>): void {
    if (value.topic === topicNames.driverLocations) this.#reasons.set(placeOf(value), value.reason);
  }

  addDriverEvent({ value: event, timestamp }: ProofRecord<DriverEvent>): void {
    const { turns } = this.#track(event.driverId);
    if (event.type === "ShiftStarted") turns.push({ at: timestamp, kind: "on", position: event.position });
    else if (event.type === "ShiftEnded") turns.push({ at: timestamp, kind: "off", position: undefined });
    else if (event.type !== "JobAccepted" && event.type !== "JobDeclined") turns.push({ at: timestamp, kind: "stop", position: undefined });
  }

  add(record: ProofRecord<DriverLocation>): void {
    const { value: location, timestamp } = record;
    const track = this.#track(location.driverId);
    this.#follow(track, timestamp);
    const reason = this.#reasons.get(placeOf(record));
    if (reason !== undefined) {
      if (!this.#isTrue(reason, location, timestamp, track)) this.#complainOf(record, `was refused as ${reason}, which it is not`);
      return;
    }
    const why = this.#whyNot(location, timestamp, track);
    if (why !== undefined) this.#complainOf(record, `was accepted, and is ${why}`);
    track.recordedAt = location.recordedAt;
    track.seenAt = timestamp;
    track.position = location.position;
    track.stopped = false;
    // Said again it is the newest.
    track.ids.delete(location.eventId);
    track.ids.set(location.eventId, ++track.accepted);
    if (track.ids.size <= IDS_KEPT) return;
    for (const oldest of track.ids.keys()) {
      track.ids.delete(oldest);
      break;
    }
  }

  #complainOf({ partition, offset, value }: ProofRecord<DriverLocation>, why: string): void {
    this.#complain(topicNames.driverLocations, { partition, offset }, `location ${value.eventId} of driver ${value.driverId} ${why}`);
  }

  /** Why it should have been refused; only what is certain. */
  #whyNot(location: DriverLocation, timestamp: number, track: Track): RefusalReason | undefined {
    const sure: readonly RefusalReason[] = ["OUT_OF_ORDER", "STALE", "THROTTLED"];
    if (track.recordedAt === -Infinity) return "OFF_DUTY";
    const number = track.ids.get(location.eventId);
    if (number !== undefined && number > track.accepted - IDS_KNOWN) return "DUPLICATE";
    const silent = timestamp - track.seenAt > this.#rules.locationTtlMs;
    const wrong = sure.find((reason) => this.#isTrue(reason, location, timestamp, track));
    if (wrong !== undefined || track.stopped || silent) return wrong;
    return this.#isTrue("IMPOSSIBLE", location, timestamp, track) ? "IMPOSSIBLE" : undefined;
  }

  #isTrue(reason: RefusalReason, { eventId, recordedAt, position, accuracyMetres }: DriverLocation, at: number, track: Track): boolean {
    const { locationTtlMs, throttleMs, speedMetresPerSecondMax } = this.#rules;
    const elapsed = recordedAt - track.recordedAt;
    switch (reason) {
      case "DUPLICATE":
        return track.ids.has(eventId);
      case "OFF_DUTY":
        return !track.duty;
      case "OUT_OF_ORDER":
        return elapsed <= 0;
      case "STALE":
        return locationTtlMs > 0 && at - recordedAt > locationTtlMs;
      case "THROTTLED":
        return elapsed < throttleMs;
      case "IMPOSSIBLE": {
        if (recordedAt - at > LEAD_MS_MAX || track.stopped || track.position === undefined) return true;
        const { latitude, longitude } = track.position;
        const metres = distanceMetres(latitude, longitude, position.latitude, position.longitude);
        return (metres - accuracyMetres) * 1000 > speedMetresPerSecondMax * elapsed;
      }
      case "NOT_YOURS":
      case "ALREADY_ON_DUTY":
      case "UNKNOWN_JOB":
      case "ENDED":
      case "PICKED_UP":
      case "PICKUP_DIFFERS":
      case "WRONG_STATE":
      case "VERSION_OLD":
        // What no location is.
        return false;
      default:
        throw new TypeError(`no such reason: ${JSON.stringify(reason satisfies never)}`);
    }
  }

  /** What the driver did up to this time. */
  #follow(track: Track, timestamp: number): void {
    for (let turn = track.turns[track.turnsDone]; turn !== undefined && turn.at <= timestamp; turn = track.turns[track.turnsDone]) {
      track.turnsDone++;
      if (turn.kind === "off") track.duty = false;
      else if (turn.kind === "stop") track.stopped = true;
      else {
        track.duty = true;
        track.recordedAt = turn.at;
        track.seenAt = turn.at;
        track.position = turn.position;
        track.stopped = false;
      }
    }
  }

  #track(driverId: string): Track {
    let track = this.#tracks.get(driverId);
    if (track === undefined) {
      const nothing = { turnsDone: 0, duty: false, recordedAt: -Infinity, seenAt: -Infinity, position: undefined, stopped: false };
      this.#tracks.set(driverId, (track = { turns: [], ...nothing, ids: new Map<string, number>(), accepted: 0 }));
    }
    return track;
  }
}
