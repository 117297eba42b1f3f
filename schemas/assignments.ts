import { timeSchema } from "./avro/primitives.ts";

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

const assignmentFields = [
  { name: "jobId", type: "string" },
  { name: "proposalId", type: "string" },
  { name: "attempt", type: "int" },
  { name: "jobVersion", type: "int" },
  { name: "policy", type: "string" },
  { name: "at", type: timeSchema },
] as const;
const withDriverFields = [...assignmentFields, { name: "driverId", type: "string" }, { name: "driverVersion", type: "int" }] as const;
const driverOffered = {
  type: "record",
  name: "DriverOffered",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [...withDriverFields, { name: "offerUntil", type: timeSchema }],
} as const;
const driverAssigned = {
  type: "record",
  name: "DriverAssigned",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [...withDriverFields, { name: "slackMs", type: "long" }, { name: "pickupEta", type: timeSchema }],
} as const;
const assignmentRevoked = {
  type: "record",
  name: "AssignmentRevoked",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...withDriverFields,
    {
      name: "reason",
      type: { type: "enum", name: "RevokeReason", symbols: ["cancelled", "deadline", "declined", "offerExpired", "shiftEnded", "silent"] },
    },
  ],
} as const;
const assignmentFailed = {
  type: "record",
  name: "AssignmentFailed",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...assignmentFields,
    { name: "reason", type: { type: "enum", name: "FailReason", symbols: ["deadline", "attempts"] } },
    { name: "retryAfterSeconds", type: "double" },
  ],
} as const;
export const assignmentEventSchema = [driverOffered, driverAssigned, assignmentRevoked, assignmentFailed] as const;
