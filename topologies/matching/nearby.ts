/** Drivers around a point by growing rings of fine cells; what lies beyond the rings follows by distance. */
import type { Geography } from "../geography.ts";
import type { KnownDriver } from "./policy.ts";
import type { CellTick, DriverAt } from "./tick.ts";

/** About 2.5 km: beyond, drivers are few, and measuring each is cheaper than more rings of cells. */
const RINGS_MAX = 8;

/** For one tick of one cell: the index of its drivers is made when it is first asked for. */
export function nearbyOf(geography: Geography): CellTick["nearby"] {
  let indexed: readonly DriverAt[] | undefined;
  let byFineCell = new Map<string, KnownDriver[]>();
  return (drivers, point, atLeast, passes = everybody) => {
    if (indexed !== drivers) {
      indexed = drivers;
      byFineCell = indexOf(drivers);
    }
    const centre = geography.fineCellOf(point);
    const found: KnownDriver[] = [];
    for (let distance = 0; distance <= RINGS_MAX && found.length < Math.min(atLeast, drivers.length); distance++) {
      const ring: KnownDriver[] = [];
      for (const cell of geography.ring(centre, distance)) {
        const here = byFineCell.get(cell);
        if (here !== undefined) for (const driver of here) if (passes(driver)) ring.push(driver);
      }
      found.push(...ring.sort(byId));
    }
    if (found.length >= atLeast || found.length === drivers.length) return found;
    const seen = new Set(found);
    const rest = drivers
      .filter(({ known }) => !seen.has(known) && passes(known))
      .map(({ known }) => ({ known, metres: geography.metresBetween(known.position, point) }));
    rest.sort((a, b) => a.metres - b.metres || byId(a.known, b.known));
    for (const { known } of rest) {
      if (found.length >= atLeast) break;
      found.push(known);
    }
    return found;
  };
}

const everybody = (): boolean => true;

function indexOf(drivers: readonly DriverAt[]): Map<string, KnownDriver[]> {
  const index = new Map<string, KnownDriver[]>();
  for (const { known, fineCell } of drivers) {
    const here = index.get(fineCell);
    if (here === undefined) index.set(fineCell, [known]);
    else here.push(known);
  }
  return index;
}

function byId(a: KnownDriver, b: KnownDriver): number {
  return a.driverId < b.driverId ? -1 : a.driverId > b.driverId ? 1 : 0;
}
