/**
 * One courier during one shift. He obeys each assignment, goes to the counter, waits for the food, drops in his sequence, and
 * reports what he does. Nobody can turn him back on his way: what is assigned or taken back meanwhile counts at the counter.
 */
import type { DriverEvent, Point } from "#schemas";
import { compareIds, dropSequence } from "./drop-sequence.ts";
import type { CourierJournal, CourierRules, JobFacts, Motion, Place, Shift, Spot } from "./courier-rules.ts";

/** Where his reports go. */
export interface CourierReports {
  /** The id of a step of a driver's day, the same whenever it is asked for. */
  eventId(driverId: string, step: string): string;
  driverEvent(event: DriverEvent, place: Place | undefined): void;
  /** Came to a place where he has nothing to do. */
  located(driverId: string, place: Place, at: number): void;
  pointOf(spot: Spot): Point;
  /** Said in an earlier life and not acted again yet. */
  wasProduced(eventId: string): boolean;
}

interface Carried {
  readonly facts: JobFacts;
  readonly attempt: number;
  readonly assignedAt: number;
  arrived: boolean;
}

interface Offer {
  readonly jobId: string;
  readonly attempt: number;
  readonly answerAt: number;
  readonly accepts: boolean;
}

/** before → idle ⇄ toPickup → atPickup → delivering → idle …, and home from wherever the shift or the last drop ends. */
type Phase =
  | { readonly kind: "before" | "home" }
  | ({ readonly kind: "idle" } & Idle)
  | { readonly kind: "toPickup"; readonly leg: Leg; readonly placeId: string; readonly idle: Idle; readonly toWait?: true; jobs: Carried[] }
  | {
      readonly kind: "atPickup";
      readonly at: Place;
      readonly placeId: string;
      readonly arrivedAt: number;
      notBefore: number;
      jobs: Carried[];
    }
  | { readonly kind: "delivering"; readonly leg: Leg; readonly job: Carried; readonly dropAt: number; readonly rest: readonly Carried[] };

/** Left without work at a place since then. */
interface Idle {
  readonly at: Place;
  readonly since: number;
}

interface Leg {
  readonly from: Place;
  readonly to: Place;
  readonly departAt: number;
  readonly arriveAt: number;
}

export class Courier {
  readonly shift: Shift;
  readonly #rules: CourierRules;
  readonly #reports: CourierReports;
  readonly #journal: CourierJournal;
  #phase: Phase = { kind: "before" };
  #onDuty = false;
  /** Assigned and waiting for another trip than the present one. */
  #pending: Carried[] = [];
  #offers: Offer[] = [];

  constructor(shift: Shift, rules: CourierRules, reports: CourierReports, journal: CourierJournal) {
    this.shift = shift;
    this.#rules = rules;
    this.#reports = reports;
    this.#journal = journal;
  }

  get onDuty(): boolean {
    return this.#onDuty;
  }

  /** The shift is over and everything is delivered. */
  get done(): boolean {
    return this.#phase.kind === "home";
  }

  /** Infinity when done. */
  nextDueAt(): number {
    if (this.#phase.kind === "before") return this.shift.startsAt;
    const end = this.#onDuty ? this.shift.endsAt : Infinity;
    return Math.min(this.#phaseDueAt(), this.#offerDueAt(), end);
  }

  /** Does the one thing that is due next. At the same time: stops, then answers, then the end of the shift. */
  act(): void {
    const due = this.nextDueAt();
    if (this.#phase.kind === "before") return this.#startShift(due);
    if (this.#phaseDueAt() === due) return this.#actPhase(due);
    if (this.#offerDueAt() === due) return this.#answer(due);
    return this.#endShift(due);
  }

  offer(jobId: string, attempt: number, at: number): void {
    if (!this.#onDuty || this.#offers.some((offer) => offer.jobId === jobId && offer.attempt === attempt)) return;
    const { accepts, afterMs } = this.#rules.answer(this.shift, jobId, attempt);
    this.#offers.push({ jobId, attempt, accepts, answerAt: at + afterMs });
  }

  /** After the end of the shift, or a second time, it changes nothing. */
  assign(facts: JobFacts, attempt: number, at: number): void {
    const phase = this.#phase;
    this.#offers = this.#offers.filter((offer) => offer.jobId !== facts.jobId);
    if (!this.#onDuty || this.#has(facts.jobId, attempt)) return;
    const job: Carried = { facts, attempt, assignedAt: at, arrived: false };
    if ((phase.kind === "toPickup" || phase.kind === "atPickup") && this.#joins(phase, job)) {
      phase.jobs.push(job);
      return;
    }
    this.#pending.push(job);
    if (phase.kind === "idle") this.#setOut(phase.at, phase.since);
  }

  /** Without work he goes to wait there, and nobody turns him back on his way; with work it changes nothing. */
  reposition(to: Place, at: number): void {
    const phase = this.#phase;
    if (!this.#onDuty || phase.kind !== "idle" || this.#offers.length > 0) return;
    const departAt = Math.max(this.#floor(at), phase.since);
    const from = placeOf(phase.at, this.#rules.idleAt(this.shift, phase.at, phase.since, departAt));
    if (from.x === to.x && from.y === to.y) return;
    const idle = { at: phase.at, since: phase.since };
    this.#phase = { kind: "toPickup", leg: this.#leg(from, to, departAt), placeId: to.id, idle, toWait: true, jobs: [] };
  }

  /** What is on board already is delivered all the same. */
  revoke(jobId: string, attempt: number, at: number): void {
    const others = (job: { readonly attempt: number }, id: string): boolean => id !== jobId || job.attempt !== attempt;
    this.#offers = this.#offers.filter((offer) => others(offer, offer.jobId));
    this.#pending = this.#pending.filter((job) => others(job, job.facts.jobId));
    const phase = this.#phase;
    if (phase.kind !== "toPickup" && phase.kind !== "atPickup") return;
    if (!phase.jobs.some((job) => !others(job, job.facts.jobId))) return;
    phase.jobs = phase.jobs.filter((job) => others(job, job.facts.jobId));
    if (phase.kind === "toPickup") {
      // Not gone yet: he stays. Under way he goes on to the counter, since nobody reaches him.
      if (phase.jobs.length === 0 && phase.leg.departAt > at) this.#rest(phase.idle.at, phase.idle.since);
      return;
    }
    phase.notBefore = Math.max(phase.notBefore, this.#floor(at));
    if (phase.jobs.length === 0) this.#rest(phase.at, Math.max(phase.arrivedAt, phase.notBefore));
  }

  /** Undefined while the shift has not begun or everything is over. */
  motionAt(at: number): Motion | undefined {
    const phase = this.#phase;
    switch (phase.kind) {
      case "before":
      case "home":
        return undefined;
      case "idle":
        return this.#rules.idleAt(this.shift, phase.at, phase.since, at);
      case "atPickup":
        return standing(phase.at);
      case "toPickup":
        if (at < phase.leg.departAt) return this.#rules.idleAt(this.shift, phase.idle.at, phase.idle.since, at);
        return onLeg(phase.leg, at);
      case "delivering":
        return onLeg(phase.leg, at);
      default:
        return never(phase);
    }
  }

  // ---- what is due

  #phaseDueAt(): number {
    const phase = this.#phase;
    switch (phase.kind) {
      case "toPickup": {
        let due = phase.leg.arriveAt;
        for (const job of phase.jobs) due = Math.max(due, this.#floor(job.assignedAt) + this.#rules.settleMs);
        return this.#rules.heardAt(this.shift, due);
      }
      case "atPickup": {
        if (phase.jobs.some((job) => !job.arrived)) return phase.arrivedAt;
        let due = Math.max(phase.notBefore, phase.arrivedAt + this.#pickupHalf(phase.jobs));
        for (const job of phase.jobs) due = Math.max(due, this.#ceil(job.facts.readyAt), this.#floor(job.assignedAt));
        return this.#rules.heardAt(this.shift, due);
      }
      case "delivering":
        return this.#rules.heardAt(this.shift, phase.dropAt);
      case "before":
      case "home":
      case "idle":
        return Infinity;
      default:
        return never(phase);
    }
  }

  #offerDueAt(): number {
    let due = Infinity;
    for (const offer of this.#offers) due = Math.min(due, this.#heardAnswerAt(offer));
    return due;
  }

  /** A device that is silent when he answers says it late, and is refused then. */
  #heardAnswerAt({ answerAt }: Offer): number {
    return answerAt === Infinity ? Infinity : this.#rules.heardAt(this.shift, answerAt);
  }

  // ---- what he does

  #startShift(due: number): void {
    const { start, vehicle, tags, capacity, plannedEndsAt } = this.shift;
    this.#onDuty = true;
    this.#phase = { kind: "idle", at: start, since: due };
    this.#report(`on/${due}`, due, start, (base) => ({
      ...base,
      type: "ShiftStarted",
      position: this.#reports.pointOf(start),
      vehicle,
      tags,
      capacity,
      endsAt: Number.isFinite(plannedEndsAt) ? plannedEndsAt : null,
    }));
  }

  /** What is not on board yet is somebody else's from now on; what an earlier life has picked up is on board. */
  #endShift(due: number): void {
    const phase = this.#phase;
    const onBoard = (job: Carried): boolean => this.#wasPickedUp(job);
    this.#onDuty = false;
    this.#pending = this.#pending.filter(onBoard);
    this.#offers = [];
    if (phase.kind === "toPickup" || phase.kind === "atPickup") phase.jobs = phase.jobs.filter(onBoard);
    if (phase.kind === "idle" || (phase.kind === "atPickup" && phase.jobs.length === 0)) this.#rest(phase.at, due);
    this.#report(`off/${this.shift.startsAt}`, due, undefined, (base) => ({ ...base, type: "ShiftEnded" }));
  }

  #answer(due: number): void {
    const index = this.#offers.findIndex((offer) => this.#heardAnswerAt(offer) === due);
    const [offer] = this.#offers.splice(index, 1);
    if (offer === undefined) return;
    const { jobId, attempt, accepts } = offer;
    const type = accepts ? ("JobAccepted" as const) : ("JobDeclined" as const);
    this.#report(`${accepts ? "accepted" : "declined"}/${jobId}/${attempt}`, due, undefined, (base) => ({ ...base, type, jobId, attempt }));
  }

  #actPhase(due: number): void {
    const phase = this.#phase;
    switch (phase.kind) {
      case "toPickup":
        return this.#arrive(phase, due);
      case "atPickup":
        if (phase.jobs.some((job) => !job.arrived)) return this.#reportArrival(phase.jobs, phase.at, due);
        return this.#pickUp(phase, due);
      case "delivering":
        return this.#drop(phase, due);
      case "before":
      case "home":
      case "idle":
        return undefined;
      default:
        return never(phase);
    }
  }

  #arrive({ leg, placeId, toWait, jobs }: Extract<Phase, { kind: "toPickup" }>, due: number): void {
    if (leg.from.id !== leg.to.id) this.#journal.moved(this.shift.driverId, leg.departAt, leg.from, leg.to);
    // With a settling time the counter was reached a little before the report.
    const arrivedAt = Math.max(leg.arriveAt, this.#floor(due));
    if (jobs.length === 0) {
      if (toWait === true) this.#reports.located(this.shift.driverId, leg.to, arrivedAt);
      return this.#rest(leg.to, arrivedAt);
    }
    this.#phase = { kind: "atPickup", at: leg.to, placeId, arrivedAt, notBefore: 0, jobs };
    this.#reportArrival(jobs, leg.to, due);
  }

  #reportArrival(jobs: readonly Carried[], at: Place, due: number): void {
    for (const job of jobs) {
      if (job.arrived) continue;
      job.arrived = true;
      this.#reportJob("arrived", "ArrivedAtPickup", job, due, at);
    }
  }

  #pickUp(phase: Extract<Phase, { kind: "atPickup" }>, due: number): void {
    const { taken, left } = this.#taken(phase.jobs);
    this.#pending.push(...left);
    const sequence = dropSequence(taken, phase.at, this.shift, this.#rules);
    for (const job of sequence) this.#reportJob("pickedUp", "PickedUp", job, due, phase.at);
    const assignedAt = Math.max(...taken.map((job) => job.assignedAt));
    this.#journal.pickedUp(
      this.shift.driverId,
      due,
      assignedAt,
      sequence.map((job) => job.facts),
    );
    this.#goOn(phase.at, due + this.#pickupHalf(taken), sequence);
  }

  /** Who picked up part of a bundle in an earlier life, knew only of that part then. */
  #taken(jobs: readonly Carried[]): { readonly taken: readonly Carried[]; readonly left: readonly Carried[] } {
    const produced = (job: Carried): boolean => this.#wasPickedUp(job);
    return jobs.some(produced) ? { taken: jobs.filter(produced), left: jobs.filter((job) => !produced(job)) } : { taken: jobs, left: [] };
  }

  #drop({ leg, job, rest }: Extract<Phase, { kind: "delivering" }>, due: number): void {
    const { driverId } = this.shift;
    this.#journal.moved(driverId, leg.departAt, leg.from, leg.to);
    this.#journal.droppedOff(driverId, due, job.facts);
    this.#reportJob("droppedOff", "DroppedOff", job, due, leg.to);
    const departAt = due + this.#rules.dropHalfMs(job.facts);
    if (rest.length > 0) this.#goOn(leg.to, departAt, rest);
    else this.#rest(leg.to, departAt);
  }

  #goOn(from: Place, departAt: number, jobs: readonly Carried[]): void {
    const [job, ...rest] = jobs;
    if (job === undefined) return this.#rest(from, departAt);
    const leg = this.#leg(from, job.facts.dropOff, departAt);
    this.#phase = { kind: "delivering", leg, job, dropAt: leg.arriveAt + this.#rules.dropHalfMs(job.facts), rest };
  }

  /** Waits here for work; if there is some already, sets out for it. */
  #rest(at: Place, since: number): void {
    this.#phase = this.#onDuty ? { kind: "idle", at, since } : { kind: "home" };
    if (this.#pending.length > 0) this.#setOut(at, since);
  }

  #wasPickedUp(job: Carried): boolean {
    return this.#reports.wasProduced(this.#stepId("pickedUp", job));
  }

  /** To the counter of the job assigned first, with all others of that place. */
  #setOut(at: Place, since: number): void {
    const first = this.#pending.reduce((a, b) => ((b.assignedAt - a.assignedAt || compareIds(b.facts.jobId, a.facts.jobId)) < 0 ? b : a));
    const jobs = this.#pending.filter((job) => job === first || (job.facts.placeId !== "" && job.facts.placeId === first.facts.placeId));
    this.#pending = this.#pending.filter((job) => !jobs.includes(job));
    const departAt = Math.max(this.#floor(first.assignedAt), since);
    const from = placeOf(at, this.#rules.idleAt(this.shift, at, since, departAt));
    const leg = this.#leg(from, first.facts.pickup, departAt);
    this.#phase = { kind: "toPickup", leg, placeId: first.facts.placeId, idle: { at, since }, jobs };
  }

  #leg(from: Place, to: Place, departAt: number): Leg {
    return { from, to, departAt, arriveAt: departAt + this.#rules.travelMs(this.shift, from, to) };
  }

  /** Jobs of the place that were assigned until he reached the counter belong to the bundle. */
  #joins(phase: Extract<Phase, { kind: "toPickup" | "atPickup" }>, job: Carried): boolean {
    if (phase.placeId === "" || job.facts.placeId !== phase.placeId) return false;
    return this.#floor(job.assignedAt) <= (phase.kind === "toPickup" ? phase.leg.arriveAt : phase.arrivedAt);
  }

  #has(jobId: string, attempt: number): boolean {
    const same = (job: Carried): boolean => job.facts.jobId === jobId && job.attempt === attempt;
    const phase = this.#phase;
    if (this.#pending.some(same)) return true;
    if (phase.kind === "toPickup" || phase.kind === "atPickup") return phase.jobs.some(same);
    return phase.kind === "delivering" && (same(phase.job) || phase.rest.some(same));
  }

  /** One visit to the counter takes as long as its slowest job. */
  #pickupHalf(jobs: readonly Carried[]): number {
    let half = 0;
    for (const job of jobs) half = Math.max(half, this.#rules.pickupHalfMs(job.facts));
    return half;
  }

  #floor(time: number): number {
    return Math.floor(time / this.#rules.quantumMs) * this.#rules.quantumMs;
  }

  #ceil(time: number): number {
    return Math.ceil(time / this.#rules.quantumMs) * this.#rules.quantumMs;
  }

  #stepId(step: string, job: Carried): string {
    return this.#reports.eventId(this.shift.driverId, `${step}/${job.facts.jobId}/${job.attempt}`);
  }

  #reportJob(step: string, type: "ArrivedAtPickup" | "PickedUp" | "DroppedOff", job: Carried, at: number, place: Place): void {
    const { jobId } = job.facts;
    const { attempt } = job;
    this.#report(`${step}/${jobId}/${attempt}`, at, place, (base) => ({ ...base, type, jobId, attempt }));
  }

  #report(step: string, at: number, place: Place | undefined, make: (base: EventBase) => DriverEvent): void {
    const { driverId } = this.shift;
    this.#reports.driverEvent(make({ eventId: this.#reports.eventId(driverId, step), driverId, occurredAt: at }), place);
  }
}

interface EventBase {
  readonly eventId: string;
  readonly driverId: string;
  readonly occurredAt: number;
}

function standing(at: Spot): Motion {
  return { x: at.x, y: at.y, speed: 0, heading: 0 };
}

/** The place itself while he stands on it, else a nameless spot on a street. */
function placeOf(at: Place, spot: Spot): Place {
  return spot.x === at.x && spot.y === at.y ? at : { id: "", x: spot.x, y: spot.y };
}

function onLeg({ from, to, departAt, arriveAt }: Leg, at: number): Motion {
  if (at <= departAt) return standing(from);
  if (at >= arriveAt) return standing(to);
  const part = (at - departAt) / (arriveAt - departAt);
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const speed = (Math.sqrt(dx * dx + dy * dy) * 1000) / (arriveAt - departAt);
  const degrees = (Math.atan2(dx, dy) * 180) / Math.PI;
  return { x: from.x + dx * part, y: from.y + dy * part, speed, heading: degrees < 0 ? degrees + 360 : degrees };
}

function never(phase: never): never {
  throw new TypeError(`no such phase: ${JSON.stringify(phase)}`);
}
