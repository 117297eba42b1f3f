/**
 * The checks of a location, before anything else looks at it. It sees one driver's whereabouts only and makes no H3 call
 * while the point stays inside the inscribed circle of the last fine cell: this is the path of nearly every record.
 */
import type { DriverLocation, Point, RefusalReason } from "#schemas";
import { RECENT_EVENTS_MAX } from "../recent-events.ts";
import type { DriverWhereabouts } from "./driver.ts";

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
}

/** The new whereabouts, or why the location has no effect. `at` is the record's timestamp. */
export function checkLocation(
  before: DriverWhereabouts,
  location: DriverLocation,
  at: number,
  settings: LocationSettings,
): DriverWhereabouts | RefusalReason {
  const hash = hashId(location.eventId);
  if (isRecent(before.recent, hash)) return "DUPLICATE";
  if (before.duty === "off" && !before.tracked) return "OFF_DUTY";
  const { recordedAt, position } = location;
  const elapsed = recordedAt - before.recordedAt;
  if (elapsed <= 0) return "OUT_OF_ORDER";
  if (settings.locationTtlMs > 0 && at - recordedAt > settings.locationTtlMs) return "STALE";
  if (recordedAt - at > CLOCK_LEAD_MS_MAX) return "IMPOSSIBLE";
  if (elapsed < settings.throttleMs) return "THROTTLED";
  if (before.recordedAt > 0) {
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
    recent: withHash(before.recent, before.recentAt, hash),
    recentAt: (before.recentAt + 1) % RECENT_EVENTS_MAX,
  };
}

/** FNV-1a over the UTF-16 units, 32 bits. Two of 64 remembered ids look alike once in 60 million locations. */
export function hashId(eventId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < eventId.length; i++) hash = Math.imul(hash ^ eventId.charCodeAt(i), 0x01000193);
  return hash;
}

function isRecent(recent: Buffer, hash: number): boolean {
  // Nearly always the first byte of all of them is another one.
  const first = hash & 255;
  for (let i = 0; i < recent.length; i += 4) if (recent[i] === first && recent.readInt32LE(i) === hash) return true;
  return false;
}

/** A copy: what was stored is never changed. */
function withHash(recent: Buffer, at: number, hash: number): Buffer {
  const grows = recent.length < RECENT_EVENTS_MAX * 4;
  const copy = Buffer.allocUnsafe(grows ? recent.length + 4 : recent.length);
  recent.copy(copy);
  copy.writeInt32LE(hash, grows ? recent.length : at * 4);
  return copy;
}
