import { countSchema, currencySchema, idSchema, minorSchema, noteSchema, tagsSchema, timeSchema } from "./avro/primitives.ts";
import { type Point, pointSchema } from "./common.ts";

interface RideEventBase {
  readonly eventId: string;
  readonly rideId: string;
  readonly occurredAt: number;
  readonly version: number;
}
export interface RideRequested extends RideEventBase {
  readonly type: "RideRequested";
  readonly pickup: Point;
  readonly dropOff: Point;
  readonly notBefore: number;
  readonly requirements: readonly string[];
  readonly quoteMinor: number;
  readonly currency: string;
}
export interface RideCancelled extends RideEventBase {
  readonly type: "RideCancelled";
  readonly reason: string;
}
/** dispatch.rides.v1, key rideId. */
export type RideEvent = RideRequested | RideCancelled;

const rideEventFields = [
  { name: "eventId", type: idSchema },
  { name: "rideId", type: idSchema },
  { name: "occurredAt", type: timeSchema },
  { name: "version", type: countSchema },
] as const;
const rideRequested = {
  type: "record",
  name: "RideRequested",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...rideEventFields,
    { name: "pickup", type: pointSchema },
    { name: "dropOff", type: pointSchema },
    { name: "notBefore", type: timeSchema },
    { name: "requirements", type: tagsSchema },
    { name: "quoteMinor", type: minorSchema },
    { name: "currency", type: currencySchema },
  ],
} as const;
const rideCancelled = {
  type: "record",
  name: "RideCancelled",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [...rideEventFields, { name: "reason", type: noteSchema }],
} as const;
export const rideEventSchema = [rideRequested, rideCancelled] as const;
