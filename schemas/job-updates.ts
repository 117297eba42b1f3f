interface JobUpdateBase {
  readonly jobId: string;
  readonly attempt: number;
  readonly driverId: string;
  readonly driverVersion: number;
  readonly at: number;
}
export interface JobReserved extends JobUpdateBase {
  readonly type: "JobReserved";
  readonly orderVersion: number;
  readonly proposalId: string;
  /** Null: no offer, assigned at once. */
  readonly offerUntil: number | null;
  readonly policy: string;
  readonly slackMs: number;
  readonly pickupEta: number;
}
export type DropReason = "declined" | "offerExpired" | "shiftEnded" | "silent";
export interface JobDropped extends JobUpdateBase {
  readonly type: "JobDropped";
  readonly reason: DropReason;
}
export type ProgressStep = "accepted" | "arrived" | "pickedUp" | "droppedOff";
export interface JobProgressed extends JobUpdateBase {
  readonly type: "JobProgressed";
  readonly step: ProgressStep;
  readonly eventId: string;
}
/** The operator's policy for a zone, copied to every partition; key = zone. */
export interface JobPolicyChanged {
  readonly type: "PolicyChanged";
  readonly policy: import("./policies.ts").ZonePolicy;
}
/** dispatch.job-updates.v1, key jobId. */
export type JobUpdate = JobReserved | JobDropped | JobProgressed | JobPolicyChanged;
