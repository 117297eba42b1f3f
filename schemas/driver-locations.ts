import { idSchema, timeSchema } from "./avro/primitives.ts";
import { type Point, pointSchema } from "./common.ts";

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

export const driverLocationSchema = {
  type: "record",
  name: "DriverLocation",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "eventId", type: idSchema },
    { name: "driverId", type: idSchema },
    { name: "position", type: pointSchema },
    { name: "accuracyMetres", type: { type: "double", minimum: 0 } },
    { name: "speed", type: { type: "double", minimum: 0 } },
    { name: "heading", type: { type: "double", minimum: 0, exclusiveMaximum: 360 } },
    { name: "recordedAt", type: timeSchema },
  ],
} as const;
