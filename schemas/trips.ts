import { timeSchema } from "./avro/primitives.ts";
import { type JobContent, jobContentSchema } from "./common.ts";

export type TripState = "open" | "offered" | "assigned" | "atPickup" | "pickedUp" | "completed" | "cancelled" | "failed";

/** dispatch.trips.v1, key jobId: every change of a job's life. */
export interface TripChanged {
  readonly type: "TripChanged";
  readonly jobId: string;
  readonly jobVersion: number;
  readonly attempt: number;
  readonly state: TripState;
  /** Null while no driver has it. */
  readonly driverId: string | null;
  readonly driverVersion: number | null;
  readonly reason: string;
  readonly at: number;
  /** In force at this change: billing and readers need nothing else. Null only for a job cancelled before it was placed. */
  readonly content: JobContent | null;
  /** Part of a ride's price, in thousandths, fixed when it was quoted; 1000 = none. */
  readonly surgeMilli: number;
}

export const tripChangedSchema = {
  type: "record",
  name: "TripChanged",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "jobId", type: "string" },
    { name: "jobVersion", type: "int" },
    { name: "attempt", type: "int" },
    {
      name: "state",
      type: {
        type: "enum",
        name: "TripState",
        symbols: ["open", "offered", "assigned", "atPickup", "pickedUp", "completed", "cancelled", "failed"],
      },
    },
    { name: "driverId", type: ["null", "string"] },
    { name: "driverVersion", type: ["null", "int"] },
    { name: "reason", type: "string" },
    { name: "at", type: timeSchema },
    { name: "content", type: ["null", jobContentSchema] },
    { name: "surgeMilli", type: "int", default: 1000 },
  ],
} as const;
