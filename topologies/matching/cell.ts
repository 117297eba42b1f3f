/** A dispatch cell as the `matching` subtopology keeps it: the jobs opened in it and the drivers last told of. */
import type { DriverPresent, JobContent, JobsProposed } from "#schemas";

/** A job in its cell, from JobOpened to JobClosed. */
export interface CellJob {
  readonly cell: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly orderVersion: number;
  readonly content: JobContent;
  /** No tick before this time looks at it. */
  readonly notBefore: number;
  readonly excludedDrivers: readonly string[];
  readonly status: "queued" | "proposed";
  /** Proposed: to whom. */
  readonly askedDriver: string | null;
  /** A driver at a version that refused this job: not asked again until he changes. */
  readonly skip: DriverSeen | null;
}

export interface DriverSeen {
  readonly driverId: string;
  readonly driverVersion: number;
}

/** What a decision reads; the wiring keeps it. */
export interface Cell {
  readonly name: string;
  readonly jobs: ReadonlyMap<string, CellJob>;
  /** The last word of each present driver. */
  readonly drivers: ReadonlyMap<string, DriverPresent>;
}

/** What a decision changes: undefined removes. */
export interface CellDecision {
  readonly jobs: readonly (readonly [string, CellJob | undefined])[];
  readonly drivers: readonly (readonly [string, DriverPresent | undefined])[];
  readonly outputs: readonly JobsProposed[];
}
