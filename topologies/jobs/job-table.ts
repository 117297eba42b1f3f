/**
 * The table of the `jobs` task, row by row (docs/dispatch-protocol.md). It alone makes attempts, ends jobs
 * and publishes assignments and trips. A protocol record in a state not listed for it stops the task.
 * A job that ended long ago is unknown again: it is answered as an ended one, and nothing opens it a second time.
 */
import type { FailReason, JobContent, JobDropped, JobProgressed, JobReserved, RefusalReason, RevokeReason, TripState } from "#schemas";
import { ProtocolBrokenError } from "../errors.ts";
import { remember } from "../recent-events.ts";
import { backoffMs } from "./backoff.ts";
import { hasEnded } from "./job.ts";
import type { Cancelled, Job, JobContext, JobDecision, JobInput, JobOutput, Placed, ReadyTimeChanged } from "./job.ts";

/** Total over state and input; pure. `job` undefined: unknown. Throws ProtocolBrokenError. */
export function decideJob(jobId: string, job: Job | undefined, input: JobInput, context: JobContext): JobDecision {
  switch (input.type) {
    case "Placed":
    case "ReadyTimeChanged":
    case "Cancelled": {
      if (job === undefined) return unknownAsked(jobId, input, context);
      if (job.recentEvents.includes(input.eventId)) return refused(job, "DUPLICATE");
      const known = { ...job, recentEvents: remember(job.recentEvents, input.eventId) };
      return input.type === "Cancelled" ? cancelled(known, context) : changed(known, input, context);
    }
    case "DeadlineReached":
      return job === undefined || hasEnded(job.state) ? decided(job, []) : deadlineReached(job, context);
    case "JobReserved":
      return job === undefined ? decided(job, [releaseOf(input, context)]) : reserved(job, input, context);
    case "JobDropped":
      return job === undefined ? decided(job, []) : dropped(job, input, context);
    case "JobProgressed":
      return job === undefined ? refused(job, "UNKNOWN_JOB") : progressed(job, input, context);
    default:
      return never(input);
  }
}

/** Placed: open, attempt 1. Cancelled: remembered, so that a late Placed is refused. From before what is forgotten: refused. */
function unknownAsked(jobId: string, input: Placed | ReadyTimeChanged | Cancelled, context: JobContext): JobDecision {
  if (input.type === "ReadyTimeChanged") return refused(undefined, "UNKNOWN_JOB");
  const occurredAt = input.type === "Placed" ? input.content.placedAt : input.occurredAt;
  if (occurredAt <= context.forgottenUntil) return refused(undefined, "STALE");
  const blank = {
    jobId,
    attempt: 0,
    orderVersion: input.version,
    jobVersion: 0,
    content: null,
    driver: null,
    excludedDrivers: [],
    cell: "",
    nearCells: [],
    retryAt: 0,
    deadlineAt: 0,
    recentEvents: [input.eventId],
    surgeMilli: 1_000,
  };
  if (input.type === "Cancelled") return enter({ ...blank, state: "open" }, "cancelled", "cancelled", context, []);
  const { priceMinor, surgeMilli } = context.quote(input.content);
  const content = priceMinor === input.content.priceMinor ? input.content : { ...input.content, priceMinor };
  const deadlineAt = context.at + context.zoneOf(content.pickup).policy.deadlineMs;
  return open({ ...blank, state: "open", content, deadlineAt, surgeMilli }, "placed", context, []);
}

/** Placed or Changed: a higher version of the same job. Equal is the same again, and recorded as such. */
function changed(job: Job, input: Placed | ReadyTimeChanged, context: JobContext): JobDecision {
  if (hasEnded(job.state) || job.content === null) return refused(job, "ENDED");
  if (input.version === job.orderVersion) return refused(job, "DUPLICATE");
  if (input.version < job.orderVersion) return refused(job, "VERSION_OLD");
  const asked = contentAfter(job.content, input);
  if (asked === undefined) return refused(job, "PICKUP_DIFFERS");
  // Another way at the surge of the first quote: nobody pays more for having changed his mind in a rush.
  const content = { ...asked, priceMinor: context.quote(asked, job.surgeMilli).priceMinor };
  const after = { ...job, orderVersion: input.version, content };
  const told = job.state === "open" ? openedInCells(after, context) : [amendment(after, context)];
  return enter(after, job.state, "changed", context, told);
}

function cancelled(job: Job, context: JobContext): JobDecision {
  switch (job.state) {
    case "completed":
    case "cancelled":
    case "failed":
      return refused(job, "ENDED");
    case "pickedUp":
      return refused(job, "PICKED_UP");
    case "open":
      return enter(job, "cancelled", "cancelled", context, closedInCells(job, context));
    case "offered":
    case "assigned":
    case "atPickup":
      return enter(job, "cancelled", "cancelled", context, [release(job, context)], [revoked(job, "cancelled", context)]);
    default:
      return never(job.state);
  }
}

function deadlineReached(job: Job, context: JobContext): JobDecision {
  if (job.state === "open") {
    return enter(job, "failed", "deadline", context, closedInCells(job, context), [failed(job, "deadline", context)]);
  }
  const published = [revoked(job, "deadline", context), failed(job, "deadline", context)];
  return enter(job, "failed", "deadline", context, [release(job, context)], published);
}

function reserved(job: Job, record: JobReserved, context: JobContext): JobDecision {
  if (hasEnded(job.state)) return decided(job, [releaseOf(record, context)]);
  if (job.state !== "open" || job.attempt !== record.attempt) throw broken(job, record.type);
  const { driverId, driverVersion, proposalId, policy, slackMs, pickupEta, offerUntil } = record;
  const taken = { ...job, driver: { driverId, driverVersion, proposalId, policy, slackMs, pickupEta } };
  const internal = closedInCells(job, context);
  if (record.orderVersion < job.orderVersion) internal.push(amendment(taken, context));
  return offerUntil === null
    ? enter(taken, "assigned", "reserved", context, internal, [assigned(taken, context)])
    : enter(taken, "offered", "reserved", context, internal, [offered(taken, offerUntil, context)]);
}

function dropped(job: Job, record: JobDropped, context: JobContext): JobDecision {
  if (hasEnded(job.state)) return decided(job, []);
  if (!isMine(job, record) || job.state === "open" || job.state === "pickedUp" || job.content === null) throw broken(job, record.type);
  // The version at which the plan lost it: by driverVersion the intervals stay disjoint.
  const last = { ...job, driver: { ...mustHaveDriver(job), driverVersion: record.driverVersion } };
  const { policy } = context.zoneOf(job.content.pickup);
  const revocation = revoked(last, record.reason, context);
  if (job.attempt >= policy.attemptsMax) {
    return enter(last, "failed", "attempts", context, [], [revocation, failed(last, "attempts", context)]);
  }
  const excludes = record.reason === "declined" || record.reason === "offerExpired";
  const excludedDrivers =
    excludes && !job.excludedDrivers.includes(record.driverId) ? [...job.excludedDrivers, record.driverId] : job.excludedDrivers;
  const wait = backoffMs(job.jobId, job.attempt, policy.backoffBaseMs, policy.backoffMaxMs);
  return open({ ...last, driver: null, excludedDrivers, retryAt: context.at + wait }, record.reason, context, [revocation]);
}

function progressed(job: Job, record: JobProgressed, context: JobContext): JobDecision {
  if (hasEnded(job.state)) return refused(job, "ENDED");
  if (!isMine(job, record)) throw broken(job, `${record.type} ${record.step}`);
  const after = { ...job, driver: { ...mustHaveDriver(job), driverVersion: record.driverVersion } };
  const { step } = record;
  switch (step) {
    case "accepted":
      if (job.state !== "offered") break;
      return enter(after, "assigned", "accepted", context, [], [assigned(after, context)]);
    case "arrived":
      if (job.state !== "assigned") break;
      return enter(after, "atPickup", "arrived", context, []);
    case "pickedUp":
      if (job.state !== "assigned" && job.state !== "atPickup") break;
      return enter(after, "pickedUp", "pickedUp", context, []);
    case "droppedOff":
      if (job.state !== "pickedUp") break;
      return enter(after, "completed", "droppedOff", context, []);
    default:
      return never(step);
  }
  throw broken(job, `${record.type} ${step}`);
}

// ---- entering states

/** The next attempt begins, in the cell of the resolution now in force. */
function open(job: Job, reason: string, context: JobContext, published: readonly Publication[]): JobDecision {
  if (job.content === null) throw broken(job, "an opening");
  const { cell } = context.zoneOf(job.content.pickup);
  const nearCells = context.cellsNear(job.content.pickup).filter((near) => near !== cell);
  const opened = { ...job, attempt: job.attempt + 1, cell, nearCells };
  return enter(opened, "open", reason, context, openedInCells(opened, context), published);
}

type Publication = Extract<JobOutput, { to: "assignments" }>;

/** One published change: the assignments and the trip of it carry the same jobVersion. */
function enter(
  job: Job,
  state: TripState,
  reason: string,
  context: JobContext,
  internal: readonly JobOutput[],
  published: readonly Publication[] = [],
): JobDecision {
  const jobVersion = job.jobVersion + 1;
  const after: Job = { ...job, state, jobVersion };
  const trip: JobOutput = {
    to: "trips",
    record: {
      type: "TripChanged",
      jobId: job.jobId,
      jobVersion,
      attempt: job.attempt,
      state,
      driverId: job.driver?.driverId ?? null,
      driverVersion: job.driver?.driverVersion ?? null,
      reason,
      at: context.at,
      content: job.content,
      surgeMilli: job.surgeMilli,
    },
  };
  const stamped = published.map((output): Publication => ({ to: "assignments", record: { ...output.record, jobVersion } }));
  return decided(after, [...stamped, trip, ...internal]);
}

function refused(job: Job | undefined, reason: RefusalReason): JobDecision {
  return decided(job, [{ to: "refusals", reason }]);
}

function decided(job: Job | undefined, outputs: readonly JobOutput[]): JobDecision {
  return { job, outputs, deadlineAt: job === undefined || hasEnded(job.state) ? null : job.deadlineAt };
}

// ---- records

/** Its own cell is asked for a driver; those within reach know of it. */
function openedInCells(job: Job, context: JobContext): JobOutput[] {
  const { jobId, attempt, orderVersion, cell: home, nearCells, excludedDrivers, content } = job;
  if (content === null) throw broken(job, "JobOpened");
  const notBefore = Math.max(content.notBefore, job.retryAt);
  const told = { at: context.at, jobId, attempt, orderVersion, content, notBefore, excludedDrivers };
  return [
    { to: "cell", record: { type: "JobOpened", cell: home, ...told } },
    ...nearCells.map((cell): JobOutput => ({ to: "cell", record: { type: "JobNearby", cell, ...told, home } })),
  ];
}

function closedInCells({ jobId, attempt, cell: home, nearCells }: Job, context: JobContext): JobOutput[] {
  return [home, ...nearCells].map((cell) => ({ to: "cell", record: { type: "JobClosed", cell, at: context.at, jobId, attempt } }));
}

function release(job: Job, context: JobContext): JobOutput {
  return releaseOf({ jobId: job.jobId, attempt: job.attempt, driverId: mustHaveDriver(job).driverId }, context);
}

function releaseOf(of: { readonly jobId: string; readonly attempt: number; readonly driverId: string }, context: JobContext): JobOutput {
  const { jobId, attempt, driverId } = of;
  return { to: "driver", record: { type: "JobReleased", driverId, jobId, attempt, at: context.at } };
}

function amendment(job: Job, context: JobContext): JobOutput {
  const { jobId, attempt, orderVersion, content } = job;
  if (content === null) throw broken(job, "JobAmended");
  const { driverId } = mustHaveDriver(job);
  return { to: "driver", record: { type: "JobAmended", driverId, jobId, attempt, orderVersion, content, at: context.at } };
}

function offered(job: Job, offerUntil: number, context: JobContext): Publication {
  return { to: "assignments", record: { type: "DriverOffered", ...published(job, context), ...who(job), offerUntil } };
}

function assigned(job: Job, context: JobContext): Publication {
  const { slackMs, pickupEta } = mustHaveDriver(job);
  return { to: "assignments", record: { type: "DriverAssigned", ...published(job, context), ...who(job), slackMs, pickupEta } };
}

function revoked(job: Job, reason: RevokeReason, context: JobContext): Publication {
  return { to: "assignments", record: { type: "AssignmentRevoked", ...published(job, context), ...who(job), reason } };
}

function failed(job: Job, reason: FailReason, context: JobContext): Publication {
  const retryAfterSeconds = job.content === null ? 0 : Math.ceil(context.zoneOf(job.content.pickup).policy.backoffMaxMs / 1000);
  return { to: "assignments", record: { type: "AssignmentFailed", ...published(job, context), reason, retryAfterSeconds } };
}

function published({ jobId, attempt, driver }: Job, context: JobContext) {
  return { jobId, proposalId: driver?.proposalId ?? "", attempt, jobVersion: 0, policy: driver?.policy ?? "", at: context.at };
}

function who(job: Job) {
  const { driverId, driverVersion } = mustHaveDriver(job);
  return { driverId, driverVersion };
}

/** Undefined if the pickup differs: then it is another job. */
function contentAfter(content: JobContent, input: Placed | ReadyTimeChanged): JobContent | undefined {
  if (input.type === "ReadyTimeChanged") return { ...content, readyAt: input.readyAt };
  const { pickup, placeId } = input.content;
  const same = pickup.latitude === content.pickup.latitude && pickup.longitude === content.pickup.longitude && placeId === content.placeId;
  return same ? { ...input.content, placedAt: content.placedAt } : undefined;
}

/** The record's driver and attempt are the job's. */
function isMine(job: Job, record: JobDropped | JobProgressed): boolean {
  return job.driver?.driverId === record.driverId && job.attempt === record.attempt;
}

function mustHaveDriver(job: Job): NonNullable<Job["driver"]> {
  if (job.driver === null) throw broken(job, "a record for its driver");
  return job.driver;
}

function broken(job: Job, input: string): ProtocolBrokenError {
  return new ProtocolBrokenError(
    `job ${job.jobId}`,
    `${job.state}, attempt ${job.attempt}, driver ${job.driver?.driverId ?? "none"}`,
    input,
  );
}

function never(input: never): never {
  throw new TypeError(`no row for ${JSON.stringify(input)}`);
}
