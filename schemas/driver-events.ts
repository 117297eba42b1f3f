import type { Point, Vehicle } from "./common.ts";

interface DriverEventBase {
  readonly eventId: string;
  readonly driverId: string;
  readonly occurredAt: number;
}
export interface ShiftStarted extends DriverEventBase {
  readonly type: "ShiftStarted";
  readonly position: Point;
  readonly vehicle: Vehicle;
  readonly tags: readonly string[];
  /** Jobs at once, ≥ 1. */
  readonly capacity: number;
  /** Planned end of the shift; no pickup after it. Null when open. */
  readonly endsAt: number | null;
}
export interface ShiftEnded extends DriverEventBase {
  readonly type: "ShiftEnded";
}
interface JobActionBase extends DriverEventBase {
  readonly jobId: string;
  readonly attempt: number;
}
export interface JobAccepted extends JobActionBase {
  readonly type: "JobAccepted";
}
export interface JobDeclined extends JobActionBase {
  readonly type: "JobDeclined";
}
export interface ArrivedAtPickup extends JobActionBase {
  readonly type: "ArrivedAtPickup";
}
export interface PickedUp extends JobActionBase {
  readonly type: "PickedUp";
}
export interface DroppedOff extends JobActionBase {
  readonly type: "DroppedOff";
}

/** dispatch.driver-events.v1, key driverId. */
export type DriverEvent = ShiftStarted | ShiftEnded | JobAccepted | JobDeclined | ArrivedAtPickup | PickedUp | DroppedOff;
