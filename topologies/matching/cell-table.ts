/**
 * The table of the `matching` task for one dispatch cell, row by row (docs/dispatch-protocol.md). Nothing
 * it decides is final: a proposal is a question. Only JobClosed makes the cell forget a job.
 */
import type { DriverPresent, JobClosed, JobNearby, JobOpened, ProposalRefused } from "#schemas";
import { ProtocolBrokenError } from "../errors.ts";
import type { Cell, CellDecision, CellJob, Refusal } from "./cell.ts";
import { decideTick } from "./tick.ts";
import type { CellTick } from "./tick.ts";

export type CellInput = JobOpened | JobNearby | JobClosed | ProposalRefused | DriverPresent | CellTick;

/** Total over state and input; pure. Throws ProtocolBrokenError. */
export function decideCell(cell: Cell, input: CellInput): CellDecision {
  switch (input.type) {
    case "JobOpened":
      return { ...NOTHING, jobs: [[input.jobId, opened(cell, input)]] };
    case "JobNearby":
      return { ...NOTHING, nearby: [[input.jobId, near(cell, input)]] };
    case "JobClosed":
      return closed(cell, input);
    case "ProposalRefused":
      return refused(cell, input);
    case "DriverPresent":
      return { ...NOTHING, drivers: [[input.driverId, input.present ? input : undefined]] };
    case "CellTick":
      return decideTick(cell, input);
    default:
      return never(input);
  }
}

const NOTHING: CellDecision = { jobs: [], drivers: [], outputs: [] };

/** Absent: queued. Same attempt: newer content, and still queued or proposed as it was. */
function opened({ name, jobs, nearby }: Cell, record: JobOpened): CellJob {
  const { jobId, attempt, orderVersion, content, notBefore, excludedDrivers } = record;
  const job = jobs.get(jobId);
  const known = nearby.get(jobId);
  if (known !== undefined) throw nearBroken(known, record.type);
  if (job === undefined) {
    const fresh = { status: "queued", askedDriver: null, skips: [] } as const;
    return { cell: name, jobId, attempt, orderVersion, content, notBefore, excludedDrivers, ...fresh };
  }
  if (job.attempt !== attempt) throw broken(job, `JobOpened with attempt ${attempt}`);
  return { ...job, orderVersion, content, notBefore, excludedDrivers };
}

/** Known of from another cell. Same attempt: newer content. */
function near({ jobs, nearby }: Cell, record: JobNearby): JobNearby {
  const job = jobs.get(record.jobId);
  if (job !== undefined) throw broken(job, record.type);
  const known = nearby.get(record.jobId);
  if (known !== undefined && known.attempt !== record.attempt) throw nearBroken(known, `JobNearby with attempt ${record.attempt}`);
  return record;
}

/** Opened here or near: forgotten. */
function closed(cell: Cell, { jobId, attempt }: JobClosed): CellDecision {
  const known = cell.nearby.get(jobId);
  if (known !== undefined) {
    if (known.attempt !== attempt) throw nearBroken(known, `JobClosed with attempt ${attempt}`);
    return { ...NOTHING, nearby: [[jobId, undefined]] };
  }
  const job = cell.jobs.get(jobId);
  if (job !== undefined && job.attempt !== attempt) throw broken(job, `JobClosed with attempt ${attempt}`);
  return { ...NOTHING, jobs: [[jobId, undefined]] };
}

/** Proposed: queued again, due at the next tick; that pair is skipped if the driver is still known as he was asked. */
function refused(cell: Cell, record: ProposalRefused): CellDecision {
  const { driverId, driverVersion } = record;
  const unchanged = cell.drivers.get(driverId)?.driverVersion === driverVersion;
  const jobs: (readonly [string, CellJob])[] = [];
  for (const { jobId, attempt } of record.jobs) {
    const job = cell.jobs.get(jobId);
    if (job === undefined) continue;
    if (job.status !== "proposed" || job.attempt !== attempt) throw broken(job, `ProposalRefused for attempt ${attempt}`);
    const still = (seen: Refusal): boolean => cell.drivers.get(seen.driverId)?.driverVersion === seen.driverVersion;
    const skips = job.skips.filter((seen) => seen.driverId !== driverId && still(seen));
    if (unchanged) skips.push({ driverId, driverVersion, bundled: record.jobs.length > 1 });
    jobs.push([jobId, { ...job, status: "queued", askedDriver: null, skips }]);
  }
  return { ...NOTHING, jobs };
}

function broken(job: CellJob, input: string): ProtocolBrokenError {
  return new ProtocolBrokenError(`job ${job.jobId} in cell ${job.cell}`, `${job.status}, attempt ${job.attempt}`, input);
}

function nearBroken(job: JobNearby, input: string): ProtocolBrokenError {
  return new ProtocolBrokenError(`job ${job.jobId} in cell ${job.cell}`, `nearby, attempt ${job.attempt}`, input);
}

function never(input: never): never {
  throw new TypeError(`no row for ${JSON.stringify(input)}`);
}
