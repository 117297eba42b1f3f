/**
 * D5: every accepted input event has an effect or a recorded refusal, never both and never neither.
 *
 * | event | its effect |
 * | --- | --- |
 * | order placed, changed, cancelled; ride requested, cancelled | a trip of its job, matched in order by the life model |
 * | accepted, arrived, picked up, dropped off | JobProgressed with its event id |
 * | declined | JobDropped "declined" of the same job, attempt and driver |
 * | shift started | DriverPresent (present) made at its timestamp with its shift's end |
 * | location | the newest position of its driver, where the rules are told (`locations.ts`) |
 * | shift ended | DriverPresent (absent) made at its timestamp, or no cell that still had him present (he was silent) |
 *
 * And nothing without a cause: a progress names a driver's event, a refusal names an event that is there.
 */
import type { DriverEvent, InputRefused, JobUpdate, MatchingInput } from "#schemas";
import { placeOf, topicNames } from "./history.ts";
import type { Position, ProofRecord } from "./history.ts";
import { Findings } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

interface Refusal {
  readonly eventId: string;
  readonly partition: number;
  readonly offset: number;
  matched: boolean;
}

interface ShiftChange {
  readonly event: Extract<DriverEvent, { type: "ShiftStarted" | "ShiftEnded" }>;
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: number;
  seen: boolean;
  /** Of an end: where the driver was last told to be present, before it. */
  readonly presentIn: Set<string>;
}

interface Waiting {
  readonly type: string;
  readonly partition: number;
  readonly offset: number;
}

/** Feed it refusals, then requests and driver events, then job updates and matching input. */
export class EffectsCheck {
  readonly #findings = new Findings("D5");
  readonly #refusals = new Map<string, Refusal>();
  readonly #given = new Set<string>();
  /** Driver actions whose effect was not seen yet, by what it will look like. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #shifts = new Map<string, ShiftChange[]>();
  #judgesShifts = false;

  addRefusal(record: ProofRecord<InputRefused>): void {
    const { value: refusal, partition, offset } = record;
    const key = `${refusal.topic}-${placeOf(refusal)}`;
    if (this.#refusals.has(key)) {
      this.#findings.violated(topicNames.refusals, record, `refuses ${refusal.eventType} ${refusal.eventId} (${key}) a second time`);
      return;
    }
    this.#refusals.set(key, { eventId: refusal.eventId, partition, offset, matched: false });
  }

  /** Topics given to the check: a refusal that points into one of them must find its event there. */
  gives(topic: string): void {
    this.#given.add(topic);
  }

  /** True: recorded as refused, so it must have no effect. Call it once for each event. */
  refused(topic: string, event: { readonly eventId: string }, at: { readonly partition: number; readonly offset: number }): boolean {
    this.#findings.checked();
    const refusal = this.#refusals.get(`${topic}-${placeOf(at)}`);
    if (refusal === undefined) return false;
    refusal.matched = true;
    if (refusal.eventId !== event.eventId) {
      this.#findings.violated(topic, at, `is event ${event.eventId}, its refusal names ${refusal.eventId}`);
    }
    return true;
  }

  /** For whoever judges events of one kind beside this. */
  violated(topic: string, at: { readonly partition: number; readonly offset: number }, sentence: string): void {
    this.#findings.violated(topic, at, sentence);
  }

  /** False: it was refused. */
  addDriverEvent({ value: event, partition, offset, timestamp }: ProofRecord<DriverEvent>): boolean {
    if (this.refused(topicNames.driverEvents, event, { partition, offset })) return false;
    if (event.type === "ShiftStarted" || event.type === "ShiftEnded") {
      const change = { event, timestamp, partition, offset, seen: false, presentIn: new Set<string>() };
      const changes = this.#shifts.get(event.driverId);
      if (changes?.some((other) => other.event.eventId === event.eventId) === true) {
        this.#findings.violated(
          topicNames.driverEvents,
          change,
          `${event.type} ${event.eventId} was neither refused nor the first of its id`,
        );
      }
      if (changes === undefined) this.#shifts.set(event.driverId, [change]);
      else changes.push(change);
      return true;
    }
    const { driverId, jobId, attempt, eventId, type } = event;
    const effect = type === "JobDeclined" ? declined(jobId, attempt, driverId) : progressed(driverId, eventId);
    if (this.#waiting.has(effect)) {
      this.#findings.violated(
        topicNames.driverEvents,
        { partition, offset },
        `${type} ${eventId} was neither refused nor the first of its id`,
      );
    }
    this.#waiting.set(effect, { type, partition, offset });
    return true;
  }

  addJobUpdate(record: ProofRecord<JobUpdate>): void {
    const { value: update } = record;
    if (!this.#given.has(topicNames.driverEvents)) return;
    const isDecline = update.type === "JobDropped" && update.reason === "declined";
    if (!isDecline && update.type !== "JobProgressed") return;
    const { driverId, jobId, attempt } = update;
    const effect = update.type === "JobDropped" ? declined(jobId, attempt, driverId) : progressed(driverId, update.eventId);
    if (this.#waiting.delete(effect)) return;
    this.#findings.violated(
      topicNames.jobUpdates,
      record,
      `${update.type} of job ${jobId} by driver ${driverId} has no event of his behind it`,
    );
  }

  /** A progress after its job's end: it must be refused. */
  addLateProgress(
    update: { readonly eventId: string; readonly jobId: string },
    at: { readonly partition: number; readonly offset: number },
  ): void {
    if (this.refused(topicNames.jobUpdates, update, at)) return;
    this.#findings.violated(topicNames.jobUpdates, at, `progress ${update.eventId} after the end of job ${update.jobId} was not refused`);
  }

  addMatchingInput({ value: input }: ProofRecord<MatchingInput>): void {
    this.#judgesShifts = true;
    if (input.type !== "DriverPresent") return;
    for (const change of this.#shifts.get(input.driverId) ?? []) {
      const { event, timestamp } = change;
      if (event.type === "ShiftStarted") {
        change.seen ||= input.present && input.at === timestamp && input.shiftEndsAt === event.endsAt;
        continue;
      }
      change.seen ||= !input.present && input.at === timestamp;
      if (input.at > timestamp) continue;
      if (input.present) change.presentIn.add(input.cell);
      else change.presentIn.delete(input.cell);
    }
  }

  /** A request that changed nothing and was not refused. */
  addUnconsumed(jobId: string, request: Position & { readonly kind: string; readonly eventId: string }): void {
    const what = `event ${request.eventId} (${request.kind}) of job ${jobId}`;
    this.#findings.violated(request.topic, request, `${what} has neither an effect nor a refusal`);
  }

  verdict(options: { readonly quiescent: boolean }): Verdict {
    if (options.quiescent) {
      for (const { type, ...at } of this.#waiting.values()) {
        this.#findings.violated(topicNames.driverEvents, at, `${type} has neither an effect nor a refusal`);
      }
      if (this.#judgesShifts) this.#judgeShifts();
      this.#judgeRefusals();
    }
    return this.#findings.verdict();
  }

  #judgeRefusals(): void {
    for (const [event, { matched, eventId, ...at }] of this.#refusals) {
      if (matched || !this.#given.has(event.slice(0, event.lastIndexOf("-")))) continue;
      this.#findings.violated(
        topicNames.refusals,
        at,
        `refuses ${eventId} at ${event}, where there is no such event, or one that had an effect`,
      );
    }
  }

  #judgeShifts(): void {
    for (const changes of this.#shifts.values()) {
      for (const { event, seen, presentIn, ...at } of changes) {
        if (seen || (event.type === "ShiftEnded" && presentIn.size === 0)) continue;
        this.#findings.violated(
          topicNames.driverEvents,
          at,
          `${event.type} of driver ${event.driverId} has neither an effect nor a refusal`,
        );
      }
    }
  }
}

function progressed(driverId: string, eventId: string): string {
  return `progressed ${driverId} ${eventId}`;
}

function declined(jobId: string, attempt: number, driverId: string): string {
  return `declined ${jobId} ${attempt} ${driverId}`;
}
