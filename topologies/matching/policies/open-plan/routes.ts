/**
 * Every driver's open plan in flat arrays, with its times and its cost: milliseconds of lateness over all jobs (after the
 * earliest possible drop-off of each), plus a little for the way and for pay.
 */
import { expectedPickup } from "./ready-times.ts";
import type { SearchSpace } from "./search-space.ts";
import type { OpenPlanValues } from "./parameters.ts";

/** Who works shorter than this has little use of standing well. */
const ENDING_MS = 3_600_000;

/** Of two ready times the spread of their distance; less than the root of 2, since one kitchen is late with both. */
const TOGETHER = 1.13;

export class Routes {
  readonly space: SearchSpace;
  /** Slots for visits of a driver, and for jobs of a visit. */
  readonly visitsMax: number;
  readonly width: number;
  /** By driver: visits, jobs that are not held, cost. */
  readonly length: Int32Array;
  readonly planned: Int32Array;
  readonly cost: Float64Array;
  /** By driver × visitsMax + visit. */
  readonly size: Int32Array;
  readonly arrival: Float64Array;
  readonly pickup: Float64Array;
  readonly readyAt: Float64Array;
  readonly end: Float64Array;
  /** Cost of everything before the visit, without pay and ending. */
  readonly before: Float64Array;
  /** By visit × width + position. */
  readonly jobs: Int32Array;
  /** By open job: its driver, −1: nobody. */
  readonly driverOf: Int32Array;
  readonly drivingWeight: number;
  /** Of ready times around those that are expected. */
  readonly spread: number;
  /** No driver without a plan ends dearer. */
  readonly endingMax: number;
  readonly #half: number;
  /** What it costs to end at the start, by driver, and at a door, by job; times what is left of the driver's shift. */
  readonly #endsAtStart: Float64Array;
  readonly #endsAtDoor: Float64Array;
  readonly #left: Float64Array;

  constructor(space: SearchSpace, { planMax, bundleMax, drivingWeight, endingWeight, readySpreadMs }: OpenPlanValues) {
    this.spread = readySpreadMs;
    const drivers = space.slots.length;
    this.space = space;
    this.visitsMax = planMax + 1;
    this.width = bundleMax;
    this.drivingWeight = drivingWeight;
    this.#half = space.serviceMs / 2;
    this.length = new Int32Array(drivers);
    this.planned = new Int32Array(drivers);
    this.cost = new Float64Array(drivers);
    const visits = drivers * this.visitsMax;
    this.size = new Int32Array(visits);
    this.arrival = new Float64Array(visits);
    this.pickup = new Float64Array(visits);
    this.readyAt = new Float64Array(visits);
    this.end = new Float64Array(visits);
    this.before = new Float64Array(visits);
    this.jobs = new Int32Array(visits * this.width);
    this.driverOf = new Int32Array(space.open).fill(-1);
    this.#left = Float64Array.from(space.shiftEnd, (end) => Math.max(0, Math.min(1, end / ENDING_MS)));
    const minds = endingWeight > 0;
    this.#endsAtStart = Float64Array.from(this.length, (_, d) => (minds ? endingWeight * space.wayFromStart(d) : 0));
    this.#endsAtDoor = Float64Array.from(space.place, (_, job) => (minds ? endingWeight * space.wayFromDoor(0, job) : 0));
    let most = 0;
    for (const ending of this.#endsAtStart) if (ending > most) most = ending;
    this.endingMax = most;
    for (let d = 0; d < drivers; d++) this.evaluate(d);
    for (let d = 0; d < drivers; d++) {
      const held = space.headJobs[d]!;
      if (held.length === 0) continue;
      this.length[d] = 1;
      this.size[d * this.visitsMax] = held.length;
      held.forEach((job, i) => (this.jobs[d * this.visitsMax * this.width + i] = job));
      this.evaluate(d);
    }
  }

  /** The first visit that may be moved: the one he is on the way to stays. */
  first(d: number): number {
    return this.space.headPlace[d]! >= 0 ? 1 : 0;
  }

  placeOf(visit: number): number {
    return this.space.place[this.jobs[visit * this.width]!]!;
  }

  lastJobOf(visit: number): number {
    return this.jobs[visit * this.width + this.size[visit]! - 1]!;
  }

  /** When he can leave for visit k of driver d. */
  leaves(d: number, k: number): number {
    return k === 0 ? this.space.freeAt[d]! : this.end[d * this.visitsMax + k - 1]!;
  }

  /** From where he then is to a place. */
  way(d: number, k: number, place: number): number {
    if (k === 0) return this.space.startToPlace(d, place);
    return this.space.doorToPlace(this.space.vehicle[d]!, this.lastJobOf(d * this.visitsMax + k - 1), place);
  }

  /** What it costs that the plan ends at this job's door; −1: that there is none. */
  endingOf(d: number, lastJob: number): number {
    return this.#left[d]! * (lastJob < 0 ? this.#endsAtStart[d]! : this.#endsAtDoor[lastJob]!);
  }

  /** The last job before visit k; −1: none. */
  lastBefore(d: number, k: number): number {
    return k === 0 ? -1 : this.lastJobOf(d * this.visitsMax + k - 1);
  }

  payOf(d: number, jobs: number): number {
    return this.space.payStep[d]! * jobs * (2 * this.space.served[d]! + jobs);
  }

  /** Times and cost of the whole plan anew; Infinity where a pickup would be after the shift. */
  evaluate(d: number): number {
    const { space } = this;
    const length = this.length[d]!;
    let cost = 0;
    let planned = 0;
    for (let k = 0; k < length; k++) {
      const visit = d * this.visitsMax + k;
      const place = this.placeOf(visit);
      this.before[visit] = cost;
      if (k === 0 && space.headPlace[d]! >= 0) {
        this.arrival[visit] = space.headArrival[d]!;
      } else {
        const way = this.way(d, k, place);
        this.arrival[visit] = this.leaves(d, k) + way;
        cost += this.drivingWeight * way;
      }
      cost += this.#visit(d, visit);
      for (let i = 0; i < this.size[visit]!; i++) if (this.jobs[visit * this.width + i]! < space.open) planned += 1;
      const movable = k >= this.first(d) || this.size[visit]! > space.headJobs[d]!.length;
      if (movable && this.pickup[visit]! > space.shiftEnd[d]!) cost = Infinity;
    }
    this.planned[d] = planned;
    cost += this.payOf(d, planned) + this.endingOf(d, this.lastBefore(d, length));
    this.cost[d] = cost;
    return cost;
  }

  /** When the jobs that are ready then and one more are all ready, on average. */
  bothReady(readyAt: number, job: number): number {
    return expectedPickup(readyAt, this.space.ready[job]!, TOGETHER * this.spread);
  }

  /** Sets a visit's pickup and end from its arrival; lateness of its jobs and the way to their doors. */
  #visit(d: number, visit: number): number {
    const { space } = this;
    const { serviceMs } = space;
    const vehicle = space.vehicle[d]!;
    const base = visit * this.width;
    const size = this.size[visit]!;
    let readyAt = space.ready[this.jobs[base]!]!;
    for (let i = 1; i < size; i++) readyAt = this.bothReady(readyAt, this.jobs[base + i]!);
    const pickup = expectedPickup(this.arrival[visit]! + this.#half, readyAt, this.spread);
    this.readyAt[visit] = readyAt;
    this.pickup[visit] = pickup;
    let time = pickup + this.#half;
    let cost = 0;
    for (let i = 0; i < size; i++) {
      const job = this.jobs[base + i]!;
      const straight = space.counterToDoor(vehicle, job);
      const way = i === 0 ? straight : space.doorToDoor(vehicle, this.jobs[base + i - 1]!, job);
      time += way + serviceMs;
      cost += time - this.#half - (space.ready[job]! + serviceMs + straight) + this.drivingWeight * way;
    }
    this.end[visit] = time;
    return cost;
  }

  /** As position `at` of visit k, or as a visit of its own before visit k (`at` = −1). The caller evaluates. */
  put(d: number, k: number, at: number, job: number): void {
    const base = d * this.visitsMax;
    this.driverOf[job] = d;
    if (at < 0) {
      const length = this.length[d]!++;
      this.size.copyWithin(base + k + 1, base + k, base + length);
      this.jobs.copyWithin((base + k + 1) * this.width, (base + k) * this.width, (base + length) * this.width);
      this.size[base + k] = 1;
      this.jobs[(base + k) * this.width] = job;
      return;
    }
    const start = (base + k) * this.width;
    const size = this.size[base + k]!++;
    this.jobs.copyWithin(start + at + 1, start + at, start + size);
    this.jobs[start + at] = job;
  }

  /** Out of its driver's plan. The caller evaluates. */
  take(job: number): void {
    const d = this.driverOf[job]!;
    this.driverOf[job] = -1;
    const base = d * this.visitsMax;
    const length = this.length[d]!;
    for (let k = 0; k < length; k++) {
      const start = (base + k) * this.width;
      const size = this.size[base + k]!;
      const at = this.jobs.subarray(start, start + size).indexOf(job);
      if (at < 0) continue;
      this.jobs.copyWithin(start + at, start + at + 1, start + size);
      this.size[base + k] = size - 1;
      if (size > 1) return;
      this.size.copyWithin(base + k, base + k + 1, base + length);
      this.jobs.copyWithin(start, start + this.width, (base + length) * this.width);
      this.length[d] = length - 1;
      return;
    }
  }
}
