/**
 * Drivers around a point by distance. The index knows each of them by fine cell, all of a parent cell in one range: parents are
 * read from the nearest outwards until nobody nearer can follow.
 */
import { cellGeometry, distanceMetres } from "#geo";
import type { CommittedView } from "#streams";
import { PRESENCE_STORE, presenceRange, type DriverWhereabouts, type PresenceRow } from "#topologies";
import type { NearbyDriver, NearbyQuery, NearbyView } from "./queries.ts";

/** How finely the area is cut: an area is a parent cell, read as one range of the index. */
interface Cut {
  readonly resolution: number;
  /** From an area's centre to the farthest point of a fine cell that descends from it. */
  readonly reachMetres: number;
}

/** About 5 km² an area: some 25 of them hold a circle of 5 km. */
const WIDE: Cut = { resolution: 7, reachMetres: 2_200 };
/** About 0.7 km² an area: where drivers are many, the nearest are found among few rows. */
const CLOSE: Cut = { resolution: 8, reachMetres: 900 };
const CLOSE_METRES = 1_500;
/** The index knows a driver by where he entered his fine cell: he may be so far from there. */
const FINE_CELL_METRES = 500;
/** Rows that one answer looks at. */
const ROWS_MAX = 5_000;
/** Exact positions are read for so many at once, or for as many as are wanted. */
const READ_TOGETHER = 16;

interface Candidate {
  readonly row: PresenceRow;
  readonly metres: number;
}

/** `partitionsOf`: where the drivers of an area are known. */
export function nearbyDrivers(view: CommittedView, partitionsOf: (area: string) => readonly number[], query: NearbyQuery): NearbyView {
  if (query.radiusMetres > CLOSE_METRES) {
    const close = search(view, partitionsOf, { ...query, radiusMetres: CLOSE_METRES }, CLOSE);
    if (close.drivers.length >= query.limit) return close;
  }
  return search(view, partitionsOf, query, query.radiusMetres > CLOSE_METRES ? WIDE : CLOSE);
}

function search(view: CommittedView, partitionsOf: (area: string) => readonly number[], query: NearbyQuery, cut: Cut): NearbyView {
  const { latitude, longitude, radiusMetres, limit } = query;
  const areas = areasAround(query, cut);
  const seen = new Set<string>();
  const best: NearbyDriver[] = [];
  let rows = 0;
  let complete = true;
  const farthest = (): number => (best.length < limit ? radiusMetres : (best.at(-1)?.metres ?? radiusMetres));
  for (const { cell, leastMetres } of areas) {
    if (leastMetres > farthest()) break;
    const candidates: Candidate[] = [];
    for (const partition of partitionsOf(cell)) {
      const found = view.range(PRESENCE_STORE, { partition, ...presenceRange(cell), limit: ROWS_MAX - rows });
      rows += found.length;
      for (const { value } of found) {
        const row = value as PresenceRow; // the store holds nothing else
        candidates.push({ row, metres: distanceMetres(latitude, longitude, row.latitude, row.longitude) });
      }
      if (rows < ROWS_MAX) continue;
      complete = false;
      break;
    }
    // Near ones first: they push the limit inwards, and those beyond it need no second read.
    candidates.sort((a, b) => a.metres - b.metres);
    const inReach = (): Candidate | undefined => {
      const next = candidates[0];
      return next !== undefined && next.metres - FINE_CELL_METRES <= farthest() ? next : undefined;
    };
    while (inReach() !== undefined) {
      // Whoever is present in several dispatch cells has a row in each.
      const some = candidates
        .splice(0, Math.max(limit, READ_TOGETHER))
        .filter(({ row }) => !seen.has(row.driverId) && seen.add(row.driverId));
      for (const driver of exactly(view, some, query)) if (driver.metres <= farthest()) insert(best, driver, limit);
    }
    if (!complete) break;
  }
  return { drivers: best, complete };
}

/** Of dispatch cells with these resolutions, the ones in which a driver within this area can be present for his own position. */
export function dispatchCellsOf(area: string, resolutions: readonly number[]): readonly string[] {
  const centre = cellGeometry.centreOf(area);
  return resolutions.flatMap((resolution) => cellGeometry.cellsWithin(centre, resolution, WIDE.reachMetres));
}

/** The areas that hold everybody within the radius. */
export function areasOf(query: NearbyQuery): readonly string[] {
  return areasAround(query, WIDE).map(({ cell }) => cell);
}

/** With the least distance of anybody in them, the nearest first. */
function areasAround(
  { latitude, longitude, radiusMetres }: NearbyQuery,
  { resolution, reachMetres }: Cut,
): readonly { readonly cell: string; readonly leastMetres: number }[] {
  // A fine cell may lie a little outside the area that it descends from: the reach is wider than the radius.
  return cellGeometry
    .cellsWithin({ latitude, longitude }, resolution, radiusMetres + FINE_CELL_METRES * 2)
    .map((cell) => {
      const centre = cellGeometry.centreOf(cell);
      const metres = distanceMetres(latitude, longitude, centre.latitude, centre.longitude);
      return { cell, leastMetres: Math.max(0, metres - reachMetres) };
    })
    .sort((a, b) => a.leastMetres - b.leastMetres);
}

/** As the last accepted locations have them. */
function exactly(view: CommittedView, candidates: readonly Candidate[], { latitude, longitude }: NearbyQuery): readonly NearbyDriver[] {
  const rows = view.getMany(
    "driver-whereabouts",
    candidates.map(({ row }) => row.driverId),
  );
  const drivers: NearbyDriver[] = [];
  for (const [index, { row }] of candidates.entries()) {
    const whereabouts = rows[index]?.value as DriverWhereabouts | undefined; // the store holds nothing else
    if (whereabouts !== undefined && whereabouts.duty !== "on") continue;
    // The driver himself may be kept by another instance: then he is where he was told to be.
    const { latitude: north, longitude: east } = whereabouts ?? row;
    const { driverId, vehicle, capacity, jobs } = row;
    const metres = Math.round(distanceMetres(latitude, longitude, north, east));
    const recordedAt = whereabouts?.recordedAt ?? row.at;
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
