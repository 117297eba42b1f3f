import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobContent, PresentJob } from "#schemas";
import type { KnownDriver, Match, MatchingProblem, OpenJob, TravelModel } from "../policy.ts";
import { byId } from "./pairing.ts";
import { policies } from "./policies.ts";

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
const at = (latitude: number, longitude = 0) => ({ latitude, longitude });

/** A minute a degree. */
const travel: TravelModel = {
  name: "degrees",
  serviceMs: 4 * MINUTE,
  travelMs: (from, to) => Math.ceil(Math.hypot(from.latitude - to.latitude, from.longitude - to.longitude)) * MINUTE,
};

function job(jobId: string, changes: Partial<JobContent> = {}, more: Partial<OpenJob> = {}): OpenJob {
  const content: JobContent = {
    kind: "order",
    pickup: at(0),
    dropOff: at(5),
    placeId: "r0",
    readyAt: NOW,
    placedAt: NOW - 10 * MINUTE,
    notBefore: 0,
    requirements: [],
    priceMinor: 1000,
    currency: "EUR",
    ...changes,
  };
  return { jobId, attempt: 1, orderVersion: 1, content, notBefore: 0, excludedDrivers: new Set(), skip: undefined, ...more };
}

function driver(driverId: string, changes: Partial<KnownDriver> = {}): KnownDriver {
  const base = { driverId, driverVersion: 1, position: at(0), vehicle: "car", tags: [], capacity: 4, shiftEndsAt: null } as const;
  return { ...base, plan: [], jobs: [], asked: false, ...changes };
}

/** On the way to place r0 with these jobs, each to be dropped at 5 degrees. */
function heading(
  driverId: string,
  jobIds: readonly string[],
  changes: Partial<PresentJob> = {},
  more: Partial<KnownDriver> = {},
): KnownDriver {
  const jobs = jobIds.map((jobId): PresentJob => ({ jobId, status: "held", placeId: "r0", readyAt: NOW, arrived: false, ...changes }));
  const pickups = jobIds.map((jobId) => ({ jobId, kind: "pickup", point: at(0) }) as const);
  const drops = jobIds.map((jobId) => ({ jobId, kind: "dropOff", point: at(5) }) as const);
  return driver(driverId, { jobs, plan: [...pickups, ...drops], toldAt: NOW - MINUTE, ...more });
}

function problemOf(jobs: readonly OpenJob[], drivers: readonly KnownDriver[], parameters: Record<string, number> = {}): MatchingProblem {
  const distance = (one: KnownDriver, point: { latitude: number; longitude: number }) => travel.travelMs(one.position, point, "car");
  return {
    now: NOW,
    jobs: jobs.toSorted((a, b) => a.content.readyAt - b.content.readyAt || byId(a.jobId, b.jobId)),
    drivers: drivers.toSorted((a, b) => byId(a.driverId, b.driverId)),
    nearby: (point, atLeast, passes = () => true) =>
      drivers
        .filter(passes)
        .toSorted((a, b) => distance(a, point) - distance(b, point))
        .slice(0, atLeast),
    travel,
    parameters,
  };
}

function match(name: string, problem: MatchingProblem): readonly Match[] {
  const policy = policies[name];
  if (policy === undefined) throw new Error(`no policy ${name}`);
  return policy.match(problem);
}

const pairs = (matches: readonly Match[]) => matches.map(({ driverId, jobIds }) => `${driverId}: ${jobIds.join(" ")}`).toSorted();

describe.each(Object.keys(policies))("%s", (name) => {
  test("sends the nearest free driver when the food needs it, and says when he will be there", () => {
    const matches = match(name, problemOf([job("j")], [driver("far", { position: at(9) }), driver("near", { position: at(2) })]));
    expect(matches).toHaveLength(1);
    expect(matches[0]).toMatchObject({ driverId: "near", jobIds: ["j"], slackMs: -2 * MINUTE, pickupEta: NOW + 2 * MINUTE });
    expect(matches[0]?.plan.map(({ kind }) => kind)).toEqual(["pickup", "dropOff"]);
  });

  test("defers a job while its slack is above the margin", () => {
    const drivers = [driver("d", { position: at(2) })];
    const later = (minutes: number) => [job("j", { readyAt: NOW + minutes * MINUTE })];
    expect(match(name, problemOf(later(6), drivers, { marginMs: 3 * MINUTE }))).toEqual([]);
    expect(pairs(match(name, problemOf(later(5), drivers, { marginMs: 3 * MINUTE })))).toEqual(["d: j"]);
    expect(pairs(match(name, problemOf(later(6), drivers, { marginMs: 4 * MINUTE })))).toEqual(["d: j"]);
  });

  test("sends nobody who would pick up after his shift, and everybody who picks up at its very end", () => {
    const until = (minutes: number) => [driver("d", { position: at(2), shiftEndsAt: NOW + minutes * MINUTE })];
    expect(match(name, problemOf([job("j")], until(3)))).toEqual([]);
    expect(pairs(match(name, problemOf([job("j")], until(4))))).toEqual(["d: j"]);
    const ready = [job("j", { readyAt: NOW + 5 * MINUTE })];
    expect(match(name, problemOf(ready, [driver("d", { position: at(2), shiftEndsAt: NOW + 4 * MINUTE })]))).toEqual([]);
  });

  test("counts half the service of a driver who has handed over just now", () => {
    const ending = driver("d", { position: at(2), shiftEndsAt: NOW + 5 * MINUTE, toldAt: NOW });
    expect(match(name, problemOf([job("j")], [ending]))).toEqual([]);
    expect(pairs(match(name, problemOf([job("j")], [{ ...ending, toldAt: NOW - MINUTE }])))).toEqual(["d: j"]);
  });

  test("leaves alone who is asked, excluded, skipped or lacks a tag", () => {
    const free = driver("d");
    expect(match(name, problemOf([job("j")], [{ ...free, asked: true }]))).toEqual([]);
    expect(match(name, problemOf([job("j", {}, { excludedDrivers: new Set(["d"]) })], [free]))).toEqual([]);
    expect(match(name, problemOf([job("j", { requirements: ["cold"] })], [free]))).toEqual([]);
    const skipped = job("j", {}, { skip: { driverId: "d", driverVersion: 1 } });
    expect(match(name, problemOf([skipped], [free]))).toEqual([]);
    expect(pairs(match(name, problemOf([skipped], [{ ...free, driverVersion: 2 }])))).toEqual(["d: j"]);
    expect(pairs(match(name, problemOf([job("j", { requirements: ["cold"] })], [{ ...free, tags: ["cold"] }])))).toEqual(["d: j"]);
  });

  test("looks further out where all free drivers near by are of no use", () => {
    const busy = Array.from({ length: 300 }, (_, i) =>
      heading(`b${i}`, [`x${i}`], { status: "pickedUp", placeId: "other", arrived: true }),
    );
    const useless = Array.from({ length: 600 }, (_, i) => driver(`u${i}`, { position: at(1), tags: ["warm"] }));
    const wanted = [job("j", { requirements: ["cold"] })];
    const far = driver("free", { position: at(20), tags: ["cold"] });
    expect(pairs(match(name, problemOf(wanted, [...busy, far], { lookAheadMs: 0 })))).toEqual(["free: j"]);
    expect(pairs(match(name, problemOf(wanted, [...useless, far])))).toEqual(["free: j"]);
  });

  test("never breaks the plan rule, the shift or the driver's limits, and does not depend on what it was asked before", () => {
    fc.assert(
      fc.property(problems(), (problem) => {
        const matches = match(name, problem);
        expectAllowed(problem, matches);
        expect(match(name, problem)).toEqual(matches);
      }),
      { numRuns: 300 },
    );
  });
});

describe("batch-matching", () => {
  test("prefers the least sum to the most urgent job's nearest driver", () => {
    // d1 is nearest to both, and his being nearest to j2 makes that one look less urgent.
    const jobs = [job("j1", { placeId: "r1", pickup: at(0), readyAt: NOW - 9 * MINUTE }), job("j2", { placeId: "r2", pickup: at(-9) })];
    const drivers = [driver("d1", { position: at(-2) }), driver("d2", { position: at(3) })];
    expect(pairs(match("batch-matching", problemOf(jobs, drivers)))).toEqual(["d1: j2", "d2: j1"]);
    expect(pairs(match("nearest", problemOf(jobs, drivers)))).toEqual(["d1: j1", "d2: j2"]);
  });

  test("bundles jobs of one place when drivers are scarce, and not when there are enough", () => {
    const jobs = [job("j1", { dropOff: at(5) }), job("j2", { dropOff: at(6) })];
    expect(pairs(match("batch-matching", problemOf(jobs, [driver("d1")])))).toEqual(["d1: j1 j2"]);
    expect(pairs(match("batch-matching", problemOf(jobs, [driver("d1"), driver("d2")])))).toHaveLength(2);
    const elsewhere = jobs.map((one, i) => ({ ...one, content: { ...one.content, placeId: `r${i}` } }));
    expect(match("batch-matching", problemOf(elsewhere, [driver("d1")]))[0]?.jobIds).toHaveLength(1);
    const rides = jobs.map((one) => ({ ...one, content: { ...one.content, placeId: "" } }));
    expect(match("batch-matching", problemOf(rides, [driver("d1")]))[0]?.jobIds).toHaveLength(1);
  });

  test("drops a bundle in the order that makes its jobs least late", () => {
    const jobs = [job("far", { dropOff: at(9) }), job("near", { dropOff: at(1) })];
    const [only] = match("batch-matching", problemOf(jobs, [driver("d")]));
    expect(only?.jobIds).toEqual(["near", "far"]);
    expect(only?.plan.filter(({ kind }) => kind === "dropOff").map(({ jobId }) => jobId)).toEqual(["near", "far"]);
  });

  test("adds a job to a driver on his way to the same place, until he is at the counter or full", () => {
    const joined = match("batch-matching", problemOf([job("j")], [heading("d", ["x"], {}, { position: at(3) })]));
    expect(pairs(joined)).toEqual(["d: j"]);
    expect(joined[0]?.plan).toHaveLength(4);
    expect(match("batch-matching", problemOf([job("j")], [heading("d", ["x"], { arrived: true })]))).toEqual([]);
    expect(match("batch-matching", problemOf([job("j")], [heading("d", ["x"], {}, { capacity: 1 })]))).toEqual([]);
    expect(match("batch-matching", problemOf([job("j", { placeId: "r1" })], [heading("d", ["x"], {}, { position: at(3) })]))).toEqual([]);
  });

  test("waits for a busy driver who will be there sooner than any free one", () => {
    const jobs = [job("j", { pickup: at(6), placeId: "r6" })];
    const onBoard = { status: "pickedUp", arrived: true, placeId: "other" } as const;
    const busy = driver("busy", {
      position: at(4),
      toldAt: NOW - 2 * MINUTE,
      jobs: [{ jobId: "x", readyAt: NOW, ...onBoard }],
      plan: [{ jobId: "x", kind: "dropOff", point: at(5) }],
    });
    const far = driver("far", { position: at(60) });
    expect(match("batch-matching", problemOf(jobs, [busy, far]))).toEqual([]);
    expect(pairs(match("batch-matching", problemOf(jobs, [far])))).toEqual(["far: j"]);
  });
});

function expectAllowed(problem: MatchingProblem, matches: readonly Match[]): void {
  const jobs = new Map(problem.jobs.map((one) => [one.jobId, one]));
  const drivers = new Map(problem.drivers.map((one) => [one.driverId, one]));
  const takenJobs = new Set<string>();
  const takenDrivers = new Set<string>();
  for (const { driverId, jobIds, plan } of matches) {
    const one = drivers.get(driverId);
    if (one === undefined) throw new Error(`no driver ${driverId}`);
    expect(takenDrivers.has(driverId)).toBe(false);
    takenDrivers.add(driverId);
    expect(one.asked).toBe(false);
    expect(one.jobs.length + jobIds.length).toBeLessThanOrEqual(one.capacity);
    expect(one.jobs.some((held) => held.arrived || held.status === "pickedUp")).toBe(false);
    const places = new Set(one.jobs.map((held) => held.placeId));
    for (const jobId of jobIds) {
      const added = jobs.get(jobId);
      if (added === undefined) throw new Error(`no job ${jobId}`);
      expect(takenJobs.has(jobId)).toBe(false);
      takenJobs.add(jobId);
      places.add(added.content.placeId);
      expect(added.excludedDrivers.has(driverId)).toBe(false);
      expect(added.content.requirements.every((tag) => one.tags.includes(tag))).toBe(true);
      if (one.jobs.length > 0 || one.shiftEndsAt === null) continue;
      const arrives = NOW + travel.travelMs(one.position, added.content.pickup, one.vehicle);
      expect(Math.max(arrives + 2 * MINUTE, added.content.readyAt)).toBeLessThanOrEqual(one.shiftEndsAt);
    }
    const together = one.jobs.length + jobIds.length > 1;
    if (together) expect(places.size === 1 && !places.has("")).toBe(true);
    const all = [...one.jobs.map(({ jobId }) => jobId), ...jobIds].toSorted();
    for (const kind of ["pickup", "dropOff"]) {
      expect(
        plan
          .filter((stop) => stop.kind === kind)
          .map(({ jobId }) => jobId)
          .toSorted(),
      ).toEqual(all);
    }
  }
}

const minutes = (min: number, max: number) => fc.integer({ min, max }).map((value) => NOW + value * MINUTE);

function problems(): fc.Arbitrary<MatchingProblem> {
  const coordinate = fc.integer({ min: -9, max: 9 });
  const oneJob = fc.record({
    place: fc.integer({ min: -1, max: 2 }),
    readyAt: minutes(-20, 20),
    dropOff: coordinate,
    tagged: fc.boolean(),
    excluded: fc.boolean(),
  });
  const oneDriver = fc.record({
    position: coordinate,
    shiftEndsAt: fc.option(minutes(0, 30)),
    capacity: fc.integer({ min: 1, max: 4 }),
    tagged: fc.boolean(),
    asked: fc.boolean(),
    heading: fc.integer({ min: -3, max: 2 }),
    held: fc.integer({ min: 1, max: 3 }),
    status: fc.constantFrom("held", "offered", "pickedUp", "arrived"),
  });
  return fc.tuple(fc.array(oneJob, { maxLength: 12 }), fc.array(oneDriver, { maxLength: 8 })).map(([jobs, drivers]) =>
    problemOf(
      jobs.map(({ place, readyAt, dropOff, tagged, excluded }, i) => {
        const where = { placeId: place < 0 ? "" : `r${place}`, pickup: at(place * 3), dropOff: at(dropOff, 3) };
        const content = { ...where, readyAt, requirements: tagged ? ["cold"] : [] };
        return job(`j${i}`, content, { excludedDrivers: new Set(excluded ? ["d0"] : []) });
      }),
      drivers.map(({ position, shiftEndsAt, capacity, tagged, asked, heading, held, status }, i) => {
        const base = { position: at(position), shiftEndsAt, capacity, tags: tagged ? ["cold"] : [], asked, toldAt: NOW - 3 * MINUTE };
        if (heading < 0) return driver(`d${i}`, base);
        const inPlan = Array.from({ length: Math.min(held, capacity) }, (_, k): PresentJob => {
          const arrived = status === "arrived" || status === "pickedUp";
          const kept = status === "arrived" ? "held" : status;
          return { jobId: `x${i}.${k}`, status: kept, placeId: `r${heading}`, readyAt: NOW, arrived };
        });
        const pickups = inPlan.filter((one) => one.status !== "pickedUp");
        const plan = [
          ...pickups.map(({ jobId }) => ({ jobId, kind: "pickup", point: at(heading * 3) }) as const),
          ...inPlan.map(({ jobId }) => ({ jobId, kind: "dropOff", point: at(5) }) as const),
        ];
        return driver(`d${i}`, { ...base, jobs: inPlan, plan });
      }),
    ),
  );
}
