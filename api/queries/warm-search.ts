/** Compiles the search for drivers before anybody asks: the first questions after a start would else wait for it. */
import { cellGeometry, cellPath } from "#geo";
import type { Point } from "#schemas";
import { middleOf, type DriverSource, type LastLocation, type PresentDriver } from "./driver-source.ts";
import { nearbyDrivers } from "./nearby-drivers.ts";
import { NEARBY_METRES_MAX } from "./queries.ts";

const SEARCHES = 150;
const WARM_MS_MAX = 500;
const DRIVERS = 1_000;
const LIMIT = 20;
const FINE_RESOLUTION = 9;
/** Nobody is asked for there: in the Gulf of Guinea. */
const SOUTH_WEST: Point = { latitude: 0.1, longitude: 0.1 };
const DEGREES = 0.1;
/** Steps that visit everything evenly. */
const [NORTHWARDS, EASTWARDS] = [0.618_034, 0.754_878];

/** Searches among drivers that were made up, in memory of its own; for half a second at most. Answers how often. */
export function warmSearch(now: () => number = () => performance.now()): number {
  const until = now() + WARM_MS_MAX;
  const source = madeUp();
  let searches = 0;
  for (; searches < SEARCHES && now() < until; searches++)
    nearbyDrivers(source, () => [0], { ...pointOf(searches), radiusMetres: NEARBY_METRES_MAX, limit: LIMIT });
  return searches;
}

function madeUp(): DriverSource {
  const located = new Map<string, LastLocation>();
  const byArea = new Map<string, PresentDriver[]>();
  for (let number = 0; number < DRIVERS; number++) {
    const [driverId, point] = [`made up ${number}`, pointOf(number)];
    const path = cellPath(cellGeometry.cellOf(point, FINE_RESOLUTION));
    const row = { driverId, driverVersion: 1, ...point, at: 0, vehicle: "bicycle", capacity: 1, jobs: 0 } as const;
    located.set(driverId, { ...point, onDuty: true, recordedAt: 0 });
    // Of a fine cell's parent and of the parent's.
    for (const area of [path.slice(0, -1), path.slice(0, -2)]) {
      const there = byArea.get(area) ?? [];
      there.push({ row, middle: middleOf(path) });
      byArea.set(area, there);
    }
  }
  return {
    present: (_partition, { path }) => byArea.get(path) ?? [],
    lastLocations: (driverIds) => driverIds.map((driverId) => located.get(driverId)),
  };
}

function pointOf(number: number): Point {
  const { latitude, longitude } = SOUTH_WEST;
  return {
    latitude: latitude + ((number * NORTHWARDS) % 1) * DEGREES,
    longitude: longitude + ((number * EASTWARDS) % 1) * DEGREES,
  };
}
