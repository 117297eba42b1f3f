/** A dispatch cell as the `matching` subtopology keeps it: the jobs opened in it and the drivers last told of. */
import type { DriverPresent, DriverRepositioned, JobContent, JobNearby, JobsProposed } from "#schemas";

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
  /**
   * Drivers that refused this job as they are known here now, the last one last: not asked again until they change. All of
   * them, not only the last: two drivers that refuse by a rule no cell sees would be asked in turn for ever. At most the
   * drivers present.
   */
  readonly skips: readonly Refusal[];
}

export interface Refusal {
  readonly driverId: string;
  readonly driverVersion: number;
  /** He refused a bundle, so perhaps not for this job: he may be asked for it alone. */
  readonly bundled: boolean;
}

/** Whether a driver, as he is known now, must not be asked for this job again. */
export function isSkipped(job: CellJob, driver: DriverPresent): boolean {
  return refusalOf(job, driver)?.bundled === false;
}

/** What this driver, as he is known now, answered for this job. */
export function refusalOf(job: CellJob, driver: DriverPresent): Refusal | undefined {
  return job.skips.find((seen) => seen.driverId === driver.driverId && seen.driverVersion === driver.driverVersion);
}

/** What a decision reads; the wiring keeps it. */
export interface Cell {
  readonly name: string;
  readonly jobs: ReadonlyMap<string, CellJob>;
  /** Jobs of other cells within reach, as told last: they want drivers too. */
  readonly nearby: ReadonlyMap<string, JobNearby>;
  /** The last word of each present driver. */
  readonly drivers: ReadonlyMap<string, DriverPresent>;
  /** What a policy left for its next tick; only ticks look at it. */
  readonly memory?: CellMemory | undefined;
}

/** A policy's own text, handed to no other policy. */
export interface CellMemory {
  readonly policy: string;
  readonly text: string;
}

/** What a decision changes: undefined removes. */
export interface CellDecision {
  readonly jobs: readonly (readonly [string, CellJob | undefined])[];
  readonly drivers: readonly (readonly [string, DriverPresent | undefined])[];
  /** Absent: none changes. */
  readonly nearby?: readonly (readonly [string, JobNearby | undefined])[];
  readonly outputs: readonly JobsProposed[];
  /** Drivers without work who had better wait elsewhere. */
  readonly moves?: readonly DriverRepositioned[];
  /** Absent: as it was; null: forgotten. */
  readonly memory?: CellMemory | null;
}
