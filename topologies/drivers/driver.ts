/** A driver as the `drivers` subtopology keeps it: the part each location writes, and the part that plan and duty write. */
import type { JobContent, JobDropped, JobProgressed, JobReserved, JobTracked, PlanStop, Point, Vehicle } from "#schemas";
import type {
  DriverEvent,
  DriverPresent,
  DriverRepositioned,
  JobAmended,
  JobReleased,
  JobsProposed,
  ProposalRefused,
  RefusalReason,
} from "#schemas";
import { NO_HASHES } from "./recent-locations.ts";

export type Duty = "on" | "off" | "silent";

/** Written at every accepted location, so it holds what checking the next one needs and nothing else. */
export interface DriverWhereabouts {
  /** As in the plan; here too, so that a location needs no second read. */
  readonly duty: Duty;
  /** The plan has jobs whose followers want to see each position. */
  readonly tracked: boolean;
  readonly latitude: number;
  readonly longitude: number;
  /** The device's time of the newest accepted location; later ones only. */
  readonly recordedAt: number;
  /** The record timestamp of that location: silence is counted from here. */
  readonly seenAt: number;
  /** H3 resolution 9, as last told to matching; empty before the first position. */
  readonly fineCell: string;
  /** The zones' epoch in which the dispatch cells were computed: another one computes them again. */
  readonly zoneEpoch: number;
  /** Hashes of the last accepted locations' event ids, 4 bytes each, the newest at `newestAt - 1`. */
  readonly newest: Buffer;
  readonly newestAt: number;
  /** A filter over the hashes before them, which are in a row of their own; empty while there are none. */
  readonly older: Buffer;
}

export type HoldStatus = "offered" | "held" | "pickedUp";

/** A job in the plan. */
export interface Hold {
  readonly jobId: string;
  readonly attempt: number;
  readonly orderVersion: number;
  readonly content: JobContent;
  readonly status: HoldStatus;
  /** At the counter. */
  readonly arrived: boolean;
  /** Null unless offered. */
  readonly offerUntil: number | null;
}

export interface DriverPlan {
  readonly duty: Duty;
  /** driverVersion: counts changes of plan and duty, not of position. */
  readonly version: number;
  readonly vehicle: Vehicle;
  readonly tags: readonly string[];
  /** Jobs at once. */
  readonly capacity: number;
  readonly shiftEndsAt: number | null;
  /** Dispatch cells where the driver is present; none unless on duty. */
  readonly cells: readonly string[];
  readonly holds: readonly Hold[];
  /** What is still to do, in order. */
  readonly stops: readonly PlanStop[];
  readonly recentEvents: readonly string[];
}

export interface DriverState {
  readonly driverId: string;
  readonly whereabouts: DriverWhereabouts;
  readonly plan: DriverPlan;
}

/** A location that passed every check. */
export interface LocationAccepted {
  readonly type: "LocationAccepted";
  readonly whereabouts: DriverWhereabouts;
}
export interface OfferTimeOver {
  readonly type: "OfferTimeOver";
}
export interface LocationTtlOver {
  readonly type: "LocationTtlOver";
}

export type DriverInput =
  | JobsProposed
  | JobReleased
  | JobAmended
  | DriverRepositioned
  | DriverEvent
  | LocationAccepted
  | OfferTimeOver
  | LocationTtlOver;

export type DriverOutput =
  | { readonly to: "cell"; readonly record: DriverPresent | ProposalRefused }
  | { readonly to: "job"; readonly record: JobReserved | JobDropped | JobProgressed }
  | { readonly to: "moves"; readonly record: DriverRepositioned }
  | { readonly to: "tracking"; readonly record: JobTracked }
  | { readonly to: "refusals"; readonly reason: RefusalReason };

/** What a decision depends on besides state and input. */
export interface DriverContext {
  /** Timestamp of the record or timer in hand. */
  readonly at: number;
  readonly zoneEpoch: number;
  /** Drivers whose duty ended at or before this time may be forgotten; −1: none is. */
  forgottenUntil(): number;
  fineCellOf(point: Point): string;
  /** Dispatch cells within reach of a fine cell, its own first. */
  cellsReached(fineCell: string): readonly string[];
  travelMs(from: Point, to: Point, vehicle: Vehicle): number;
  /** Time at a counter or door, for expected times; default 0. */
  readonly serviceMs?: number;
}

export interface DriverDecision {
  readonly state: DriverState;
  readonly outputs: readonly DriverOutput[];
  /** When the next running offer ends; null: no timer. */
  readonly offerEndsAt: number | null;
}

/** Nothing is left to do for this driver, and no cell has him: after a time he need not be remembered. */
export function isOver(plan: DriverPlan): boolean {
  return plan.duty !== "on" && plan.holds.length === 0 && plan.cells.length === 0;
}

/**
 * A driver of whom nothing was heard yet, or nothing for long. `version`: the largest that any forgotten driver had, so that
 * his own next one is larger than all he ever had: no proposal made to him in an earlier life can match.
 */
export function unknownDriver(driverId: string, version = 0): DriverState {
  return {
    driverId,
    whereabouts: {
      duty: "off",
      tracked: false,
      latitude: 0,
      longitude: 0,
      recordedAt: 0,
      seenAt: 0,
      fineCell: "",
      zoneEpoch: 0,
      newest: NO_HASHES,
      newestAt: 0,
      older: NO_HASHES,
    },
    plan: {
      duty: "off",
      version,
      vehicle: "car",
      tags: [],
      capacity: 1,
      shiftEndsAt: null,
      cells: [],
      holds: [],
      stops: [],
      recentEvents: [],
    },
  };
}
