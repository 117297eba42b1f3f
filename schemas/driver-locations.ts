import type { Point } from "./common.ts";

/** dispatch.driver-locations.v1, key driverId. */
export interface DriverLocation {
  readonly type: "DriverLocation";
  readonly eventId: string;
  readonly driverId: string;
  readonly position: Point;
  /** Metres, ≥ 0. */
  readonly accuracyMetres: number;
  /** Metres per second, ≥ 0. */
  readonly speed: number;
  /** Degrees clockwise from north, [0, 360). */
  readonly heading: number;
  readonly recordedAt: number;
}
