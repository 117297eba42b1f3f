import { timeSchema } from "./avro/primitives.ts";
import { type ZonePolicy, policyChangedSchema } from "./policies.ts";

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
  readonly policy: ZonePolicy;
}
/** What rides of a cell cost more because drivers are scarce there; from matching to every partition, key = the cell. */
export interface SurgeChanged {
  readonly type: "SurgeChanged";
  readonly cell: string;
  /** In thousandths; 1000 = none. */
  readonly surgeMilli: number;
  /** From then on there is none, unless told again. */
  readonly until: number;
  readonly at: number;
}
/** dispatch.job-updates.v1, key jobId. */
export type JobUpdate = JobReserved | JobDropped | JobProgressed | JobPolicyChanged | SurgeChanged;

const jobUpdateFields = [
  { name: "jobId", type: "string" },
  { name: "attempt", type: "int" },
  { name: "driverId", type: "string" },
  { name: "driverVersion", type: "int" },
  { name: "at", type: timeSchema },
] as const;
const jobReserved = {
  type: "record",
  name: "JobReserved",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...jobUpdateFields,
    { name: "orderVersion", type: "int" },
    { name: "proposalId", type: "string" },
    { name: "offerUntil", type: ["null", timeSchema] },
    { name: "policy", type: "string" },
    { name: "slackMs", type: "long" },
    { name: "pickupEta", type: timeSchema },
  ],
} as const;
const jobDropped = {
  type: "record",
  name: "JobDropped",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...jobUpdateFields,
    { name: "reason", type: { type: "enum", name: "DropReason", symbols: ["declined", "offerExpired", "shiftEnded", "silent"] } },
  ],
} as const;
const jobProgressed = {
  type: "record",
  name: "JobProgressed",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...jobUpdateFields,
    { name: "step", type: { type: "enum", name: "ProgressStep", symbols: ["accepted", "arrived", "pickedUp", "droppedOff"] } },
    { name: "eventId", type: "string" },
  ],
} as const;
const surgeChanged = {
  type: "record",
  name: "SurgeChanged",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    { name: "cell", type: "string" },
    { name: "surgeMilli", type: "int" },
    { name: "until", type: timeSchema },
    { name: "at", type: timeSchema },
  ],
} as const;
export const jobUpdateSchema = [jobReserved, jobDropped, jobProgressed, policyChangedSchema, surgeChanged] as const;
