/**
 * What is asked of the dispatch application. Contract only: answered from the database of this process, or, over HTTP, by the
 * process that has the key.
 */
import type { AssignmentEvent, InputRefused, JobBilled, JobContent, Point, TripChanged, TripState, Vehicle } from "#schemas";

export const NEARBY_METRES_MAX = 5_000;
export const NEARBY_DRIVERS_MAX = 100;
export const QUEUE_JOBS_MAX = 200;
export const STATS_HOURS_MAX = 48;

/** How old an answer may be: rows are at least as new as these positions. */
export interface Freshness {
  readonly positions: readonly SourcePosition[];
  /** How far the inputs' newest processed record lies behind the clock; 0 when everything written is processed. Undefined: never any. */
  readonly staleMs: number | undefined;
  /** From rows that follow the instance that has the partition: so many records behind it. Positions and age are not known then. */
  readonly standbyLagRecords?: number;
}

export interface SourcePosition {
  readonly topic: string;
  readonly partition: number;
  /** Of the next record to be processed. */
  readonly offset: number;
}

export interface Answer<T> {
  readonly value: T;
  readonly freshness: Freshness;
}

export interface DriverView {
  readonly driverId: string;
  readonly duty: "on" | "off" | "silent";
  readonly version: number;
  readonly position: Point | null;
  /** Device's time of the position. */
  readonly recordedAt: number | null;
  readonly seenAt: number | null;
  readonly vehicle: Vehicle;
  readonly tags: readonly string[];
  readonly capacity: number;
  readonly shiftEndsAt: number | null;
  readonly cells: readonly string[];
  readonly jobs: readonly DriverJob[];
}

export interface DriverJob {
  readonly jobId: string;
  readonly attempt: number;
  readonly status: "offered" | "held" | "pickedUp";
  readonly pickupEta: number | null;
  readonly dropOffEta: number | null;
}

export interface NearbyQuery extends Point {
  /** 1 to 5,000. */
  readonly radiusMetres: number;
  /** 1 to 100. */
  readonly limit: number;
  /** Of matching; default: all. */
  readonly partitions?: readonly number[];
}

export interface NearbyDriver {
  readonly driverId: string;
  readonly metres: number;
  readonly position: Point;
  readonly recordedAt: number;
  readonly vehicle: Vehicle;
  readonly capacity: number;
  /** In the plan now. */
  readonly jobs: number;
}

export interface NearbyView {
  /** By distance. */
  readonly drivers: readonly NearbyDriver[];
  /** False when the area has more drivers than one answer looks at: some may be missing. */
  readonly complete: boolean;
  /** Parts of the area of which nobody answered. */
  readonly missing?: readonly MissingPart[];
}

export interface MissingPart {
  readonly partitions: readonly number[];
  /** Undefined: nobody has them at the moment. */
  readonly instance: string | undefined;
  readonly reason: string;
}

export interface AssignmentView {
  readonly jobId: string;
  readonly state: TripState;
  readonly attempt: number;
  readonly jobVersion: number;
  readonly driverId: string | null;
  readonly driverVersion: number | null;
  readonly proposalId: string | null;
  readonly policy: string | null;
  readonly slackMs: number | null;
  /** As the matcher expected it when it proposed. */
  readonly pickupEta: number | null;
}

export interface JobView extends AssignmentView {
  readonly content: JobContent | null;
  readonly cell: string;
  readonly deadlineAt: number;
  readonly retryAt: number;
  /** What was written about it, oldest first. */
  readonly story: JobStory;
}

export interface JobStory {
  readonly trips: readonly Told<TripChanged>[];
  readonly assignments: readonly Told<AssignmentEvent>[];
  /** Why each driver was asked, as the matcher said it. */
  readonly proposals: readonly Told<Why>[];
  readonly refusals: readonly Told<Omit<InputRefused, "event">>[];
  readonly bill: Told<JobBilled> | null;
  /** False when the topics hold more than one answer reads, or no longer all of it. */
  readonly complete: boolean;
}

export interface Told<T> extends SourcePosition {
  readonly timestamp: number;
  readonly event: T;
}

export interface Why {
  readonly driverId: string;
  readonly driverVersion: number;
  readonly proposalId: string;
  readonly cell: string;
  /** The tick that decided. */
  readonly tickAt: number;
  readonly policy: string;
  readonly slackMs: number;
  readonly pickupEta: number;
  readonly offerSeconds: number;
  /** Proposed together. */
  readonly jobs: readonly string[];
  /** His stops with them, in order. */
  readonly plan: readonly { readonly jobId: string; readonly kind: "pickup" | "dropOff" }[];
}

export interface QueuedJob {
  readonly jobId: string;
  readonly attempt: number;
  readonly status: "queued" | "proposed";
  readonly askedDriver: string | null;
  readonly readyAt: number;
  readonly notBefore: number;
  /** Ready time − now − travel from the nearest present driver to the pickup; null where nobody is near. The least is the most urgent. */
  readonly slackMs: number | null;
  readonly refusals: number;
}

export interface QueueView {
  readonly cell: string;
  /** By slack, those without a driver near first. */
  readonly jobs: readonly QueuedJob[];
  /** All of the cell, also those beyond the limit. */
  readonly waiting: number;
  readonly proposed: number;
}

export interface StatsQuery {
  /** Whole hours that begin at or after this time; default: the last hour begun and the one before. */
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
  /** Of resolution 7 or coarser: everything within it. */
  readonly cell?: string;
}

export interface HourOfCell {
  /** Its beginning. */
  readonly hour: number;
  /** H3 resolution 7, of the pickup. */
  readonly cell: string;
  readonly placed: number;
  readonly assigned: number;
  readonly pickedUp: number;
  readonly completed: number;
  readonly cancelled: number;
  readonly failed: number;
  /** Means over what happened in this hour; null where nothing did. */
  readonly toAssignedMs: number | null;
  readonly toPickupMs: number | null;
  readonly toDropOffMs: number | null;
}

export interface StatsView {
  /** Counted from here: hours before are not kept. */
  readonly since: number;
  readonly hours: readonly HourOfCell[];
}

/**
 * Rejects with ApiError: `KEY_NOT_FOUND`, `BAD_REQUEST`, or `NOT_READY` with its reason while a partition is restored or has moved:
 * never an empty answer for either.
 */
export interface Queries {
  driver(driverId: string): Promise<Answer<DriverView>>;
  nearby(query: NearbyQuery): Promise<Answer<NearbyView>>;
  job(jobId: string): Promise<Answer<JobView>>;
  assignment(jobId: string): Promise<Answer<AssignmentView>>;
  queue(cell: string, limit: number): Promise<Answer<QueueView>>;
  stats(query: StatsQuery): Promise<Answer<StatsView>>;
}

/** Whose a partition of a store is. A changed epoch between two looks means that it may have moved between them. */
export interface Ownership {
  epoch(): number;
  /** Undefined: here, and whole. */
  absence(store: string, partition: number): Absence | undefined;
}

export interface Absence {
  readonly reason: "STARTING" | "RESTORING" | "REBALANCING" | "MOVED" | "DRAINING";
  /** What is missing and how far it is, for people. */
  readonly detail: string;
  readonly retryAfterMs: number;
}
