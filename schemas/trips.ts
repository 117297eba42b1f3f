import type { JobContent } from "./common.ts";

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
}
