/** The baseline: the most urgent job first, each to the nearest free driver who can be there within his shift. No bundles. */
import type { KnownDriver, Match, MatchingProblem, OpenJob, Policy } from "../policy.ts";
import { FreeDrivers, byId, mayServe, pickupAt, startsAt, valuesOf, visitPlan, withinShift } from "./pairing.ts";

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
    const free = new FreeDrivers(problem);
    const nearestTo = (job: OpenJob): Pair | undefined => {
      const usable = (driver: KnownDriver): boolean => !taken.has(driver.driverId) && mayServe(driver, job);
      return nearestOf(problem, job, free.near(job.content.pickup, candidates, usable));
    };
    const pairs: Pair[] = [];
    for (const job of problem.jobs) {
      if (job.content.readyAt > problem.now + horizonMs) continue;
      const pair = nearestTo(job);
      if (pair !== undefined && pair.slackMs <= marginMs) pairs.push(pair);
    }
    pairs.sort((a, b) => a.slackMs - b.slackMs || byId(a.job.jobId, b.job.jobId));
    const matches: Match[] = [];
    for (const first of pairs) {
      const pair = taken.has(first.driver.driverId) ? nearestTo(first.job) : first;
      if (pair === undefined) continue;
      const { job, driver, slackMs, travelMs } = pair;
      taken.add(driver.driverId);
      const pickupEta = problem.now + travelMs;
      matches.push({ driverId: driver.driverId, jobIds: [job.jobId], plan: visitPlan([job]), slackMs, pickupEta });
    }
    return matches;
  },
};

function nearestOf(problem: MatchingProblem, job: OpenJob, drivers: readonly KnownDriver[]): Pair | undefined {
  const { now, travel } = problem;
  const { pickup, readyAt } = job.content;
  let best: KnownDriver | undefined;
  let least = Infinity;
  for (const driver of drivers) {
    const travelMs = travel.travelMs(driver.position, pickup, driver.vehicle);
    if (travelMs > least || (travelMs === least && best !== undefined && byId(best.driverId, driver.driverId) <= 0)) continue;
    const arrivesAt = startsAt(driver, now, travel.serviceMs) + travelMs;
    if (!withinShift(driver, pickupAt(arrivesAt, readyAt, travel.serviceMs))) continue;
    best = driver;
    least = travelMs;
  }
  return best === undefined ? undefined : { job, driver: best, travelMs: least, slackMs: readyAt - now - least };
}
