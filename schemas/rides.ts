import type { Point } from "./common.ts";

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
