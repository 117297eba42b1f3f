/** D1: a job has at most one driver at any offset of any prefix of the assignments. */
import type { AssignmentEvent } from "#schemas";
import { topicNames } from "./history.ts";
import type { ProofRecord } from "./history.ts";
import { Findings } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

interface Holding {
  partition: number;
  jobVersion: number;
  /** Of the newest driver, present or former. */
  attempt: number;
  driverId: string;
  /** "none": the last driver was taken away; "over": nothing may follow. */
  state: "none" | "offered" | "assigned" | "over";
  /** A revocation for the deadline must be followed by the failure, of the same version, and by nothing else. */
  failsNext: boolean;
}

/** Feed it every record of the assignments; ask for the verdict at any time: every prefix must hold. */
export class OneDriverCheck {
  readonly #findings = new Findings("D1");
  readonly #jobs = new Map<string, Holding>();

  add(record: ProofRecord<AssignmentEvent>): void {
    const { value: event, partition } = record;
    this.#findings.checked();
    let job = this.#jobs.get(event.jobId);
    if (job === undefined) {
      job = { partition, jobVersion: 0, attempt: 0, driverId: "", state: "none", failsNext: false };
      this.#jobs.set(event.jobId, job);
    }
    const wrong = whyWrong(job, event, partition);
    if (wrong !== undefined) this.#findings.violated(topicNames.assignments, record, `${event.type} of job ${event.jobId} ${wrong}`);
    apply(job, event);
  }

  verdict(): Verdict {
    return this.#findings.verdict();
  }
}

function whyWrong(job: Holding, event: AssignmentEvent, partition: number): string | undefined {
  if (job.partition !== partition) return `is in another partition than those before it (${job.partition}): they have no order`;
  const holds = job.state === "offered" || job.state === "assigned";
  const sameVersion = event.type === "AssignmentFailed" && job.state === "none" && event.jobVersion === job.jobVersion;
  if (event.jobVersion <= job.jobVersion && !sameVersion) return `has version ${event.jobVersion} after version ${job.jobVersion}`;
  if (job.state === "over") return "follows the job's end";
  if (job.failsNext && event.type !== "AssignmentFailed") return "stands where the failure must follow a revocation for the deadline";
  switch (event.type) {
    case "DriverAssigned":
      if (job.state === "offered" && event.driverId === job.driverId && event.attempt === job.attempt) return undefined;
      return taken(job, event, holds);
    case "DriverOffered":
      return taken(job, event, holds);
    case "AssignmentRevoked":
      if (!holds) return `revokes driver ${event.driverId}, but nobody has the job`;
      if (event.driverId !== job.driverId || event.attempt !== job.attempt) {
        return `revokes driver ${event.driverId}, attempt ${event.attempt}, but ${job.driverId} has it, attempt ${job.attempt}`;
      }
      return undefined;
    case "AssignmentFailed":
      return holds ? `fails the job while driver ${job.driverId} has it` : undefined;
    default:
      return never(event);
  }
}

function taken(job: Holding, event: { readonly driverId: string; readonly attempt: number }, holds: boolean): string | undefined {
  if (holds) return `gives it to driver ${event.driverId} while driver ${job.driverId} has it`;
  return event.attempt <= job.attempt ? `has attempt ${event.attempt} again after attempt ${job.attempt}` : undefined;
}

function apply(job: Holding, event: AssignmentEvent): void {
  job.jobVersion = Math.max(job.jobVersion, event.jobVersion);
  switch (event.type) {
    case "DriverOffered":
    case "DriverAssigned":
      job.attempt = event.attempt;
      job.driverId = event.driverId;
      job.state = event.type === "DriverOffered" ? "offered" : "assigned";
      return;
    case "AssignmentRevoked":
      job.state = event.reason === "cancelled" ? "over" : "none";
      job.failsNext = event.reason === "deadline";
      return;
    case "AssignmentFailed":
      job.state = "over";
      return;
    default:
      never(event);
  }
}

function never(event: never): never {
  throw new TypeError(`no rule for ${JSON.stringify(event)}`);
}
