/** What a protocol world is made of: the tables, how large it is, and what a cell may ask. */
import type { DriverPresent } from "#schemas";
import { decideDriver } from "../drivers/driver-table.ts";
import { unknownDriver } from "../drivers/driver.ts";
import type { DriverDecision, DriverInput, DriverState } from "../drivers/driver.ts";
import { decideJob } from "../jobs/job-table.ts";
import type { Job, JobDecision, JobInput } from "../jobs/job.ts";
import { decideCell } from "../matching/cell-table.ts";
import type { CellInput } from "../matching/cell-table.ts";
import { isSkipped } from "../matching/cell.ts";
import type { Cell, CellDecision, CellJob } from "../matching/cell.ts";
import type { driverContext, jobContext } from "./samples.ts";
import { must } from "./violation.ts";

/** The tables as the world calls them; a test may plant a wrong rule by wrapping one. */
export interface Tables {
  readonly driver: (state: DriverState, input: DriverInput, context: ReturnType<typeof driverContext>) => DriverDecision;
  readonly job: (jobId: string, job: Job | undefined, input: JobInput, context: ReturnType<typeof jobContext>) => JobDecision;
  readonly cell: (cell: Cell, input: CellInput) => CellDecision;
  /** A driver who was forgotten at this version. */
  readonly stranger: (driverId: string, version: number) => DriverState;
}
export const soundTables: Tables = { driver: decideDriver, job: decideJob, cell: decideCell, stranger: unknownDriver };

export interface WorldBounds {
  readonly drivers: number;
  readonly jobs: number;
  readonly cells: number;
  readonly capacity: number;
  readonly offers: boolean;
  /** Openings move from cell 0 to cell 1 at some moment. */
  readonly rezone: boolean;
  /** Job 0 asks for a tag that no cell looks at and only the last driver has. */
  readonly veto: boolean;
  /** Records of this kind of channel, such as `j>d` from jobs to drivers, stay under way for long. */
  readonly slow: string;
}

/** A tick of a cell that looks at no map. */
export const alone = { travel: { name: "none", serviceMs: 0, travelMs: () => 0 }, nearby: () => [], cellsReached: () => [] };

/** With nothing under way, a cell knows of exactly the open jobs of others, as they are. */
export function checkNearby({ name, nearby }: Cell, jobs: ReadonlyMap<string, Job | undefined>): void {
  for (const [jobId, { attempt, home }] of nearby) {
    const job = jobs.get(jobId);
    const stands = job?.state === "open" && job.attempt === attempt && job.cell === home && home !== name;
    must(stands, () => `cell ${name} still counts on job ${jobId} of ${home}, which is ${job?.state ?? "unknown"}`);
  }
  for (const [jobId, job] of jobs) {
    const known = job?.state !== "open" || job.cell === name || nearby.get(jobId)?.orderVersion === job.orderVersion;
    must(known, () => `cell ${name} does not know of job ${jobId} as it is`);
  }
}

/** The driver may be asked for this job. */
function mayAsk(job: CellJob, driver: DriverPresent): boolean {
  return !isSkipped(job, driver) && !job.excludedDrivers.includes(driver.driverId);
}

/** As much of the plan rule as a cell knows; requirements are left out, so that drivers have something to refuse. */
function looksFree(driver: DriverPresent, jobs: readonly CellJob[]): boolean {
  if (driver.jobs.length + jobs.length > driver.capacity || driver.jobs.some((job) => job.arrived)) return false;
  return new Set([...driver.jobs, ...jobs.map((job) => job.content)].map((job) => job.placeId)).size === 1;
}

/** Pairs and single jobs that the policy could give to a driver who looks free. */
export function matchesOf(cell: Cell): { readonly driverId: string; readonly jobIds: readonly string[] }[] {
  const queued = [...cell.jobs.values()].filter((job) => job.status === "queued");
  const sets = [...queued.map((job) => [job]), ...queued.flatMap((a, i) => queued.slice(i + 1).map((b) => [a, b]))];
  const matches: { driverId: string; jobIds: string[] }[] = [];
  for (const driver of cell.drivers.values()) {
    for (const jobs of sets) {
      if (jobs.every((job) => mayAsk(job, driver)) && looksFree(driver, jobs)) {
        matches.push({ driverId: driver.driverId, jobIds: jobs.map((job) => job.jobId) });
      }
    }
  }
  return matches;
}
