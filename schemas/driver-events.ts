import { countSchema, idSchema, tagsSchema, timeSchema } from "./avro/primitives.ts";
import { type Point, type Vehicle, pointSchema, vehicleSchema } from "./common.ts";

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

const driverEventFields = [
  { name: "eventId", type: idSchema },
  { name: "driverId", type: idSchema },
  { name: "occurredAt", type: timeSchema },
] as const;
const jobActionFields = [...driverEventFields, { name: "jobId", type: idSchema }, { name: "attempt", type: countSchema }] as const;

const shiftStarted = {
  type: "record",
  name: "ShiftStarted",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...driverEventFields,
    { name: "position", type: pointSchema },
    { name: "vehicle", type: vehicleSchema },
    { name: "tags", type: tagsSchema },
    { name: "capacity", type: countSchema },
    { name: "endsAt", type: ["null", timeSchema] },
  ],
} as const;
const shiftEnded = { type: "record", name: "ShiftEnded", namespace: "dispatch.v1", tagged: true, fields: driverEventFields } as const;
const jobAccepted = { type: "record", name: "JobAccepted", namespace: "dispatch.v1", tagged: true, fields: jobActionFields } as const;
const jobDeclined = { type: "record", name: "JobDeclined", namespace: "dispatch.v1", tagged: true, fields: jobActionFields } as const;
const arrivedAtPickup = {
  type: "record",
  name: "ArrivedAtPickup",
  namespace: "dispatch.v1",
  tagged: true,
  fields: jobActionFields,
} as const;
const pickedUp = { type: "record", name: "PickedUp", namespace: "dispatch.v1", tagged: true, fields: jobActionFields } as const;
const droppedOff = { type: "record", name: "DroppedOff", namespace: "dispatch.v1", tagged: true, fields: jobActionFields } as const;

export const driverEventSchema = [shiftStarted, shiftEnded, jobAccepted, jobDeclined, arrivedAtPickup, pickedUp, droppedOff] as const;
