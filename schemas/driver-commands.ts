import { timeSchema } from "./avro/primitives.ts";
import {
  type JobContent,
  type PlanStop,
  type PlannedJob,
  type Point,
  jobContentSchema,
  planStopSchema,
  plannedJobSchema,
  pointSchema,
} from "./common.ts";
import { type ZonePolicy, policyChangedSchema } from "./policies.ts";
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
/**
 * A driver without work is better placed elsewhere. Nothing is held for it: whoever has work or another version stays where he is.
 * As a command it is the matcher's word; in dispatch.driver-moves.v1, key driverId, what the driver is told.
 */
export interface DriverRepositioned {
  readonly type: "DriverRepositioned";
  readonly driverId: string;
  /** Of the matcher that wants it. */
  readonly cell: string;
  readonly driverVersion: number;
  /** The counter at which to wait. */
  readonly placeId: string;
  readonly to: Point;
  readonly arrivesAt: number;
  readonly policy: string;
  readonly at: number;
}
/** The operator's policy for a zone, copied to every partition; key = zone. */
export interface DriverPolicyChanged {
  readonly type: "PolicyChanged";
  readonly policy: ZonePolicy;
}
/** dispatch.driver-commands.v1, key driverId. */
export type DriverCommand = JobsProposed | JobReleased | JobAmended | DriverPolicyChanged | DriverRepositioned;

const jobsProposed = {
  type: "record",
  name: "JobsProposed",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "driverId", type: "string" },
    { name: "cell", type: "string" },
    { name: "proposalId", type: "string" },
    { name: "driverVersion", type: "int" },
    { name: "jobs", type: { type: "array", items: plannedJobSchema } },
    { name: "plan", type: { type: "array", items: planStopSchema } },
    { name: "offerSeconds", type: "double" },
    { name: "policy", type: "string" },
    { name: "slackMs", type: "long" },
    { name: "pickupEta", type: timeSchema },
    { name: "at", type: timeSchema },
  ],
} as const;
const jobReleased = {
  type: "record",
  name: "JobReleased",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "driverId", type: "string" },
    { name: "jobId", type: "string" },
    { name: "attempt", type: "int" },
    { name: "at", type: timeSchema },
  ],
} as const;
const jobAmended = {
  type: "record",
  name: "JobAmended",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "driverId", type: "string" },
    { name: "jobId", type: "string" },
    { name: "attempt", type: "int" },
    { name: "orderVersion", type: "int" },
    { name: "content", type: jobContentSchema },
    { name: "at", type: timeSchema },
  ],
} as const;
export const driverRepositionedSchema = {
  type: "record",
  name: "DriverRepositioned",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "driverId", type: "string" },
    { name: "cell", type: "string" },
    { name: "driverVersion", type: "int" },
    { name: "placeId", type: "string" },
    { name: "to", type: pointSchema },
    { name: "arrivesAt", type: timeSchema },
    { name: "policy", type: "string" },
    { name: "at", type: timeSchema },
  ],
} as const;
export const driverCommandSchema = [jobsProposed, jobReleased, jobAmended, policyChangedSchema, driverRepositionedSchema] as const;
