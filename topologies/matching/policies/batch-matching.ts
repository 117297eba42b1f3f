/**
 * Minimum-cost assignment of all jobs wanted soon to all drivers, busy ones from when they will be free; only what must start
 * now is proposed, the rest is decided again at the next tick. After Reyes et al., "The Meal Delivery Routing Problem": their
 * two-stage commitment (a bundle grows until the counter) is kept; their target size and priority groups are replaced by
 * the prices of the assignment, which say what a freed driver is worth.
 */
import type { KnownDriver, Match, MatchingProblem, OpenJob, Policy } from "../policy.ts";
import { assignAtMinimumCost } from "../assignment/minimum-cost-assignment.ts";
import type { Assignment } from "../assignment/minimum-cost-assignment.ts";
import { slotOf } from "./availability.ts";
import type { Slot } from "./availability.ts";
import { merged, placeKey, singleBundle } from "./bundles.ts";
import type { Bundle } from "./bundles.ts";
import { PairCosts } from "./pair-costs.ts";
import { FreeDrivers, byId, mayServe, valuesOf, visitPlan } from "./pairing.ts";

const parameters = {
  marginMs: {
    default: 180_000,
    unit: "ms",
    source: "half the service at the counter, for he who arrives then picks up when it is ready, and a tick of a minute",
  },
  horizonMs: { default: 3_600_000, unit: "ms", source: "orders ready within the hour; 120 Grubhub instances" },
  lookAheadMs: { default: 3_600_000, unit: "ms", source: "a driver free later than this is not waited for; 120 Grubhub instances" },
  candidates: {
    default: 48,
    unit: "drivers",
    source: "free drivers considered for a place; 16 or 48 are the same on the Grubhub instances",
  },
  drivingWeight: {
    default: 0.02,
    unit: "minutes of lateness per minute driven",
    source: "120 Grubhub instances; 0 costs more pay, 0.2 time",
  },
  aloneMs: {
    default: 4_500_000,
    unit: "ms of lateness a job",
    source:
      "120 Grubhub instances: 2,700,000 to 4,500,000 are alike, 1,800,000 costs 0.4 minutes; a free driver further away is never sent",
  },
  laterWeight: {
    default: 2,
    unit: "ms of lateness per ms until it is ready",
    source: "what may wait gives way to what is due; 120 Grubhub instances: 1 and 2 are alike, 4 costs 0.3 minutes",
  },
  bundleMax: { default: 4, unit: "jobs", source: "larger ones never came up on the Grubhub instances" },
  mergeRounds: { default: 2, unit: "rounds", source: "more change nothing on the Grubhub instances" },
} as const;

type Values = Readonly<Record<keyof typeof parameters, number>>;

/** Deterministic; ties by id. */
export const batchMatching: Policy = {
  name: "batch-matching",
  parameters,
  match(problem: MatchingProblem): readonly Match[] {
    const values = valuesOf(parameters, problem.parameters);
    const wanted = problem.jobs.filter((job) => job.content.readyAt <= problem.now + values.horizonMs);
    if (wanted.length === 0) return [];
    const { costs, bundles } = prepare(problem, wanted, values);
    if (costs.slots.length === 0) return [];
    const solution = bundled(problem, costs, bundles, values);
    return propose(problem, costs, solution, values);
  },
};

interface Solution {
  readonly bundles: readonly Bundle[];
  readonly assignment: Assignment;
  /** All pair costs plus the price of bundles left alone. */
  readonly total: number;
  readonly alone: Float64Array;
}

/** Places, slots, and who is near enough to whom. */
function prepare(problem: MatchingProblem, jobs: readonly OpenJob[], values: Values) {
  const { now, travel } = problem;
  const slots: Slot[] = [];
  const indexOf = new Map<string, number>();
  for (const driver of problem.drivers) {
    const slot = slotOf(driver, now, travel);
    if (slot === undefined || slot.freeAt > now + values.lookAheadMs) continue;
    indexOf.set(driver.driverId, slots.length);
    slots.push(slot);
  }
  const places = new Map<string, number>();
  const bundles: Bundle[] = [];
  for (const job of jobs) {
    const key = placeKey(job);
    const place = places.get(key) ?? places.size;
    places.set(key, place);
    bundles.push(singleBundle(job, place, key, travel));
  }
  const allowed = new Uint8Array(places.size * slots.length);
  const free = new FreeDrivers(problem);
  for (const [place, here] of Map.groupBy(bundles, (bundle) => bundle.place)) {
    const base = place * slots.length;
    for (let slot = 0; slot < slots.length; slot++) if (!slots[slot]!.free) allowed[base + slot] = 1;
    const usable = (driver: KnownDriver): boolean => here.some(({ jobs: [job] }) => job !== undefined && mayServe(driver, job));
    for (const { driverId } of free.near(here[0]!.pickup, values.candidates, usable)) {
      const slot = indexOf.get(driverId);
      if (slot !== undefined) allowed[base + slot] = 1;
    }
  }
  return { bundles, costs: new PairCosts(problem, slots, allowed, values) };
}

/** Solves, merges bundles where the prices say that it pays, and solves again, as long as it gets better. */
function bundled(problem: MatchingProblem, costs: PairCosts, singles: readonly Bundle[], values: Values): Solution {
  let best = solve(problem, costs, singles, values);
  for (let round = 0; round < values.mergeRounds; round++) {
    const bundles = mergeOnce(problem, costs, best, values);
    if (bundles === undefined) return best;
    const next = solve(problem, costs, bundles, values);
    if (next.total >= best.total) return best;
    best = next;
  }
  return best;
}

function solve(problem: MatchingProblem, costs: PairCosts, bundles: readonly Bundle[], values: Values): Solution {
  const columns = costs.slots.length;
  const matrix = new Float64Array(bundles.length * columns);
  const alone = new Float64Array(bundles.length);
  bundles.forEach((bundle, row) => {
    matrix.set(costs.row(bundle), row * columns);
    // What has passed already is lost with a driver or without: who waits long must not become too dear for anybody.
    for (const { content } of bundle.jobs) {
      const untilReady = content.readyAt - problem.now;
      alone[row]! += values.aloneMs - (untilReady > 0 ? values.laterWeight : 1) * untilReady;
    }
  });
  const assignment = assignAtMinimumCost({ rows: bundles.length, columns, costs: matrix, unassignedCosts: alone });
  let total = assignment.cost;
  assignment.columnOfRow.forEach((column, row) => {
    if (column < 0) total += alone[row]!;
  });
  return { bundles, assignment, total, alone };
}

interface Merge {
  readonly a: number;
  readonly b: number;
  readonly bundle: Bundle;
  readonly gain: number;
}

/** The merges that pay, best first, each bundle in at most one; undefined if none does. */
function mergeOnce(problem: MatchingProblem, costs: PairCosts, solution: Solution, values: Values): readonly Bundle[] | undefined {
  const { bundles, assignment, alone } = solution;
  const worth = bundles.map((bundle, row) => {
    const column = assignment.columnOfRow[row]!;
    return column < 0 ? alone[row]! : costs.row(bundle)[column]! - assignment.columnPrices[column]!;
  });
  const byPlace = Map.groupBy(bundles.keys(), (row) => bundles[row]!.place);
  const merges: Merge[] = [];
  for (const rows of byPlace.values()) {
    for (let i = 0; i < rows.length; i++) {
      for (let j = i + 1; j < rows.length; j++) {
        const [a, b] = [rows[i]!, rows[j]!];
        const bundle = merged(bundles[a]!, bundles[b]!, values.bundleMax, problem.travel);
        if (bundle === undefined) continue;
        const gain = worth[a]! + worth[b]! - cheapest(costs, bundle, assignment.columnPrices);
        if (gain > 1) merges.push({ a, b, bundle, gain });
      }
    }
  }
  if (merges.length === 0) return undefined;
  merges.sort((x, y) => y.gain - x.gain || x.a - y.a || x.b - y.b);
  const used = new Set<number>();
  const result: Bundle[] = [];
  for (const { a, b, bundle } of merges) {
    if (used.has(a) || used.has(b)) continue;
    used.add(a).add(b);
    result.push(bundle);
  }
  bundles.forEach((bundle, row) => {
    if (!used.has(row)) result.push(bundle);
  });
  return result;
}

/** By cost less price: what the best driver would cost, scarcity included. */
function cheapest(costs: PairCosts, bundle: Bundle, prices: Float64Array): number {
  const row = costs.row(bundle);
  let least = Infinity;
  for (let slot = 0; slot < row.length; slot++) {
    const reduced = row[slot]! - prices[slot]!;
    if (reduced < least) least = reduced;
  }
  return least;
}

/** What must start now: free drivers who would otherwise be late, and what joins a driver under way. */
function propose(problem: MatchingProblem, costs: PairCosts, { bundles, assignment }: Solution, values: Values): Match[] {
  const { now } = problem;
  const matches: Match[] = [];
  bundles.forEach((bundle, row) => {
    const column = assignment.columnOfRow[row]!;
    if (column < 0) return;
    const slot = costs.slots[column]!;
    const { driver, heading } = slot;
    const jobIds = bundle.jobs.map((job) => job.jobId);
    const urgent = Math.min(...bundle.jobs.map((job) => job.content.readyAt));
    if (slot.free) {
      const travelMs = slot.freeAt - now + costs.travelMs(bundle.place, column, bundle);
      if (bundle.visit.readyAt - now - travelMs > values.marginMs) return;
      matches.push({
        driverId: driver.driverId,
        jobIds,
        plan: visitPlan(bundle.jobs),
        slackMs: urgent - now - travelMs,
        pickupEta: now + travelMs,
      });
      return;
    }
    if (heading === undefined || !costs.joins(bundle, column)) return;
    const joined = costs.joinedVisit(bundle, slot);
    if (joined === undefined) return;
    const dropOffs = joined.after.drops.map(({ jobId, point }) => ({ jobId, kind: "dropOff", point }) as const);
    const pickups = joined.after.drops.map(({ jobId }) => ({ jobId, kind: "pickup", point: bundle.pickup }) as const);
    const travelMs = Math.max(0, heading.arrivesAt - now);
    matches.push({
      driverId: driver.driverId,
      jobIds,
      plan: [...pickups, ...dropOffs],
      slackMs: urgent - now - travelMs,
      pickupEta: now + travelMs,
    });
  });
  return matches.sort((a, b) => byId(a.driverId, b.driverId));
}
