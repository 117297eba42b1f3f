import type { Routes } from "./routes.ts";

/** Plans as they were before a try, so that a try that does not pay leaves no trace. */
export class RouteBackup {
  readonly #routes: Routes;
  readonly #kept: Int32Array;
  readonly #mark: Int32Array;
  readonly #length: Int32Array;
  readonly #planned: Int32Array;
  readonly #cost: Float64Array;
  readonly #size: Int32Array;
  readonly #jobs: Int32Array;
  readonly #times: Float64Array;
  #count = 0;
  #round = 0;

  constructor(routes: Routes) {
    const drivers = routes.length.length;
    this.#routes = routes;
    this.#kept = new Int32Array(drivers);
    this.#mark = new Int32Array(drivers);
    this.#length = new Int32Array(drivers);
    this.#planned = new Int32Array(drivers);
    this.#cost = new Float64Array(drivers);
    this.#size = new Int32Array(routes.size.length);
    this.#jobs = new Int32Array(routes.jobs.length);
    this.#times = new Float64Array(routes.size.length * 5);
  }

  begin(): void {
    this.#count = 0;
    this.#round += 1;
  }

  /** Before a driver's plan is changed; a second time it changes nothing. */
  keep(d: number): void {
    if (this.#mark[d] === this.#round) return;
    this.#mark[d] = this.#round;
    this.#kept[this.#count++] = d;
    const routes = this.#routes;
    const { visitsMax, width } = routes;
    const length = routes.length[d]!;
    const base = d * visitsMax;
    this.#length[d] = length;
    this.#planned[d] = routes.planned[d]!;
    this.#cost[d] = routes.cost[d]!;
    for (let visit = base; visit < base + length; visit++) {
      this.#size[visit] = routes.size[visit]!;
      const at = visit * 5;
      this.#times[at] = routes.arrival[visit]!;
      this.#times[at + 1] = routes.pickup[visit]!;
      this.#times[at + 2] = routes.readyAt[visit]!;
      this.#times[at + 3] = routes.end[visit]!;
      this.#times[at + 4] = routes.before[visit]!;
      for (let i = visit * width; i < visit * width + width; i++) this.#jobs[i] = routes.jobs[i]!;
    }
  }

  /** What the kept plans cost now less what they did: to be kept if it is not more. */
  difference(): number {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) {
      const d = this.#kept[i]!;
      sum += this.#routes.cost[d]! - this.#cost[d]!;
    }
    return sum;
  }

  /** Undoes everything since `begin`; the drivers of jobs that were taken out and are in no kept plan stay as they are. */
  restore(): void {
    const routes = this.#routes;
    const { visitsMax, width } = routes;
    const { open } = routes.space;
    for (let n = 0; n < this.#count; n++) {
      const d = this.#kept[n]!;
      const base = d * visitsMax;
      const length = this.#length[d]!;
      routes.length[d] = length;
      routes.planned[d] = this.#planned[d]!;
      routes.cost[d] = this.#cost[d]!;
      for (let visit = base; visit < base + length; visit++) {
        const size = (routes.size[visit] = this.#size[visit]!);
        const at = visit * 5;
        routes.arrival[visit] = this.#times[at]!;
        routes.pickup[visit] = this.#times[at + 1]!;
        routes.readyAt[visit] = this.#times[at + 2]!;
        routes.end[visit] = this.#times[at + 3]!;
        routes.before[visit] = this.#times[at + 4]!;
        for (let i = visit * width; i < visit * width + size; i++) {
          const job = (routes.jobs[i] = this.#jobs[i]!);
          if (job < open) routes.driverOf[job] = d;
        }
      }
    }
  }
}
