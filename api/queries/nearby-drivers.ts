/**
 * Drivers around a point by distance. The index knows each of them by fine cell, all of a parent cell in one range: parents are
 * read from the nearest outwards until nobody nearer can follow.
 */
import { cellGeometry, cellPath, childrenOf, distanceMetres, EARTH_RADIUS_METRES } from "#geo";
import type { Point } from "#schemas";
import type { PresenceRow } from "#topologies";
import type { DriverSource, PresenceArea } from "./driver-source.ts";
import type { NearbyDriver, NearbyQuery, NearbyView } from "./queries.ts";

/** So far may a driver be from the middle of his fine cell, with what he moved on since it was told. */
const FINE_CELL_REACH_METRES = 300;

/** How finely the area is cut: an area is a parent cell, read as one range of the index. */
interface Cut {
  readonly resolution: number;
  /** From an area's centre to the farthest point of a fine cell that descends from it. */
  readonly reachMetres: number;
  /** The same from the centre of one of its children, whose fine cells are all that the area has. */
  readonly childReachMetres: number;
}

/** About 5 km² an area: some 25 of them hold a circle of 5 km. */
const WIDE: Cut = { resolution: 7, reachMetres: 2_200, childReachMetres: 900 };
/** About 0.7 km² an area: where drivers are many, the nearest are found among few rows. */
const CLOSE: Cut = { resolution: 8, reachMetres: 900, childReachMetres: FINE_CELL_REACH_METRES };
const CLOSE_METRES = 1_500;
/** And so far from where he entered it, by which the index knows him. */
const FINE_CELL_METRES = 500;
/** Rows that one answer looks at. */
const ROWS_MAX = 5_000;
/** Exact positions are read for so many at once. */
const READ_TOGETHER = 32;
/** Areas, and areas around an area, that are remembered; when full, all are forgotten and computed again. */
const AREAS_MAX = 20_000;
const AROUND_MAX = 5_000;

const RADIANS = Math.PI / 180;

interface Candidate {
  readonly row: PresenceRow;
  /** To where he was told to be. */
  readonly metres: number;
  /** He is no nearer than that. */
  readonly leastMetres: number;
}

/** `partitionsOf`: where the drivers of an area are known. */
export function nearbyDrivers(source: DriverSource, partitionsOf: (area: string) => readonly number[], query: NearbyQuery): NearbyView {
  if (query.radiusMetres > CLOSE_METRES) {
    const close = search(source, partitionsOf, { ...query, radiusMetres: CLOSE_METRES }, CLOSE);
    if (close.drivers.length >= query.limit) return close;
  }
  return search(source, partitionsOf, query, query.radiusMetres > CLOSE_METRES ? WIDE : CLOSE);
}

/** Rows cost little, exact positions a look at another store each: these are read for those alone who can be among the nearest. */
function search(source: DriverSource, partitionsOf: (area: string) => readonly number[], query: NearbyQuery, cut: Cut): NearbyView {
  const { radiusMetres, limit } = query;
  const seen = new Set<string>();
  const best: NearbyDriver[] = [];
  let waiting: Candidate[] = [];
  let rows = 0;
  const farthest = (): number => (best.length < limit ? radiusMetres : (best.at(-1)?.metres ?? radiusMetres));
  const settle = (some: readonly Candidate[]): void => {
    for (const driver of exactly(source, some, query)) if (driver.metres <= farthest()) insert(best, driver, limit);
  };
  for (const { area, leastMetres } of areasAround(query, cut)) {
    if (leastMetres > farthest() || rows >= ROWS_MAX) break;
    for (const partition of partitionsOf(area.cell)) {
      const found = source.present(partition, area, ROWS_MAX - rows);
      rows += found.length;
      for (const { row, middle } of found) {
        // Whoever is present in several dispatch cells has a row in each.
        if (seen.has(row.driverId)) continue;
        seen.add(row.driverId);
        waiting.push(candidateOf(row, middle, query));
      }
      if (rows >= ROWS_MAX) break;
    }
    // The likely nearest push the limit inwards: fewer areas are read after them.
    if (best.length >= limit || waiting.length < 2 * limit) continue;
    waiting.sort((a, b) => a.metres - b.metres);
    settle(waiting.splice(0, limit));
  }
  waiting.sort((a, b) => a.leastMetres - b.leastMetres);
  for (; waiting[0] !== undefined && waiting[0].leastMetres <= farthest(); waiting = waiting.slice(READ_TOGETHER))
    settle(waiting.slice(0, READ_TOGETHER).filter((candidate) => candidate.leastMetres <= farthest()));
  return { drivers: best, complete: rows < ROWS_MAX };
}

function candidateOf(row: PresenceRow, { latitude: north, longitude: east }: Point, { latitude, longitude }: NearbyQuery): Candidate {
  const metres = distanceMetres(latitude, longitude, row.latitude, row.longitude);
  const middle = distanceMetres(latitude, longitude, north, east);
  return { row, metres, leastMetres: Math.max(0, metres - FINE_CELL_METRES, middle - FINE_CELL_REACH_METRES) };
}

/** Of dispatch cells with these resolutions, the ones in which a driver within this area can be present for his own position. */
export function dispatchCellsOf(area: string, resolutions: readonly number[]): readonly string[] {
  const centre = cellGeometry.centreOf(area);
  const { reachMetres } = cellGeometry.resolutionOf(area) === CLOSE.resolution ? CLOSE : WIDE;
  return resolutions.flatMap((resolution) => cellGeometry.cellsWithin(centre, resolution, reachMetres));
}

/** The areas that hold everybody within the radius. */
export function areasOf(query: NearbyQuery): readonly string[] {
  return areasAround(query, WIDE).map(({ area }) => area.cell);
}

interface Area extends PresenceArea {
  /** Middles of its children on the sphere of radius 1: x, y and z of each. */
  readonly middles: Float64Array;
}

const around = new Map<string, readonly Area[]>();

/** With the least distance of anybody in them, the nearest first. */
function areasAround(
  { latitude, longitude, radiusMetres }: NearbyQuery,
  { resolution, reachMetres, childReachMetres }: Cut,
): readonly { readonly area: PresenceArea; readonly leastMetres: number }[] {
  const home = cellGeometry.cellOf({ latitude, longitude }, resolution);
  const name = `${home} ${radiusMetres}`;
  let areas = around.get(name);
  if (areas === undefined) {
    if (around.size >= AROUND_MAX) around.clear();
    // From anywhere in its own area; and a fine cell may lie a little outside the area that it descends from.
    const metres = radiusMetres + FINE_CELL_METRES * 2 + reachMetres;
    const cells = cellGeometry.cellsWithin(cellGeometry.centreOf(home), resolution, metres);
    around.set(name, (areas = cells.map(areaOf)));
  }
  const [x, y, z] = onSphere({ latitude, longitude });
  const within: { readonly area: PresenceArea; readonly leastMetres: number }[] = [];
  for (const area of areas) {
    const leastMetres = Math.max(0, metresToNearest(area.middles, x, y, z) - childReachMetres);
    if (leastMetres <= radiusMetres) within.push({ area, leastMetres });
  }
  return within.sort((a, b) => a.leastMetres - b.leastMetres);
}

const known = new Map<string, Area>();

/** An area lies around some thirty others: what it takes to make one is done once. */
function areaOf(cell: string): Area {
  let area = known.get(cell);
  if (area !== undefined) return area;
  if (known.size >= AREAS_MAX) known.clear();
  area = {
    cell,
    path: cellPath(cell),
    middles: Float64Array.from(childrenOf(cell).flatMap((child) => onSphere(cellGeometry.centreOf(child)))),
  };
  known.set(cell, area);
  return area;
}

function onSphere({ latitude, longitude }: Point): readonly [x: number, y: number, z: number] {
  const [north, east] = [latitude * RADIANS, longitude * RADIANS];
  return [Math.cos(north) * Math.cos(east), Math.cos(north) * Math.sin(east), Math.sin(north)];
}

/** Along the sphere, by the shortest chord: one root and one arc for all of them. */
function metresToNearest(middles: Float64Array, x: number, y: number, z: number): number {
  let least = Infinity;
  for (let at = 0; at + 2 < middles.length; at += 3) {
    const dx = (middles[at] ?? 0) - x;
    const dy = (middles[at + 1] ?? 0) - y;
    const dz = (middles[at + 2] ?? 0) - z;
    least = Math.min(least, dx * dx + dy * dy + dz * dz);
  }
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.min(1, Math.sqrt(least) / 2));
}

/** As the last accepted locations have them. */
function exactly(source: DriverSource, candidates: readonly Candidate[], { latitude, longitude }: NearbyQuery): readonly NearbyDriver[] {
  const locations = source.lastLocations(candidates.map(({ row }) => row.driverId));
  const drivers: NearbyDriver[] = [];
  for (const [index, { row }] of candidates.entries()) {
    const location = locations[index];
    if (location?.onDuty === false) continue;
    // The driver himself may be kept by another instance: then he is where he was told to be.
    const { latitude: north, longitude: east } = location ?? row;
    const { driverId, vehicle, capacity, jobs } = row;
    const metres = Math.round(distanceMetres(latitude, longitude, north, east));
    const recordedAt = location?.recordedAt ?? row.at;
    drivers.push({ driverId, metres, position: { latitude: north, longitude: east }, recordedAt, vehicle, capacity, jobs });
  }
  return drivers;
}

function insert(best: NearbyDriver[], driver: NearbyDriver, limit: number): void {
  let at = best.length;
  while (at > 0 && isBefore(driver, best[at - 1])) at--;
  best.splice(at, 0, driver);
  if (best.length > limit) best.pop();
}

function isBefore(a: NearbyDriver, b: NearbyDriver | undefined): boolean {
  return b !== undefined && (a.metres < b.metres || (a.metres === b.metres && a.driverId < b.driverId));
}
