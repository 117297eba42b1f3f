/** The baseline: the most urgent job first, each to the nearest free driver who can be there within his shift. No bundles. */
import type { KnownDriver, Match, MatchingProblem, OpenJob, Policy } from "../policy.ts";
import { byId, isFree, mayServe, nearbyWho, pickupAt, startsAt, valuesOf, visitPlan, withinShift } from "./pairing.ts";

const parameters = {
  marginMs: {
    default: 180_000,
    unit: "ms",
    source: "half the service at the counter, and one tick of a minute so that a driver is never sent late for want of a tick",
  },
  horizonMs: { default: 3_600_000, unit: "ms", source: "no driver of a dispatch cell drives longer than an hour to a pickup" },
  candidates: {
    default: 8,
    unit: "drivers",
    source: "rings are only roughly in order of travel time: the nearest of eight is compared exactly",
  },
} as const;

interface Pair {
  readonly job: OpenJob;
  readonly driver: KnownDriver;
  readonly travelMs: number;
  readonly slackMs: number;
}

/** Greedy; a job waits while its slack is above the margin. */
export const nearest: Policy = {
  name: "nearest",
  parameters,
  match(problem: MatchingProblem): readonly Match[] {
    const { marginMs, horizonMs, candidates } = valuesOf(parameters, problem.parameters);
    const taken = new Set<string>();
    const pairs: Pair[] = [];
    for (const job of problem.jobs) {
      if (job.content.readyAt > problem.now + horizonMs) continue;
      const pair = nearestTo(problem, job, taken, candidates);
      if (pair !== undefined && pair.slackMs <= marginMs) pairs.push(pair);
    }
    pairs.sort((a, b) => a.slackMs - b.slackMs || byId(a.job.jobId, b.job.jobId));
    const matches: Match[] = [];
    for (const first of pairs) {
      const pair = taken.has(first.driver.driverId) ? nearestTo(problem, first.job, taken, candidates) : first;
      if (pair === undefined) continue;
      taken.add(pair.driver.driverId);
      matches.push({
        driverId: pair.driver.driverId,
        jobIds: [pair.job.jobId],
        plan: visitPlan([pair.job]),
        slackMs: pair.slackMs,
        pickupEta: problem.now + pair.travelMs,
      });
    }
    return matches;
  },
};

function nearestTo(problem: MatchingProblem, job: OpenJob, taken: ReadonlySet<string>, candidates: number): Pair | undefined {
  const { now, travel } = problem;
  const { pickup, readyAt } = job.content;
  const usable = (driver: KnownDriver): boolean => isFree(driver) && !taken.has(driver.driverId) && mayServe(driver, job);
  let best: KnownDriver | undefined;
  let least = Infinity;
  for (const driver of nearbyWho(problem, pickup, candidates, usable)) {
    const travelMs = travel.travelMs(driver.position, pickup, driver.vehicle);
    if (travelMs > least || (travelMs === least && best !== undefined && byId(best.driverId, driver.driverId) <= 0)) continue;
    if (!withinShift(driver, pickupAt(startsAt(driver, now, travel.serviceMs) + travelMs, readyAt, travel.serviceMs))) continue;
    best = driver;
    least = travelMs;
  }
  return best === undefined ? undefined : { job, driver: best, travelMs: least, slackMs: readyAt - now - least };
}
