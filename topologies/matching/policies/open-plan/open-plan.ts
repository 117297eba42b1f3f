/**
 * Every driver has an open plan of several visits, kept from tick to tick and searched as a whole: insertion, moves, exchanged
 * tails, ruin and recreate. Proposed is only what must start now, so a plan stays open for as long as it can.
 */
import type { KnownDriver, Match, MatchingProblem, Policy, Remembered } from "../../policy.ts";
import { byId, isFree, visitPlan } from "../pairing.ts";
import { learnDemand } from "./demand.ts";
import { openPlanParameters, openPlanValues } from "./parameters.ts";
import type { OpenPlanValues } from "./parameters.ts";
import { PlanMemory } from "./plan-memory.ts";
import type { RememberedDriver } from "./plan-memory.ts";
import type { Routes } from "./routes.ts";
import { searchPlans } from "./search.ts";
import { SearchSpace } from "./search-space.ts";
import { chooseMoves } from "./waiting-places.ts";
import type { Idle } from "./waiting-places.ts";

/** Deterministic by the problem's seed; the search ends after a number of steps, never by a clock. */
export const openPlan: Policy = {
  name: "open-plan",
  parameters: openPlanParameters,
  match: (problem) => plan(problem).matches,
  matchRemembering: plan,
};

function plan(asked: MatchingProblem): Remembered {
  const values = openPlanValues(asked.parameters);
  const problem = values.quantumMs === 1 ? asked : inQuanta(asked, values.quantumMs);
  const memory = PlanMemory.parse(problem.memory);
  const space = new SearchSpace(problem, memory, values);
  if (space.open === 0 || space.slots.length === 0) return { matches: [], memory: problem.memory };
  const demand = learnDemand(memory.demand, problem.jobs, problem.now, values.keptPerMinute);
  const routes = searchPlans(space, memory, values, problem.seed ?? 0);
  const matches: Match[] = [];
  const next = new Map<string, RememberedDriver>();
  for (let d = 0; d < space.slots.length; d++) {
    const { match, remembered } = decide(routes, d, memory, values);
    if (match !== undefined) matches.push(match);
    if (remembered !== undefined) next.set(remembered.driverId, remembered);
  }
  // Who was asked, or is not near enough to anything now, is remembered as he was.
  for (const { driverId } of problem.drivers) {
    const before = memory.of(driverId);
    if (before !== undefined && !next.has(driverId)) next.set(driverId, { ...before, joins: [], visits: [] });
  }
  matches.sort((a, b) => byId(a.driverId, b.driverId));
  const span = (time: number): number => Math.floor(time / Math.max(1, values.moveEveryMs));
  const due = span(problem.now) !== span(memory.demand.until);
  const moves = due ? chooseMoves(idleDrivers(problem, routes, memory, matches, values), demand, problem, values) : [];
  for (const { driverId, to, arrivesAt } of moves) {
    const before =
      next.get(driverId) ??
      untouched(
        problem.drivers.find((driver) => driver.driverId === driverId)!,
        memory,
        problem.now,
      );
    next.set(driverId, { ...before, moving: { arrivesAt, latitude: to.latitude, longitude: to.longitude } });
  }
  const drivers = [...next.values()].sort((a, b) => byId(a.driverId, b.driverId));
  return { matches, moves, memory: new PlanMemory(drivers, demand).text() };
}

function untouched(driver: KnownDriver, memory: PlanMemory, now: number): RememberedDriver {
  const { driverId } = driver;
  const since = memory.presentSince(driver, now);
  return { driverId, since, served: memory.servedBy(driverId), heading: null, moving: null, joins: [], visits: [] };
}

/** Those without work and without a plan, and those under way to wait somewhere. */
function idleDrivers(
  problem: MatchingProblem,
  routes: Routes,
  memory: PlanMemory,
  matches: readonly Match[],
  values: OpenPlanValues,
): Idle[] {
  if (values.movesMax <= 0) return [];
  const busy = new Set(matches.map(({ driverId }) => driverId));
  const { slots } = routes.space;
  for (let d = 0; d < slots.length; d++) if (routes.length[d]! > 0) busy.add(slots[d]!.driver.driverId);
  const idle: Idle[] = [];
  for (const driver of problem.drivers) {
    if (!isFree(driver) || busy.has(driver.driverId)) continue;
    const moving = memory.movingOf(driver);
    if (moving !== null && moving.arrivesAt > problem.now) idle.push({ driver, movable: false, at: moving });
    else {
      const movable = driver.shiftEndsAt === null || driver.shiftEndsAt - problem.now > values.moveShiftMs;
      idle.push({ driver, movable, at: moving ?? driver.position });
    }
  }
  return idle;
}

/** As drivers see it who act at multiples of a quantum. */
function inQuanta(problem: MatchingProblem, quantumMs: number): MatchingProblem {
  const floor = (time: number): number => Math.floor(time / quantumMs) * quantumMs;
  const drivers = problem.drivers.map((driver) => (driver.toldAt === undefined ? driver : { ...driver, toldAt: floor(driver.toldAt) }));
  return { ...problem, now: floor(problem.now), drivers };
}

interface Decision {
  readonly match: Match | undefined;
  readonly remembered: RememberedDriver | undefined;
}

/** What of a driver's plan must start now, and what stays open. */
function decide(routes: Routes, d: number, memory: PlanMemory, values: OpenPlanValues): Decision {
  const { space } = routes;
  const { driver } = space.slots[d]!;
  const visits: string[][] = [];
  for (let k = 0; k < routes.length[d]!; k++)
    visits.push(openJobsOf(routes, d * routes.visitsMax + k).map((job) => space.jobs[job]!.jobId));
  const heading = space.headPlace[d]! >= 0;
  const joins = heading ? visits.shift()! : [];
  const match = heading ? joinNow(routes, d, values) : setOutNow(routes, d, values);
  if (match !== undefined && !heading) visits.shift();
  const since = memory.presentSince(driver, space.now);
  const served = space.served[d]! + (match?.jobIds.length ?? 0);
  const { latitude, longitude } = driver.position;
  const arrivesAt = match?.pickupEta ?? (heading ? space.headArrival[d]! + space.now : undefined);
  const under = arrivesAt === undefined ? null : { arrivesAt, latitude, longitude };
  const remembered = {
    driverId: driver.driverId,
    since,
    served,
    heading: under,
    moving: match === undefined ? memory.movingOf(driver) : null,
    joins: match === undefined ? joins : [],
    visits,
  };
  const nothing =
    under === null && visits.length === 0 && remembered.moving === null && remembered.joins.length === 0 && space.payStep[d] === 0;
  return { match, remembered: nothing ? undefined : remembered };
}

function openJobsOf(routes: Routes, visit: number): number[] {
  const start = visit * routes.width;
  return Array.from(routes.jobs.subarray(start, start + routes.size[visit]!)).filter((job) => job < routes.space.open);
}

/** Of a free driver: his first visit, once he would otherwise be late. */
function setOutNow(routes: Routes, d: number, { marginMs }: OpenPlanValues): Match | undefined {
  const { space } = routes;
  const visit = d * routes.visitsMax;
  if (!space.slots[d]!.free || routes.length[d] === 0) return undefined;
  const arrival = routes.arrival[visit]!;
  if (routes.readyAt[visit]! - arrival > marginMs) return undefined;
  const jobs = openJobsOf(routes, visit).map((job) => space.jobs[job]!);
  return {
    driverId: space.slots[d]!.driver.driverId,
    jobIds: jobs.map(({ jobId }) => jobId),
    plan: visitPlan(jobs),
    slackMs: Math.min(...jobs.map(({ content }) => content.readyAt)) - space.now - arrival,
    pickupEta: space.now + arrival,
  };
}

/** Of a driver on his way: what joins him, shortly before he reaches the counter. */
function joinNow(routes: Routes, d: number, { joinMarginMs }: OpenPlanValues): Match | undefined {
  const { space } = routes;
  const visit = d * routes.visitsMax;
  const added = openJobsOf(routes, visit).map((job) => space.jobs[job]!);
  const arrival = space.headArrival[d]!;
  if (added.length === 0 || arrival > joinMarginMs) return undefined;
  const { driver, heading } = space.slots[d]!;
  const start = visit * routes.width;
  const counter = space.places[space.headPlace[d]!]!.pickup;
  const drops = Array.from(routes.jobs.subarray(start, start + routes.size[visit]!), (job) => {
    if (job < space.open) return { jobId: space.jobs[job]!.jobId, point: space.jobs[job]!.content.dropOff };
    return heading!.drops[space.headJobs[d]!.indexOf(job)]!;
  });
  return {
    driverId: driver.driverId,
    jobIds: added.map(({ jobId }) => jobId),
    plan: [
      ...drops.map(({ jobId }) => ({ jobId, kind: "pickup", point: counter }) as const),
      ...drops.map(({ jobId, point }) => ({ jobId, kind: "dropOff", point }) as const),
    ],
    slackMs: Math.min(...added.map(({ content }) => content.readyAt)) - space.now - arrival,
    pickupEta: space.now + Math.max(0, arrival),
  };
}
