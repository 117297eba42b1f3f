/**
 * The checks of a location, before anything else looks at it. It sees one driver's whereabouts only and makes no H3 call
 * while the point stays inside the inscribed circle of the last fine cell: this is the path of nearly every record.
 */
import type { DriverLocation, Point, RefusalReason } from "#schemas";
import type { DriverWhereabouts } from "./driver.ts";
import { contains, hashId, mayContain, NEWEST_MAX, withNewest } from "./recent-locations.ts";

/** A location recorded further ahead of its record than this is a wrong clock, and would block all that follow. */
export const CLOCK_LEAD_MS_MAX = 60_000;

export interface LocationSettings {
  /** 0: no location is too old. */
  readonly locationTtlMs: number;
  readonly throttleMs: number;
  readonly speedMetresPerSecondMax: number;
  readonly zoneEpoch: number;
  metresBetween(a: Point, b: Point): number;
  /** True only if the point is certainly in this fine cell. */
  surelyIn(fineCell: string, point: Point): boolean;
  fineCellOf(point: Point): string;
  /** Whether the hash is among the driver's older accepted locations; asked only where the filter does not rule it out. */
  isOlder(driverId: string, hash: number): boolean;
}

/** The new whereabouts, or why the location has no effect. `at` is the record's timestamp. */
export function checkLocation(
  before: DriverWhereabouts,
  location: DriverLocation,
  at: number,
  settings: LocationSettings,
): DriverWhereabouts | RefusalReason {
  const hash = hashId(location.eventId);
  if (contains(before.newest, hash)) return "DUPLICATE";
  if (mayContain(before.older, hash) && settings.isOlder(location.driverId, hash)) return "DUPLICATE";
  if (before.duty === "off" && !before.tracked) return "OFF_DUTY";
  const { recordedAt, position } = location;
  const elapsed = recordedAt - before.recordedAt;
  if (elapsed <= 0) return "OUT_OF_ORDER";
  if (settings.locationTtlMs > 0 && at - recordedAt > settings.locationTtlMs) return "STALE";
  if (recordedAt - at > CLOCK_LEAD_MS_MAX) return "IMPOSSIBLE";
  if (elapsed < settings.throttleMs) return "THROTTLED";
  // Who fell silent may have been heard wrongly before: were he measured by that, one false position would silence him for ever.
  if (before.recordedAt > 0 && before.duty !== "silent") {
    const metres = settings.metresBetween(before, position);
    if ((metres - location.accuracyMetres) * 1000 > settings.speedMetresPerSecondMax * elapsed) return "IMPOSSIBLE";
  }
  const stays = before.fineCell !== "" && settings.surelyIn(before.fineCell, position);
  return {
    duty: before.duty,
    tracked: before.tracked,
    latitude: position.latitude,
    longitude: position.longitude,
    recordedAt,
    seenAt: at,
    fineCell: stays ? before.fineCell : settings.fineCellOf(position),
    zoneEpoch: settings.zoneEpoch,
    newest: withNewest(before.newest, before.newestAt, hash),
    newestAt: (before.newestAt + 1) % NEWEST_MAX,
    older: before.older,
  };
}
