import type { JobContent, PlanStop, PlannedJob } from "./common.ts";
/** A matcher's proposal; a refusal goes to `cell`. */
export interface JobsProposed {
  readonly type: "JobsProposed";
  readonly driverId: string;
  readonly cell: string;
  readonly proposalId: string;
  readonly driverVersion: number;
  readonly jobs: readonly PlannedJob[];
  /** The driver's whole plan after it, in order. */
  readonly plan: readonly PlanStop[];
  readonly offerSeconds: number;
  readonly policy: string;
  readonly slackMs: number;
  readonly pickupEta: number;
  readonly at: number;
}
export interface JobReleased {
  readonly type: "JobReleased";
  readonly driverId: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly at: number;
}
export interface JobAmended {
  readonly type: "JobAmended";
  readonly driverId: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly orderVersion: number;
  readonly content: JobContent;
  readonly at: number;
}
/** The operator's policy for a zone, copied to every partition; key = zone. */
export interface DriverPolicyChanged {
  readonly type: "PolicyChanged";
  readonly policy: import("./policies.ts").ZonePolicy;
}
/** dispatch.driver-commands.v1, key driverId. */
export type DriverCommand = JobsProposed | JobReleased | JobAmended | DriverPolicyChanged;
