/** One tick of `batch-matching`: 200 jobs that want a driver now, 400 drivers, half of them busy, in a city of 20 × 20 km. */
import { policies } from "#topologies";
import type { KnownDriver, MatchingProblem, OpenJob, TravelModel } from "#topologies";
import type { Point } from "#schemas";
import { median } from "./result.ts";
import type { Bench, BenchOptions, BenchResult } from "./result.ts";
import { seededRandom } from "./seeded-random.ts";

const MINUTE = 60_000;
const NOW = 1_760_000_000_000;
const CITY_METRES = 20_000;
const GRID = 48;
/** Ticks measured in one run; its figure is their median. */
const TICKS = 15;

export const matching: Bench = async ({ seed, runs, flags }: BenchOptions): Promise<readonly BenchResult[]> => {
  const jobs = Number(flags["jobs"] ?? 200);
  const drivers = Number(flags["drivers"] ?? 400);
  const name = flags["policy"] ?? "batch-matching";
  const policy = policies[name];
  if (policy === undefined) throw new RangeError(`there is no policy "${name}"; there are: ${Object.keys(policies).join(", ")}`);
  const medians: number[] = [];
  let slowest = 0;
  let matched = 0;
  for (let run = 0; run < runs; run++) {
    const ticks: number[] = [];
    for (let tick = 0; tick < TICKS; tick++) {
      const problem = problemOf(seed + run * TICKS + tick, jobs, drivers);
      const start = performance.now();
      matched = policy.match(problem).length;
      ticks.push(performance.now() - start);
    }
    medians.push(median(ticks));
    // The first tick of a process compiles what it runs.
    slowest = Math.max(slowest, ...ticks.slice(run === 0 ? 1 : 0));
  }
  const facts = { policy: name, jobs, drivers, busy: drivers >> 1, "matches of the last tick": matched, "slowest tick, ms": slowest };
  return [{ name: `one tick, ${jobs} jobs × ${drivers} drivers`, unit: "ms", runs: medians, median: median(medians), seed, facts }];
};

function problemOf(seed: number, jobCount: number, driverCount: number): MatchingProblem {
  const random = seededRandom(seed);
  const anywhere = (): Point => metresAt(random() * CITY_METRES, random() * CITY_METRES);
  const places = Array.from({ length: Math.max(1, jobCount >> 1) }, anywhere);
  const jobs = Array.from({ length: jobCount }, (_, i): OpenJob => {
    const place = Math.floor(random() * places.length);
    const placedAt = NOW - Math.floor(random() * 20) * MINUTE;
    const content = {
      kind: "order",
      pickup: places[place] ?? anywhere(),
      dropOff: anywhere(),
      placeId: `r${place}`,
      readyAt: NOW + Math.floor(random() * 10 - 5) * MINUTE,
      placedAt,
      notBefore: placedAt,
      requirements: [],
      priceMinor: 2_000,
      currency: "EUR",
    } as const;
    return { jobId: `j${i}`, attempt: 1, orderVersion: 1, content, notBefore: placedAt, excludedDrivers: new Set(), skip: undefined };
  }).toSorted((a, b) => a.content.readyAt - b.content.readyAt || (a.jobId < b.jobId ? -1 : 1));
  const drivers = Array.from({ length: driverCount }, (_, i): KnownDriver => {
    const base = {
      driverId: `d${String(i).padStart(5, "0")}`,
      driverVersion: 1,
      position: anywhere(),
      vehicle: "bicycle",
      tags: [],
    } as const;
    const free = { ...base, capacity: 4, shiftEndsAt: NOW + 120 * MINUTE, plan: [], jobs: [], toldAt: NOW - 5 * MINUTE, asked: false };
    if (i % 2 === 0) return free;
    const jobId = `x${i}`;
    const point = anywhere();
    // Of the busy, half are still on their way to a place.
    const place = i % 4 === 1 ? Math.floor(random() * places.length) : -1;
    const pickup = places[place];
    const status = pickup === undefined ? "pickedUp" : "held";
    const held = { jobId, status, placeId: `r${place}`, readyAt: NOW, arrived: pickup === undefined } as const;
    const drop = { jobId, kind: "dropOff", point } as const;
    return { ...free, jobs: [held], plan: pickup === undefined ? [drop] : [{ jobId, kind: "pickup", point: pickup }, drop] };
  });
  return { now: NOW, jobs, drivers, nearby: nearbyOf(drivers), travel, parameters: {} };
}

/** 1 degree is 100 km here: the figure is about matching, not about the globe. */
const METRES_PER_DEGREE = 100_000;
const metresAt = (x: number, y: number): Point => ({ latitude: y / METRES_PER_DEGREE, longitude: x / METRES_PER_DEGREE });

/** 5 m/s, straight. */
const travel: TravelModel = {
  name: "straight",
  serviceMs: 4 * MINUTE,
  travelMs: (from, to) =>
    Math.ceil((Math.hypot(from.latitude - to.latitude, from.longitude - to.longitude) * METRES_PER_DEGREE * 1_000) / 5),
};

const index = (degrees: number): number => Math.min(GRID - 1, Math.max(0, Math.floor((degrees * METRES_PER_DEGREE * GRID) / CITY_METRES)));

/** Square rings instead of hexagons. */
function nearbyOf(drivers: readonly KnownDriver[]): MatchingProblem["nearby"] {
  const cells = new Map<number, KnownDriver[]>();
  for (const driver of drivers) {
    const cell = index(driver.position.latitude) * GRID + index(driver.position.longitude);
    const inside = cells.get(cell);
    if (inside === undefined) cells.set(cell, [driver]);
    else inside.push(driver);
  }
  return (point, atLeast, passes = () => true) => {
    const row = index(point.latitude);
    const column = index(point.longitude);
    const found: KnownDriver[] = [];
    for (let ring = 0; ring < GRID && found.length < atLeast; ring++) {
      for (let y = row - ring; y <= row + ring; y++) {
        const step = Math.abs(y - row) === ring ? 1 : Math.max(1, 2 * ring);
        for (let x = column - ring; x <= column + ring; x += step) {
          if (x >= 0 && x < GRID && y >= 0 && y < GRID) found.push(...(cells.get(y * GRID + x) ?? []).filter(passes));
        }
      }
    }
    return found;
  };
}
