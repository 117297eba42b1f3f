import { timeSchema } from "./avro/primitives.ts";
import {
  type JobContent,
  type JobToken,
  type PlanStop,
  type Point,
  type Vehicle,
  jobContentSchema,
  jobTokenSchema,
  planStopSchema,
  pointSchema,
  vehicleSchema,
} from "./common.ts";
import { type ZonePolicy, policyChangedSchema } from "./policies.ts";
interface InCell {
  readonly cell: string;
  readonly at: number;
}
export interface JobOpened extends InCell {
  readonly type: "JobOpened";
  readonly jobId: string;
  readonly attempt: number;
  readonly orderVersion: number;
  readonly content: JobContent;
  readonly notBefore: number;
  readonly excludedDrivers: readonly string[];
}
/** A job opened in another cell, within reach of this one: plans made here may count on it, and never propose it. */
export interface JobNearby extends Omit<JobOpened, "type"> {
  readonly type: "JobNearby";
  /** Where it was opened. */
  readonly home: string;
}
export interface JobClosed extends InCell {
  readonly type: "JobClosed";
  readonly jobId: string;
  readonly attempt: number;
}
export interface DriverPresent extends InCell {
  readonly type: "DriverPresent";
  readonly driverId: string;
  readonly driverVersion: number;
  /** False: left this cell, off duty or silent; the other fields are as last known. */
  readonly present: boolean;
  /** H3 resolution 9, 15 lower-case hex digits. */
  readonly fineCell: string;
  readonly position: Point;
  readonly vehicle: Vehicle;
  readonly tags: readonly string[];
  readonly capacity: number;
  readonly shiftEndsAt: number | null;
  /** What the driver still has to do, in order. */
  readonly plan: readonly PlanStop[];
  readonly jobs: readonly PresentJob[];
}
/** A job in a present driver's plan, as much of it as a policy needs. */
export interface PresentJob {
  readonly jobId: string;
  readonly status: "offered" | "held" | "pickedUp";
  readonly placeId: string;
  readonly readyAt: number;
  readonly arrived: boolean;
}
export interface ProposalRefused extends InCell {
  readonly type: "ProposalRefused";
  readonly driverId: string;
  readonly driverVersion: number;
  readonly jobs: readonly JobToken[];
  readonly reason: "version" | "duty" | "plan";
}
/** Written by matching's own wall punctuation into its own partition, at most one outstanding; its key is "tick". */
export interface Ticked {
  readonly type: "Ticked";
  readonly at: number;
}
/** Copied to every partition; its key is the zone. */
export interface MatchingPolicyChanged {
  readonly type: "PolicyChanged";
  readonly policy: ZonePolicy;
}
/** dispatch.matching-input.v1, key dispatch cell. */
export type MatchingInput = JobOpened | JobClosed | DriverPresent | ProposalRefused | Ticked | MatchingPolicyChanged | JobNearby;

const inCellFields = [
  { name: "cell", type: "string" },
  { name: "at", type: timeSchema },
] as const;
const openJobFields = [
  ...inCellFields,
  { name: "jobId", type: "string" },
  { name: "attempt", type: "int" },
  { name: "orderVersion", type: "int" },
  { name: "content", type: jobContentSchema },
  { name: "notBefore", type: timeSchema },
  { name: "excludedDrivers", type: { type: "array", items: "string" } },
] as const;
const jobOpened = {
  type: "record",
  name: "JobOpened",
  namespace: "dispatch.v1",
  tagged: true,
  fields: openJobFields,
} as const;
const jobNearby = {
  type: "record",
  name: "JobNearby",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [...openJobFields, { name: "home", type: "string" }],
} as const;
const jobClosed = {
  type: "record",
  name: "JobClosed",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [...inCellFields, { name: "jobId", type: "string" }, { name: "attempt", type: "int" }],
} as const;
const presentJob = {
  type: "record",
  name: "PresentJob",
  fields: [
    { name: "jobId", type: "string" },
    { name: "status", type: { type: "enum", name: "HoldStatus", symbols: ["offered", "held", "pickedUp"] } },
    { name: "placeId", type: "string" },
    { name: "readyAt", type: timeSchema },
    { name: "arrived", type: "boolean" },
  ],
} as const;
const driverPresent = {
  type: "record",
  name: "DriverPresent",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...inCellFields,
    { name: "driverId", type: "string" },
    { name: "driverVersion", type: "int" },
    { name: "present", type: "boolean" },
    { name: "fineCell", type: "string" },
    { name: "position", type: pointSchema },
    { name: "vehicle", type: vehicleSchema },
    { name: "tags", type: { type: "array", items: "string" } },
    { name: "capacity", type: "int" },
    { name: "shiftEndsAt", type: ["null", timeSchema] },
    { name: "plan", type: { type: "array", items: planStopSchema } },
    { name: "jobs", type: { type: "array", items: presentJob } },
  ],
} as const;
const proposalRefused = {
  type: "record",
  name: "ProposalRefused",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...inCellFields,
    { name: "driverId", type: "string" },
    { name: "driverVersion", type: "int" },
    { name: "jobs", type: { type: "array", items: jobTokenSchema } },
    { name: "reason", type: { type: "enum", name: "ProposalRefusal", symbols: ["version", "duty", "plan"] } },
  ],
} as const;
const ticked = {
  type: "record",
  name: "Ticked",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [{ name: "at", type: timeSchema }],
} as const;
export const matchingInputSchema = [jobOpened, jobClosed, driverPresent, proposalRefused, ticked, policyChangedSchema, jobNearby] as const;
