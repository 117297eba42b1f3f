/** The search of one tick: last tick's plans, what is new put in, then better and better for as long as the budget lasts. */
import { Insertion } from "./insertion.ts";
import type { Budget } from "./insertion.ts";
import type { OpenPlanValues } from "./parameters.ts";
import type { PlanMemory } from "./plan-memory.ts";
import { Routes } from "./routes.ts";
import { ruinAndRecreate } from "./ruin-and-recreate.ts";
import type { SearchSpace } from "./search-space.ts";
import { SmallRandom } from "./small-random.ts";
import { TailSwaps } from "./tail-swaps.ts";

export function searchPlans(space: SearchSpace, memory: PlanMemory, values: OpenPlanValues, seed: number): Routes {
  const routes = new Routes(space, values);
  const budget: Budget = { steps: values.stepsMax };
  const insertion = new Insertion(routes, budget);
  // What has passed already is lost with a driver or without: who waits long must not become too dear for anybody.
  const alone = Float64Array.from(space.jobs, (_, job) => values.aloneMs + Math.max(0, -space.ready[job]!));
  if (values.keepsPlans > 0) recall(routes, memory);
  // By the time at which they are ready: where the steps do not last for all, the most urgent are planned, one at least.
  for (let job = 0, tried = 0; job < space.open && (tried === 0 || budget.steps > 0); job++) {
    if (routes.driverOf[job]! >= 0) continue;
    tried += 1;
    if (insertion.find(job, alone[job]!)) insertion.apply(job);
  }
  const swaps = new TailSwaps(routes, budget);
  for (let pass = 0; pass < values.passes && budget.steps > 0; pass++) {
    const moved = moveEach(routes, insertion, alone, budget);
    const swapped = swaps.pass();
    if (!moved && !swapped) break;
  }
  ruinAndRecreate({ routes, insertion, random: new SmallRandom(seed), budget, values, alone });
  return routes;
}

/** Last tick's plans, without what is gone and what became impossible. */
function recall(routes: Routes, memory: PlanMemory): void {
  const { space, visitsMax } = routes;
  const indexOf = new Map(space.jobs.map(({ jobId }, job) => [jobId, job]));
  for (let d = 0; d < space.slots.length; d++) {
    const remembered = memory.of(space.slots[d]!.driver.driverId);
    if (remembered === undefined) continue;
    const first = routes.first(d);
    for (const visit of [remembered.joins, ...remembered.visits]) {
      const heading = first === 1 && visit === remembered.joins;
      let k = heading ? 0 : -1;
      for (const jobId of visit) {
        const job = indexOf.get(jobId);
        if (job === undefined || routes.driverOf[job]! >= 0 || !space.mayServe(d, job)) continue;
        if (k >= 0) {
          const base = d * visitsMax + k;
          if (routes.placeOf(base) !== space.place[job]! || routes.size[base]! >= space.bundleMax[d]!) continue;
          if (!space.places[space.place[job]]!.shared) continue;
          routes.put(d, k, routes.size[base]!, job);
        } else {
          k = routes.length[d]!;
          if (k - first >= visitsMax - 1) break;
          routes.put(d, k, -1, job);
        }
        if (routes.evaluate(d) < Infinity) continue;
        if (routes.size[d * visitsMax + k] === 1) k = -1;
        routes.take(job);
        routes.evaluate(d);
      }
    }
  }
}

/** Each job out of its plan and back at its best place; whether anything became better. */
function moveEach(routes: Routes, insertion: Insertion, alone: Float64Array, budget: Budget): boolean {
  let better = false;
  for (let job = 0; job < routes.space.open && budget.steps > 0; job++) {
    const d = routes.driverOf[job]!;
    if (d < 0) {
      if (!insertion.find(job, alone[job]!)) continue;
      insertion.apply(job);
      better = true;
      continue;
    }
    const place = whereIs(routes, d, job);
    const before = routes.cost[d]!;
    routes.take(job);
    const gain = before - routes.evaluate(d);
    if (insertion.find(job, gain - 1)) {
      insertion.apply(job);
      better = true;
    } else {
      routes.put(d, place.k, place.at, job);
      routes.evaluate(d);
    }
  }
  return better;
}

/** As `put` takes it. */
function whereIs(routes: Routes, d: number, job: number): { readonly k: number; readonly at: number } {
  const { visitsMax, width, size, jobs, length } = routes;
  for (let k = 0; k < length[d]!; k++) {
    const visit = d * visitsMax + k;
    for (let at = 0; at < size[visit]!; at++) {
      if (jobs[visit * width + at] === job) return { k, at: size[visit] === 1 ? -1 : at };
    }
  }
  throw new RangeError(`job ${job} is not in the plan of driver ${d}`);
}
