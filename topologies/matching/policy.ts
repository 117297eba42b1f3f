/** The one small interface behind which every matching algorithm stands. A policy is a pure function. Contract only. */
import type { JobContent, PlanStop, Point, PresentJob, Vehicle } from "#schemas";

export interface OpenJob {
  readonly jobId: string;
  readonly attempt: number;
  readonly orderVersion: number;
  readonly content: JobContent;
  readonly notBefore: number;
  readonly excludedDrivers: ReadonlySet<string>;
  /** A driver at a version that just refused this job: not to be asked again until he changes. */
  readonly skip: { readonly driverId: string; readonly driverVersion: number } | undefined;
}

export interface KnownDriver {
  readonly driverId: string;
  readonly driverVersion: number;
  readonly position: Point;
  readonly vehicle: Vehicle;
  readonly tags: readonly string[];
  readonly capacity: number;
  readonly shiftEndsAt: number | null;
  readonly plan: readonly PlanStop[];
  readonly jobs: readonly PresentJob[];
  /** When position and plan were told; without it a policy takes them as of now. */
  readonly toldAt?: number;
  /** A proposal of this cell is out and not yet answered: better left alone. */
  readonly asked: boolean;
}

export interface TravelModel {
  readonly name: string;
  /** Milliseconds from one point to another. */
  travelMs(from: Point, to: Point, vehicle: Vehicle): number;
  /** Time at the counter or door: half before, half after the instant of pickup or drop-off. */
  readonly serviceMs: number;
}

export interface MatchingProblem {
  /** The tick's timestamp. */
  readonly now: number;
  /** All queued jobs whose notBefore has come, by (readyAt, jobId). The policy decides what is due. */
  readonly jobs: readonly OpenJob[];
  /** All drivers known in the cell, by driverId; with `nearby` a policy narrows them. */
  readonly drivers: readonly KnownDriver[];
  /**
   * Drivers around a point by growing H3 rings, nearest ring first, stopping once `atLeast` were found or the cell's index is
   * exhausted. `passes`: those alone; who asks for them and filters afterwards has to ask for more and more.
   */
  nearby(point: Point, atLeast: number, passes?: (driver: KnownDriver) => boolean): readonly KnownDriver[];
  readonly travel: TravelModel;
  readonly parameters: Readonly<Record<string, number>>;
  /** For whatever is drawn by lot: follows from cell and tick. Default 0. */
  readonly seed?: number;
  /** What the policy of this name returned at the cell's last tick, unless there is none or it was forgotten. */
  readonly memory?: string;
}

/** What a policy decides that minds from tick to tick what it has not proposed yet. */
export interface Remembered {
  readonly matches: readonly Match[];
  /** Text of its own making, bounded by the cell's jobs and drivers; undefined: nothing to remember. */
  readonly memory: string | undefined;
  /** Free drivers, with no match in this tick, who had better wait elsewhere; at most one each. */
  readonly moves?: readonly Move[];
}

/** Where a free driver is to wait. Nothing is promised by it: he may get work before he sets out, and may not obey. */
export interface Move {
  readonly driverId: string;
  /** A place's id and its counter. */
  readonly placeId: string;
  readonly to: Point;
  readonly arrivesAt: number;
}

export interface Match {
  readonly driverId: string;
  /** Jobs to add, all of one place unless the plan rule of the vehicle allows more, in drop-off order. */
  readonly jobIds: readonly string[];
  /** The driver's whole plan after it. */
  readonly plan: readonly PlanStop[];
  /** Of the most urgent job: ready − now − travel. */
  readonly slackMs: number;
  readonly pickupEta: number;
}

export interface Policy {
  readonly name: string;
  /** Names, units, defaults and sources of all parameters. */
  readonly parameters: Readonly<Record<string, { readonly default: number; readonly unit: string; readonly source: string }>>;
  /** At most one match per driver; deterministic: ties by id. */
  match(problem: MatchingProblem): readonly Match[];
  /** Asked instead of `match` where there is one. Pure as well: what it remembers comes with the problem. */
  matchRemembering?(problem: MatchingProblem): Remembered;
}
