interface AssignmentBase {
  readonly jobId: string;
  /** Tick and pair that proposed it: `<cell>/<tick ms>/<driverId>`. Empty where no proposal was involved. */
  readonly proposalId: string;
  readonly attempt: number;
  /** Counts this job's published changes, from 1. */
  readonly jobVersion: number;
  readonly policy: string;
  readonly at: number;
}
interface WithDriver {
  readonly driverId: string;
  readonly driverVersion: number;
}
export interface DriverOffered extends AssignmentBase, WithDriver {
  readonly type: "DriverOffered";
  readonly offerUntil: number;
}
export interface DriverAssigned extends AssignmentBase, WithDriver {
  readonly type: "DriverAssigned";
  /** Milliseconds; the matcher's view when it proposed. */
  readonly slackMs: number;
  /** Expected arrival at the pickup. */
  readonly pickupEta: number;
}
export interface AssignmentRevoked extends AssignmentBase, WithDriver {
  readonly type: "AssignmentRevoked";
  readonly reason: RevokeReason;
}
export interface AssignmentFailed extends AssignmentBase {
  readonly type: "AssignmentFailed";
  readonly reason: FailReason;
  readonly retryAfterSeconds: number;
}
export type RevokeReason = "cancelled" | "deadline" | "declined" | "offerExpired" | "shiftEnded" | "silent";
export type FailReason = "deadline" | "attempts";
/** dispatch.assignments.v1, key jobId. */
export type AssignmentEvent = DriverOffered | DriverAssigned | AssignmentRevoked | AssignmentFailed;
