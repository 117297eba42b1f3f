import { timeSchema } from "./avro/primitives.ts";
import { type Point, pointSchema } from "./common.ts";
/** dispatch.tracking.v1, key jobId: shown only while the trip names the same driver and attempt. */
export interface JobTracked {
  readonly type: "JobTracked";
  readonly jobId: string;
  readonly driverId: string;
  readonly attempt: number;
  readonly position: Point;
  readonly pickupEta: number | null;
  readonly dropOffEta: number | null;
  readonly at: number;
}

export const jobTrackedSchema = {
  type: "record",
  name: "JobTracked",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "jobId", type: "string" },
    { name: "driverId", type: "string" },
    { name: "attempt", type: "int" },
    { name: "position", type: pointSchema },
    { name: "pickupEta", type: ["null", timeSchema] },
    { name: "dropOffEta", type: ["null", timeSchema] },
    { name: "at", type: timeSchema },
  ],
} as const;
