/** The cheapest place for a job in all open plans. Only what could beat the best so far is worked out to its end. */
import { expectedPickup } from "./ready-times.ts";
import type { Routes } from "./routes.ts";
import type { SearchSpace } from "./search-space.ts";
import type { SmallRandom } from "./small-random.ts";

/** How much may still be looked at in this tick. */
export interface Budget {
  steps: number;
}

/** Where ready times are not exact, a delay never ends: below it, it is not followed to the plan's end. */
const SLIGHT_MS = 500;

export class Insertion {
  /** Where `find` found it: driver (−1: nowhere), visit, position in it (−1: a visit of its own), and what it adds to the cost. */
  driver = -1;
  visit = 0;
  position = -1;
  added = Infinity;
  readonly #routes: Routes;
  readonly #space: SearchSpace;
  readonly #budget: Budget;
  readonly #planMax: number;
  readonly #slight: number;
  #blink = 0;
  #random: SmallRandom | undefined;

  constructor(routes: Routes, budget: Budget) {
    this.#routes = routes;
    this.#space = routes.space;
    this.#budget = budget;
    this.#planMax = routes.visitsMax - 1;
    this.#slight = routes.spread > 0 ? SLIGHT_MS : 0;
  }

  /** Below `limit`; with `random` each place that would be the best is passed over with the probability `blink`. */
  find(job: number, limit: number, blink = 0, random?: SmallRandom): boolean {
    const space = this.#space;
    const { length } = this.#routes;
    const drivers = length.length;
    this.driver = -1;
    this.added = limit;
    this.#blink = blink;
    this.#random = random;
    for (let d = 0; d < drivers; d++) if (length[d]! > 0 && space.mayServe(d, job)) this.#inDriver(d, job);
    this.#asFirst(job);
    return this.driver >= 0;
  }

  /** Of those without a plan the nearest first: who is further away than is worth it ends the search. */
  #asFirst(job: number): void {
    const space = this.#space;
    const { length, drivingWeight } = this.#routes;
    const place = space.place[job]!;
    const late = space.serviceMs / 2 - space.ready[job]!;
    const gainMax = this.#routes.endingMax;
    for (const d of space.driversByWay(place)) {
      const way = space.startToPlace(d, place);
      this.#budget.steps -= 1;
      if (drivingWeight * way + Math.max(0, way + late) - gainMax >= this.added) return;
      if (length[d]! <= 0 && space.mayServe(d, job)) this.#inDriver(d, job);
    }
  }

  /** Puts it where it was found. */
  apply(job: number): void {
    this.#routes.put(this.driver, this.visit, this.position, job);
    this.#routes.evaluate(this.driver);
  }

  #inDriver(d: number, job: number): void {
    const routes = this.#routes;
    const space = this.#space;
    const half = space.serviceMs / 2;
    const length = routes.length[d]!;
    const place = space.place[job]!;
    const ready = space.ready[job]!;
    const pay = space.payStep[d]! * (2 * (space.served[d]! + routes.planned[d]!) + 1);
    const gain = routes.endingOf(d, routes.lastBefore(d, length));
    if (pay - gain >= this.added) return;
    this.#budget.steps -= length;
    const first = routes.first(d);
    const base = d * routes.visitsMax;
    const shared = space.places[place]!.shared;
    for (let k = 0; k <= length; k++) {
      if (k < length && shared && routes.placeOf(base + k) === place && routes.size[base + k]! < space.bundleMax[d]!)
        this.#inVisit(d, k, job, pay);
      if (k < first || length - first >= this.#planMax) continue;
      const leaves = routes.leaves(d, k);
      if (pay - gain + leaves + half - ready >= this.added || leaves + half > space.shiftEnd[d]!) return;
      const way = routes.way(d, k, place);
      const pickup = expectedPickup(leaves + way + half, ready, routes.spread);
      if (pickup > space.shiftEnd[d]!) continue;
      const straight = space.counterToDoor(space.vehicle[d]!, job);
      let added = pay + pickup - ready + routes.drivingWeight * (way + straight);
      if (k < length) {
        const nextPlace = routes.placeOf(base + k);
        const on = space.doorToPlace(space.vehicle[d]!, job, nextPlace);
        added += routes.drivingWeight * (on - routes.way(d, k, nextPlace));
        if (added >= this.added) continue;
        added += this.#delay(d, k, pickup + half + straight + space.serviceMs + on, this.added - added);
      } else {
        added += routes.endingOf(d, job) - routes.endingOf(d, routes.lastBefore(d, k));
      }
      if (added < this.added) this.#better(d, k, -1, added);
    }
  }

  /** Into a visit to the same place, at each position. */
  #inVisit(d: number, k: number, job: number, pay: number): void {
    const routes = this.#routes;
    const space = this.#space;
    const { serviceMs } = space;
    const half = serviceMs / 2;
    const visit = d * routes.visitsMax + k;
    const base = visit * routes.width;
    const size = routes.size[visit]!;
    const vehicle = space.vehicle[d]!;
    const weight = routes.drivingWeight;
    const readyAt = routes.bothReady(routes.readyAt[visit]!, job);
    const pickup = expectedPickup(routes.arrival[visit]! + half, readyAt, routes.spread);
    if (pickup > space.shiftEnd[d]!) return;
    const straight = space.counterToDoor(vehicle, job);
    const later = pickup - routes.pickup[visit]!;
    const own = space.ready[job]! + serviceMs + straight;
    this.#budget.steps -= size;
    let time = pickup + half;
    let last = -1;
    for (let at = 0; at <= size; at++) {
      const next = at < size ? routes.jobs[base + at]! : -1;
      const to = last < 0 ? straight : space.doorToDoor(vehicle, last, job);
      const on = next < 0 ? 0 : space.doorToDoor(vehicle, job, next);
      const direct = next < 0 ? 0 : last < 0 ? space.counterToDoor(vehicle, next) : space.doorToDoor(vehicle, last, next);
      // Those after it wait for its way and its service, all of them for a later pickup.
      const detour = to + on - direct + serviceMs;
      let added = pay + time + to + half - own + later * size + detour * (size - at) + weight * (to + on - direct);
      if (added < this.added && k + 1 < routes.length[d]!) {
        const end = routes.end[visit]! + later + detour;
        const nextPlace = routes.placeOf(visit + 1);
        const way = space.doorToPlace(vehicle, next < 0 ? job : routes.lastJobOf(visit), nextPlace);
        added += weight * (way - routes.way(d, k + 1, nextPlace));
        added += this.#delay(d, k + 1, end + way, this.added - added);
      }
      if (next < 0 && k + 1 === routes.length[d]) added += routes.endingOf(d, job) - routes.endingOf(d, last);
      if (added < this.added) this.#better(d, k, at, added);
      time += direct + serviceMs;
      last = next;
    }
  }

  /** What it costs the visits from k on to be reached at `arrival`; Infinity if above `limit` or after the shift. */
  #delay(d: number, k: number, arrival: number, limit: number): number {
    const routes = this.#routes;
    const half = this.#space.serviceMs / 2;
    const base = d * routes.visitsMax;
    const length = routes.length[d]!;
    const shiftEnd = this.#space.shiftEnd[d]!;
    let cost = 0;
    let reached = arrival;
    for (let visit = base + k; visit < base + length; visit++) {
      this.#budget.steps -= 1;
      const pickup = expectedPickup(reached + half, routes.readyAt[visit]!, routes.spread);
      const later = pickup - routes.pickup[visit]!;
      if (later >= 0 && later <= this.#slight) return cost;
      if (pickup > shiftEnd) return Infinity;
      cost += later * routes.size[visit]!;
      if (cost >= limit) return Infinity;
      if (visit + 1 < base + length) reached = routes.arrival[visit + 1]! + later;
    }
    return cost;
  }

  #better(d: number, k: number, at: number, added: number): void {
    if (this.#random !== undefined && this.#random.next() < this.#blink) return;
    this.driver = d;
    this.visit = k;
    this.position = at;
    this.added = added;
  }
}
