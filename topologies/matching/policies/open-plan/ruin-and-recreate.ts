/** Takes out some jobs that are near each other in place and time, puts them back in any order, keeps what is not worse. */
import type { Insertion } from "./insertion.ts";
import type { Budget } from "./insertion.ts";
import type { OpenPlanValues } from "./parameters.ts";
import { RouteBackup } from "./route-backup.ts";
import type { Routes } from "./routes.ts";
import type { SmallRandom } from "./small-random.ts";

interface Search {
  readonly routes: Routes;
  readonly insertion: Insertion;
  readonly random: SmallRandom;
  readonly budget: Budget;
  readonly values: OpenPlanValues;
  /** What a job costs that nobody takes. */
  readonly alone: Float64Array;
}

/** As many tries as the budget allows. */
export function ruinAndRecreate({ routes, insertion, random, budget, values, alone }: Search): void {
  const { open } = routes.space;
  if (open === 0) return;
  const backup = new RouteBackup(routes);
  const out = new Int32Array(Math.min(open, Math.max(1, values.ruined)));
  const nearness = new Float64Array(open);
  const left = new Int32Array(out.length);
  for (let attempt = 0; attempt < values.tries && budget.steps > 0; attempt++) {
    backup.begin();
    const count = choose(routes, random, nearness, out);
    let change = 0;
    for (let i = 0; i < count; i++) {
      const job = out[i]!;
      left[i] = routes.driverOf[job]!;
      if (left[i]! < 0) change -= alone[job]!;
      else {
        backup.keep(left[i]!);
        routes.take(job);
      }
    }
    for (let i = 0; i < count; i++) if (left[i]! >= 0) routes.evaluate(left[i]!);
    for (let i = 0; i < count; i++) {
      const job = out[i]!;
      if (!insertion.find(job, alone[job]!, values.blink, random)) {
        change += alone[job]!;
        continue;
      }
      backup.keep(insertion.driver);
      insertion.apply(job);
    }
    change += backup.difference();
    if (change <= 1e-6) continue;
    for (let i = 0; i < count; i++) routes.driverOf[out[i]!] = -1;
    backup.restore();
  }
}

/** Any job and those most like it, in any order. */
function choose(routes: Routes, random: SmallRandom, nearness: Float64Array, out: Int32Array): number {
  const { space } = routes;
  const { open } = space;
  const seed = random.below(open);
  const place = space.place[seed]!;
  const ready = space.ready[seed]!;
  for (let job = 0; job < open; job++) {
    const apart = space.placeToPlace(place, space.place[job]!) + Math.abs(space.ready[job]! - ready);
    nearness[job] = (apart + 60_000) * (0.5 + random.next());
  }
  nearness[seed] = -1;
  const count = out.length;
  for (let i = 0; i < count; i++) {
    let nearest = 0;
    for (let job = 1; job < open; job++) if (nearness[job]! < nearness[nearest]!) nearest = job;
    nearness[nearest] = Infinity;
    // Shuffled as it fills.
    const at = random.below(i + 1);
    out[i] = out[at]!;
    out[at] = nearest;
  }
  return count;
}
