import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { JobContent, Point } from "#schemas";
import type { KnownDriver, MatchingProblem, OpenJob, TravelModel } from "../../policy.ts";
import { Insertion } from "./insertion.ts";
import { openPlan } from "./open-plan.ts";
import { openPlanValues } from "./parameters.ts";
import { PlanMemory } from "./plan-memory.ts";
import type { RememberedDemand, RememberedDriver } from "./plan-memory.ts";
import { Routes } from "./routes.ts";
import { searchPlans } from "./search.ts";
import { SearchSpace } from "./search-space.ts";

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;

/** A minute a degree. */
const travel: TravelModel = {
  name: "degrees",
  serviceMs: 4 * MINUTE,
  travelMs: (from, to) => Math.ceil(Math.hypot(from.latitude - to.latitude, from.longitude - to.longitude)) * MINUTE,
};

const point = fc.record({ latitude: fc.integer({ min: -15, max: 15 }), longitude: fc.integer({ min: -15, max: 15 }) });

const problems: fc.Arbitrary<MatchingProblem> = fc
  .record({
    counters: fc.array(point, { minLength: 1, maxLength: 4 }),
    jobs: fc.array(
      fc.record({ place: fc.nat(3), dropOff: point, ready: fc.integer({ min: -20, max: 50 }), cold: fc.boolean(), ride: fc.boolean() }),
      { minLength: 1, maxLength: 14 },
    ),
    drivers: fc.array(
      fc.record({ position: point, ends: fc.option(fc.integer({ min: 5, max: 120 })), cold: fc.boolean(), heading: fc.boolean() }),
      { minLength: 1, maxLength: 6 },
    ),
    weights: fc.record({
      drivingWeight: fc.constantFrom(0, 0.05, 0.2),
      endingWeight: fc.constantFrom(0, 0.1),
      guaranteedJobsPerHour: fc.constantFrom(0, 1.5),
      bundleMax: fc.integer({ min: 1, max: 4 }),
      planMax: fc.integer({ min: 1, max: 4 }),
    }),
  })
  .map(({ counters, jobs, drivers, weights }) => {
    const counter = (place: number): Point => counters[place % counters.length]!;
    const open = jobs.map((one, i): OpenJob => {
      const content: JobContent = {
        kind: "order",
        pickup: counter(one.place),
        dropOff: one.dropOff,
        placeId: one.ride ? "" : `r${one.place % counters.length}`,
        readyAt: NOW + one.ready * MINUTE,
        placedAt: NOW,
        notBefore: 0,
        requirements: one.cold ? ["cold"] : [],
        priceMinor: 1,
        currency: "EUR",
      };
      return { jobId: `j${i}`, attempt: 1, orderVersion: 1, content, notBefore: 0, excludedDrivers: new Set(), skip: undefined };
    });
    const known = drivers.map((one, i): KnownDriver => {
      const base = { driverId: `d${i}`, driverVersion: 1, position: one.position, vehicle: "car", capacity: 4, asked: false } as const;
      const shiftEndsAt = one.ends === null ? null : NOW + one.ends * MINUTE;
      const free = { ...base, tags: one.cold ? ["cold"] : [], shiftEndsAt, plan: [], jobs: [], toldAt: NOW - 5 * MINUTE };
      if (!one.heading) return free;
      const held = { jobId: `x${i}`, status: "held", placeId: "r0", readyAt: NOW + 9 * MINUTE, arrived: false } as const;
      const pickup = { jobId: held.jobId, kind: "pickup", point: counter(0) } as const;
      return { ...free, toldAt: NOW, jobs: [held], plan: [pickup, { ...pickup, kind: "dropOff", point: { latitude: 3, longitude: 3 } }] };
    });
    return { now: NOW, jobs: open, drivers: known, nearby: () => known, travel, parameters: { ...weights, tries: 30 }, seed: 7 };
  });

/** As `put` takes them: every place of a job in all plans. */
function* placesFor(routes: Routes, job: number): Generator<readonly [driver: number, visit: number, position: number]> {
  const { space } = routes;
  for (let d = 0; d < space.slots.length; d++) {
    if (!space.mayServe(d, job)) continue;
    for (let k = 0; k <= routes.length[d]!; k++) {
      if (k >= routes.first(d) && routes.length[d]! - routes.first(d) < routes.visitsMax - 1) yield [d, k, -1];
      const visit = d * routes.visitsMax + k;
      if (k === routes.length[d]! || routes.placeOf(visit) !== space.place[job] || !space.places[space.place[job]]!.shared) continue;
      if (routes.size[visit]! >= space.bundleMax[d]!) continue;
      for (let at = 0; at <= routes.size[visit]!; at++) yield [d, k, at];
    }
  }
}

test("the place found for a job is as cheap as the cheapest of all, each worked out from the beginning", () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const values = openPlanValues(problem.parameters);
      const routes = new Routes(new SearchSpace(problem, new PlanMemory(), values), values);
      const insertion = new Insertion(routes, { steps: Infinity });
      for (let job = 0; job < routes.space.open; job++) {
        let least = values.aloneMs;
        for (const [d, k, at] of placesFor(routes, job)) {
          const before = routes.cost[d]!;
          routes.put(d, k, at, job);
          least = Math.min(least, routes.evaluate(d) - before);
          routes.take(job);
          routes.evaluate(d);
        }
        const found = insertion.find(job, values.aloneMs);
        expect(found).toBe(least < values.aloneMs);
        if (!found) continue;
        expect(insertion.added).toBeCloseTo(least, 3);
        const before = routes.cost[insertion.driver]!;
        insertion.apply(job);
        expect(routes.cost[insertion.driver]! - before).toBeCloseTo(least, 3);
      }
    }),
    { numRuns: 300 },
  );
});

test("where ready times are only expected, the place found for a job is nearly as cheap as the cheapest of all", () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const values = openPlanValues({ ...problem.parameters, readySpreadMs: 2 * MINUTE });
      const routes = new Routes(new SearchSpace(problem, new PlanMemory(), values), values);
      const insertion = new Insertion(routes, { steps: Infinity });
      for (let job = 0; job < routes.space.open; job++) {
        let least = values.aloneMs;
        for (const [d, k, at] of placesFor(routes, job)) {
          const before = routes.cost[d]!;
          routes.put(d, k, at, job);
          least = Math.min(least, routes.evaluate(d) - before);
          routes.take(job);
          routes.evaluate(d);
        }
        if (!insertion.find(job, values.aloneMs)) continue;
        const before = routes.cost[insertion.driver]!;
        insertion.apply(job);
        expect(routes.cost[insertion.driver]! - before).toBeLessThan(least + MINUTE);
      }
    }),
    { numRuns: 300 },
  );
});

test("after a search each job is in one plan at most, and every plan's times and cost are those it has from the beginning", () => {
  fc.assert(
    fc.property(problems, fc.constantFrom(0, 2 * MINUTE), (problem, readySpreadMs) => {
      const values = openPlanValues({ ...problem.parameters, readySpreadMs });
      const routes = searchPlans(new SearchSpace(problem, new PlanMemory(), values), new PlanMemory(), values, 3);
      const seen = new Set<number>();
      for (let d = 0; d < routes.length.length; d++) {
        const [cost, ends] = [routes.cost[d]!, routes.end.slice(d * routes.visitsMax, d * routes.visitsMax + routes.length[d]!)];
        for (let k = 0; k < routes.length[d]!; k++) {
          const visit = d * routes.visitsMax + k;
          expect(routes.size[visit]).toBeGreaterThan(0);
          for (const job of routes.jobs.subarray(visit * routes.width, visit * routes.width + routes.size[visit]!)) {
            expect(seen.has(job)).toBe(false);
            seen.add(job);
            if (job < routes.space.open) expect(routes.driverOf[job]).toBe(d);
            expect(routes.space.place[job]).toBe(routes.placeOf(visit));
          }
        }
        expect(routes.evaluate(d)).toBeCloseTo(cost, 3);
        expect(routes.end.slice(d * routes.visitsMax, d * routes.visitsMax + routes.length[d]!)).toEqual(ends);
        expect(cost).toBeLessThan(Infinity);
      }
      for (let job = 0; job < routes.space.open; job++) expect(seen.has(job)).toBe(routes.driverOf[job]! >= 0);
    }),
    { numRuns: 300 },
  );
});

test("what is remembered comes back as it was, and of another version nothing", () => {
  const ids = fc.array(fc.string());
  const heading = fc.record({ arrivesAt: fc.integer(), latitude: fc.integer(), longitude: fc.integer() });
  const driver: fc.Arbitrary<RememberedDriver> = fc.record({
    driverId: fc.string(),
    since: fc.integer(),
    served: fc.nat(),
    heading: fc.option(heading),
    moving: fc.option(heading),
    joins: ids,
    visits: fc.array(ids),
  });
  const place = fc.record({ placeId: fc.string(), latitude: fc.integer(), longitude: fc.integer(), weight: fc.nat() });
  const demand: fc.Arbitrary<RememberedDemand> = fc.record({
    until: fc.oneof(fc.integer(), fc.constant(-Infinity)),
    places: fc.array(place),
  });
  fc.assert(
    fc.property(fc.uniqueArray(driver, { selector: ({ driverId }) => driverId }), demand, (drivers, learnt) => {
      const text = new PlanMemory(drivers, learnt).text();
      const memory = PlanMemory.parse(text);
      expect(memory.text()).toBe(text);
      expect(memory.demand).toEqual(learnt);
      for (const one of drivers) expect(memory.of(one.driverId)).toEqual(one);
    }),
  );
  expect(PlanMemory.parse('{"version":0,"drivers":[["d"]]}').text()).toBe(new PlanMemory().text());
});

test("decides the same from the same memory and seed, and remembers no more than the cell has", () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const first = openPlan.matchRemembering!(problem);
      expect(openPlan.matchRemembering!(problem)).toEqual(first);
      const { memory } = first;
      if (memory === undefined) return;
      const next = { ...problem, memory, now: NOW + MINUTE };
      expect(openPlan.matchRemembering!(next)).toEqual(openPlan.matchRemembering!(next));
      const { drivers } = JSON.parse(memory) as { drivers: readonly (readonly unknown[])[] };
      expect(drivers.length).toBeLessThanOrEqual(problem.drivers.length);
      const planned = drivers.flatMap((row) => [row[5], row[6]]).flat(2);
      expect(new Set(planned).size).toBe(planned.length);
      expect(planned.length).toBeLessThanOrEqual(problem.jobs.length);
    }),
    { numRuns: 100 },
  );
});

test("a search whose steps are used up still gives a plan that may be carried out", () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const short = { ...problem, parameters: { ...problem.parameters, stepsMax: 0 } };
      expect(openPlan.match(short)).toEqual(openPlan.match(short));
    }),
    { numRuns: 50 },
  );
});
