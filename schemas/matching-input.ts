import type { JobContent, JobToken, PlanStop, Point, Vehicle } from "./common.ts";
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
  readonly policy: import("./policies.ts").ZonePolicy;
}
/** dispatch.matching-input.v1, key dispatch cell. */
export type MatchingInput = JobOpened | JobClosed | DriverPresent | ProposalRefused | Ticked | MatchingPolicyChanged;
