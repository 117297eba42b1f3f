/**
 * Drivers around a point by distance. The index knows each of them by fine cell, all of a parent cell in one range: parents are
 * read from the nearest outwards until nobody nearer can follow.
 */
import { cellGeometry, distanceMetres } from "#geo";
import type { CommittedView } from "#streams";
import { PRESENCE_STORE, presenceRange, type DriverWhereabouts, type PresenceRow } from "#topologies";
import type { NearbyDriver, NearbyQuery, NearbyView } from "./queries.ts";

/** About 5 km² each: some 25 of them hold a circle of 5 km. */
const PARENT_RESOLUTION = 7;
/** From a parent's centre to the farthest point of a fine cell that descends from it. */
const PARENT_REACH_METRES = 2_200;
/** The index knows a driver by where he entered his fine cell: he may be so far from there. */
const FINE_CELL_METRES = 500;
/** Rows that one answer looks at. */
const ROWS_MAX = 5_000;

interface Candidate {
  readonly row: PresenceRow;
  readonly metres: number;
}

/** Of this process's partitions. */
export function nearbyDrivers(view: CommittedView, partitions: readonly number[], query: NearbyQuery): NearbyView {
  const { latitude, longitude, radiusMetres, limit } = query;
  const parents = parentsAround(query);
  const seen = new Set<string>();
  const best: NearbyDriver[] = [];
  let rows = 0;
  let complete = true;
  const farthest = (): number => (best.length < limit ? radiusMetres : (best.at(-1)?.metres ?? radiusMetres));
  for (const { cell, leastMetres } of parents) {
    if (leastMetres > farthest()) break;
    const candidates: Candidate[] = [];
    for (const partition of partitions) {
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
    for (const { row, metres } of candidates) {
      if (metres - FINE_CELL_METRES > farthest()) break;
      if (seen.has(row.driverId)) continue;
      seen.add(row.driverId);
      const driver = exactly(view, row, query);
      if (driver !== undefined && driver.metres <= farthest()) insert(best, driver, limit);
    }
    if (!complete) break;
  }
  return { drivers: best, complete };
}

function parentsAround({
  latitude,
  longitude,
  radiusMetres,
}: NearbyQuery): readonly { readonly cell: string; readonly leastMetres: number }[] {
  const point = { latitude, longitude };
  // A fine cell may lie a little outside the parent that it descends from: the reach is wider than the radius.
  return cellGeometry
    .cellsWithin(point, PARENT_RESOLUTION, radiusMetres + FINE_CELL_METRES * 2)
    .map((cell) => {
      const centre = cellGeometry.centreOf(cell);
      const metres = distanceMetres(latitude, longitude, centre.latitude, centre.longitude);
      return { cell, leastMetres: Math.max(0, metres - PARENT_REACH_METRES - FINE_CELL_METRES) };
    })
    .sort((a, b) => a.leastMetres - b.leastMetres);
}

/** As the last accepted location has it; undefined for one who left meanwhile. */
function exactly(view: CommittedView, row: PresenceRow, { latitude, longitude }: NearbyQuery): NearbyDriver | undefined {
  const whereabouts = view.get("driver-whereabouts", row.driverId)?.value as DriverWhereabouts | undefined;
  if (whereabouts === undefined || whereabouts.duty !== "on") return undefined;
  const { driverId, vehicle, capacity, jobs } = row;
  const position = { latitude: whereabouts.latitude, longitude: whereabouts.longitude };
  const metres = Math.round(distanceMetres(latitude, longitude, position.latitude, position.longitude));
  return { driverId, metres, position, recordedAt: whereabouts.recordedAt, vehicle, capacity, jobs };
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
