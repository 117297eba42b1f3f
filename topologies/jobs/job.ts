/** An order or a ride as the `jobs` subtopology keeps it. */
import type {
  AssignmentEvent,
  JobAmended,
  JobClosed,
  JobContent,
  JobDropped,
  JobNearby,
  JobOpened,
  JobProgressed,
  JobReleased,
  JobReserved,
  Point,
  RefusalReason,
  TripChanged,
  TripState,
  ZonePolicy,
} from "#schemas";

import type { Quote } from "./surges.ts";

/** Who has the job, and by what proposal. */
export interface JobDriver {
  readonly driverId: string;
  readonly driverVersion: number;
  readonly proposalId: string;
  readonly policy: string;
  readonly slackMs: number;
  readonly pickupEta: number;
}

export interface Job {
  readonly jobId: string;
  readonly state: TripState;
  /** Counts tokens: only this table makes the next one. */
  readonly attempt: number;
  /** Newest accepted version of the content. */
  readonly orderVersion: number;
  /** Counts published changes. */
  readonly jobVersion: number;
  /** Null only for a job cancelled before it was placed. */
  readonly content: JobContent | null;
  /** Null while open; the last one once ended. */
  readonly driver: JobDriver | null;
  readonly excludedDrivers: readonly string[];
  /** The dispatch cell in which it was opened last. */
  readonly cell: string;
  /** Cells within reach of the pickup that were told of that opening. */
  readonly nearCells: readonly string[];
  /** No proposal of the running attempt before this time; 0 for the first attempt. */
  readonly retryAt: number;
  /** From placement to the end. */
  readonly deadlineAt: number;
  readonly recentEvents: readonly string[];
  /** Part of the price, fixed when it was quoted. */
  readonly surgeMilli: number;
}

/** Placed: an order or a ride, first or again. */
export interface Placed {
  readonly type: "Placed";
  readonly eventId: string;
  readonly version: number;
  readonly content: JobContent;
}
/** Another ready time for the order as it is. */
export interface ReadyTimeChanged {
  readonly type: "ReadyTimeChanged";
  readonly eventId: string;
  readonly version: number;
  readonly readyAt: number;
}
export interface Cancelled {
  readonly type: "Cancelled";
  readonly eventId: string;
  readonly version: number;
  readonly occurredAt: number;
  readonly reason: string;
}
export interface DeadlineReached {
  readonly type: "DeadlineReached";
}

export type JobRequest = Placed | ReadyTimeChanged | Cancelled;
export type JobInput = JobRequest | JobReserved | JobDropped | JobProgressed | DeadlineReached;

export type JobOutput =
  | { readonly to: "cell"; readonly record: JobOpened | JobNearby | JobClosed }
  | { readonly to: "driver"; readonly record: JobReleased | JobAmended }
  | { readonly to: "assignments"; readonly record: AssignmentEvent }
  | { readonly to: "trips"; readonly record: TripChanged }
  | { readonly to: "refusals"; readonly reason: RefusalReason };

export interface JobContext {
  /** Timestamp of the record or timer in hand. */
  readonly at: number;
  /** Jobs that ended at or before this time may be forgotten; −1: none is. */
  readonly forgottenUntil: number;
  /** The dispatch cell of a pickup by the resolution now in force, and the policy of its zone. */
  zoneOf(pickup: Point): { readonly cell: string; readonly policy: ZonePolicy };
  /** Other dispatch cells within reach of a pickup. */
  cellsNear(pickup: Point): readonly string[];
  /** The price of this content by a surge: fixed one for all that come with a price. Undefined `surgeMilli`: as it is now. */
  quote(content: JobContent, surgeMilli?: number): Quote;
}

export interface JobDecision {
  /** Undefined: still unknown. */
  readonly job: Job | undefined;
  readonly outputs: readonly JobOutput[];
  /** When the deadline timer fires; null: no timer. */
  readonly deadlineAt: number | null;
}

/** The time from which an ended job counts as old. A request of it is never newer, so none can open the job again afterwards. */
export function endedAt(job: Job, at: number): number {
  return Math.max(at, job.content?.placedAt ?? at);
}

export function hasEnded(state: TripState): state is "completed" | "cancelled" | "failed" {
  return state === "completed" || state === "cancelled" || state === "failed";
}
