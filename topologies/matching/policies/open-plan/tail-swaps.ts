/** Two drivers exchange what their plans hold from some visit on. */
import type { Budget } from "./insertion.ts";
import { expectedPickup } from "./ready-times.ts";
import type { Routes } from "./routes.ts";

export class TailSwaps {
  readonly #routes: Routes;
  readonly #budget: Budget;
  readonly #sizes: Int32Array;
  readonly #jobs: Int32Array;

  constructor(routes: Routes, budget: Budget) {
    this.#routes = routes;
    this.#budget = budget;
    this.#sizes = new Int32Array(routes.visitsMax);
    this.#jobs = new Int32Array(routes.visitsMax * routes.width);
  }

  /** All pairs once, the best exchange of each at once; whether anything became better. */
  pass(): boolean {
    const { length, space } = this.#routes;
    const drivers = space.slots.length;
    let better = false;
    for (let a = 0; a < drivers; a++) {
      for (let b = a + 1; b < drivers && length[a]! > 0; b++) if (this.#pair(a, b)) better = true;
      for (let b = a + 1; b < drivers && length[a]! <= 0; b++) if (length[b]! > 0 && this.#pair(b, a)) better = true;
      if (this.#budget.steps <= 0) break;
    }
    return better;
  }

  #pair(a: number, b: number): boolean {
    const routes = this.#routes;
    const [firstA, firstB] = [routes.first(a), routes.first(b)];
    const [lengthA, lengthB] = [routes.length[a]!, routes.length[b]!];
    const now = routes.cost[a]! + routes.cost[b]!;
    let best = now - 1;
    let cutA = -1;
    let cutB = -1;
    for (let i = firstA; i <= lengthA; i++) {
      for (let j = firstB; j <= lengthB; j++) {
        if (i === lengthA && j === lengthB) continue;
        if (i + lengthB - j >= routes.visitsMax || j + lengthA - i >= routes.visitsMax) continue;
        const before = this.#before(a, i) + this.#before(b, j);
        if (before >= best) continue;
        const newA = this.#joined(a, i, b, j, best - this.#before(b, j));
        if (newA === Infinity) continue;
        const total = newA + this.#joined(b, j, a, i, best - newA);
        if (total >= best) continue;
        best = total;
        cutA = i;
        cutB = j;
      }
    }
    if (cutA < 0) return false;
    this.#exchange(a, cutA, b, cutB);
    return true;
  }

  #before(d: number, k: number): number {
    const routes = this.#routes;
    if (k === 0) return 0;
    if (k < routes.length[d]!) return routes.before[d * routes.visitsMax + k]!;
    return routes.cost[d]! - routes.payOf(d, routes.planned[d]!) - routes.endingOf(d, routes.lastBefore(d, k));
  }

  /** Cost of d's visits before i followed by e's from j on; Infinity if above the limit or impossible. */
  #joined(d: number, i: number, e: number, j: number, limit: number): number {
    const routes = this.#routes;
    const { space, width, visitsMax } = routes;
    const { serviceMs } = space;
    const half = serviceMs / 2;
    const vehicle = space.vehicle[d]!;
    const bundleMax = space.bundleMax[d]!;
    let cost = this.#before(d, i);
    let time = routes.leaves(d, i);
    let last = -1;
    let moved = 0;
    const end = e * visitsMax + routes.length[e]!;
    for (let visit = e * visitsMax + j; visit < end; visit++) {
      this.#budget.steps -= 1;
      const size = routes.size[visit]!;
      if (size > bundleMax) return Infinity;
      const place = routes.placeOf(visit);
      const way = last < 0 ? routes.way(d, i, place) : space.doorToPlace(vehicle, last, place);
      const pickup = expectedPickup(time + way + half, routes.readyAt[visit]!, routes.spread);
      if (pickup > space.shiftEnd[d]!) return Infinity;
      cost += routes.drivingWeight * way;
      time = pickup + half;
      for (let at = visit * width; at < visit * width + size; at++) {
        const job = routes.jobs[at]!;
        if (!space.mayServe(d, job)) return Infinity;
        const straight = space.counterToDoor(vehicle, job);
        const leg = at === visit * width ? straight : space.doorToDoor(vehicle, routes.jobs[at - 1]!, job);
        time += leg + serviceMs;
        cost += time - half - (space.ready[job]! + serviceMs + straight) + routes.drivingWeight * leg;
        last = job;
      }
      moved += size;
      if (cost >= limit) return Infinity;
    }
    cost += routes.endingOf(d, last < 0 ? routes.lastBefore(d, i) : last);
    if (space.payStep[d]! <= 0) return cost;
    let kept = 0;
    for (let visit = d * visitsMax + routes.first(d); visit < d * visitsMax + i; visit++) kept += routes.size[visit]!;
    if (routes.first(d) > 0) kept += routes.size[d * visitsMax]! - space.headJobs[d]!.length;
    return cost + routes.payOf(d, kept + moved);
  }

  #exchange(a: number, i: number, b: number, j: number): void {
    const routes = this.#routes;
    const { width, visitsMax, size, jobs, length } = routes;
    const [fromA, endA] = [a * visitsMax + i, a * visitsMax + length[a]!];
    const [fromB, endB] = [b * visitsMax + j, b * visitsMax + length[b]!];
    const tail = endA - fromA;
    for (let n = 0; n < tail; n++) this.#sizes[n] = size[fromA + n]!;
    for (let n = 0; n < tail * width; n++) this.#jobs[n] = jobs[fromA * width + n]!;
    size.copyWithin(fromA, fromB, endB);
    jobs.copyWithin(fromA * width, fromB * width, endB * width);
    for (let n = 0; n < tail; n++) size[fromB + n] = this.#sizes[n]!;
    for (let n = 0; n < tail * width; n++) jobs[fromB * width + n] = this.#jobs[n]!;
    length[a] = i + endB - fromB;
    length[b] = j + tail;
    for (const [d, from] of [
      [a, fromA],
      [b, fromB],
    ] as const) {
      for (let visit = from; visit < d * visitsMax + length[d]!; visit++)
        for (let at = visit * width; at < visit * width + size[visit]!; at++) routes.driverOf[jobs[at]!] = d;
      routes.evaluate(d);
    }
  }
}
