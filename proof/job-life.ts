/**
 * The sequential model of a job's life: told what its customer asked and what its drivers answered, each in order, it says
 * what trips and assignments must be published; the trips decide only how the two orders interleave. Independent of the
 * topologies: written from the dispatch protocol.
 */
import type { AssignmentEvent, JobContent, JobDropped, JobProgressed, JobReserved, TripChanged, TripState } from "#schemas";
import { contentAfter, differenceOf } from "./request.ts";
import type { Request } from "./request.ts";

export type Update = JobReserved | JobDropped | JobProgressed;

interface Driver {
  readonly driverId: string;
  readonly driverVersion: number;
  readonly proposalId: string;
  readonly policy: string;
}

export interface ModelJob {
  readonly state: TripState | "unknown";
  readonly attempt: number;
  readonly orderVersion: number;
  readonly content: JobContent | null;
  /** As quoted at the placement, never another one. */
  readonly surgeMilli: number;
  /** Who has it; once ended, who had it last. */
  readonly driver: Driver | null;
}

export const unknownJob: ModelJob = { state: "unknown", attempt: 0, orderVersion: 0, content: null, surgeMilli: 1_000, driver: null };

/** One step of the model: what it consumes, what it becomes, what must be published. */
export interface Step {
  readonly consumes: "request" | "update" | "deadline";
  readonly job: ModelJob;
  readonly published: readonly Partial<AssignmentEvent>[];
}

/** Why no step explains the trip. */
export type Unexplained = string;

const progressTo: Readonly<Partial<Record<TripState, JobProgressed["step"]>>> = {
  assigned: "accepted",
  atPickup: "arrived",
  pickedUp: "pickedUp",
  completed: "droppedOff",
};

/** The step behind a trip, by the state it reaches; `request` and `update` are the next ones not consumed yet. */
export function stepTo(
  job: ModelJob,
  trip: TripChanged,
  next: {
    readonly request: Request | undefined;
    readonly update: Update | undefined;
    readonly failure: "deadline" | "attempts" | undefined;
  },
): Step | Unexplained {
  const { request, update, failure } = next;
  if (trip.state === "cancelled") return cancel(job, request);
  if (job.state === "unknown") return place(request, trip);
  if (trip.state === job.state && trip.attempt === job.attempt) return change(job, request, trip);
  if (trip.state === "failed" && failure !== "attempts") return deadline(job);
  if (trip.state === "failed" || trip.state === "open") return drop(job, trip.state, update);
  if (job.state === "open") return reserve(job, trip.state, update);
  return progress(job, trip.state, update);
}

/** What the trip must say once the step is taken; undefined: it does. */
export function whyTripWrong(job: ModelJob, trip: TripChanged): string | undefined {
  if (trip.state !== job.state) return `is ${trip.state}, must be ${job.state}`;
  if (trip.attempt !== job.attempt) return `has attempt ${trip.attempt}, must have ${job.attempt}`;
  const difference = differenceOf(job.content, trip.content);
  if (difference !== undefined) return `differs in ${difference} from what was asked`;
  if (trip.surgeMilli !== job.surgeMilli) return `has a surge of ${trip.surgeMilli}, was quoted with ${job.surgeMilli}`;
  const ended = job.state === "cancelled" || job.state === "failed";
  if (ended && trip.driverId === null) return undefined;
  if (trip.driverId !== (job.driver?.driverId ?? null)) return `names driver ${trip.driverId}, must name ${job.driver?.driverId ?? "none"}`;
  if (trip.driverVersion !== (job.driver?.driverVersion ?? null)) {
    return `names driverVersion ${trip.driverVersion}, must name ${job.driver?.driverVersion ?? "none"}`;
  }
  return undefined;
}

/** Undefined: the events are those that must be published, in order. */
export function whyPublishedWrong(expected: readonly Partial<AssignmentEvent>[], found: readonly AssignmentEvent[]): string | undefined {
  if (expected.length !== found.length) return `published ${namesOf(found)}, must publish ${namesOf(expected)}`;
  for (const [index, event] of expected.entries()) {
    const other = found[index] as unknown as Record<string, unknown>;
    for (const [field, value] of Object.entries(event)) {
      if (other[field] !== value)
        return `published ${String(other["type"])} with ${field} ${String(other[field])}, must be ${String(value)}`;
    }
  }
  return undefined;
}

function namesOf(events: readonly Partial<AssignmentEvent>[]): string {
  return events.map((event) => event.type).join(" and ") || "nothing";
}

/** A ride that came without a price has the one that it was quoted; D4 looks at what that is made of. */
function priced(content: JobContent, trip: TripChanged): JobContent {
  const open = content.kind === "ride" && content.priceMinor === 0;
  return open && trip.content !== null ? { ...content, priceMinor: trip.content.priceMinor } : content;
}

function place(request: Request | undefined, trip: TripChanged): Step | Unexplained {
  if (request?.kind !== "placed" || request.content === undefined) return "was not placed";
  const { version } = request;
  const content = priced(request.content, trip);
  const surgeMilli = request.content === content ? 1_000 : trip.surgeMilli;
  const job = { ...unknownJob, state: "open", attempt: 1, orderVersion: version, content, surgeMilli } as const;
  return { consumes: "request", job, published: [] };
}

function change(job: ModelJob, request: Request | undefined, trip: TripChanged): Step | Unexplained {
  if (request === undefined || request.kind === "cancelled" || job.content === null) return "changed, but nobody changed it";
  if (request.version <= job.orderVersion) return `took version ${request.version} after version ${job.orderVersion}`;
  const after = contentAfter(job.content, request);
  const content = request.content === undefined ? after : priced(after, trip);
  const { pickup, placeId } = content;
  const before = job.content;
  const moved = pickup.latitude !== before.pickup.latitude || pickup.longitude !== before.pickup.longitude || placeId !== before.placeId;
  if (moved) return "took another pickup, which must be refused";
  return { consumes: "request", job: { ...job, orderVersion: request.version, content }, published: [] };
}

function cancel(job: ModelJob, request: Request | undefined): Step | Unexplained {
  if (request?.kind !== "cancelled") return "is cancelled, but nobody cancelled it";
  if (job.state === "pickedUp") return "is cancelled after the pickup";
  const revoked = job.state === "unknown" || job.state === "open" ? [] : [revocation(job, job.driver, "cancelled")];
  return { consumes: "request", job: { ...job, state: "cancelled" }, published: revoked };
}

function deadline(job: ModelJob): Step {
  const revoked = job.state === "open" ? [] : [revocation(job, job.driver, "deadline")];
  const failed = { type: "AssignmentFailed", reason: "deadline", attempt: job.attempt } as const;
  return { consumes: "deadline", job: { ...job, state: "failed" }, published: [...revoked, failed] };
}

function drop(job: ModelJob, state: "open" | "failed", update: Update | undefined): Step | Unexplained {
  if (update?.type !== "JobDropped") return `is ${state}, but no driver dropped it`;
  if (!isMine(job, update)) return `was dropped by driver ${update.driverId}, attempt ${update.attempt}, who does not have it`;
  if (job.state === "open" || job.state === "pickedUp") return `was dropped while ${job.state}`;
  const driver = { ...mustHave(job.driver), driverVersion: update.driverVersion };
  const revoked = revocation(job, driver, update.reason);
  if (state === "open") {
    return { consumes: "update", job: { ...job, state, attempt: job.attempt + 1, driver: null }, published: [revoked] };
  }
  const failed = { type: "AssignmentFailed", reason: "attempts", attempt: job.attempt } as const;
  return { consumes: "update", job: { ...job, state, driver }, published: [revoked, failed] };
}

function reserve(job: ModelJob, state: TripState, update: Update | undefined): Step | Unexplained {
  if (update?.type !== "JobReserved") return `is ${state}, but no driver reserved it`;
  if (update.attempt !== job.attempt) return `is ${state} by attempt ${update.attempt} while attempt ${job.attempt} is open`;
  const { driverId, driverVersion, proposalId, policy, offerUntil, slackMs, pickupEta } = update;
  const driver = { driverId, driverVersion, proposalId, policy };
  const common = { ...driver, attempt: job.attempt };
  const event =
    offerUntil === null
      ? ({ type: "DriverAssigned", ...common, slackMs, pickupEta } as const)
      : ({ type: "DriverOffered", ...common, offerUntil } as const);
  return { consumes: "update", job: { ...job, state: offerUntil === null ? "assigned" : "offered", driver }, published: [event] };
}

function progress(job: ModelJob, state: TripState, update: Update | undefined): Step | Unexplained {
  if (update?.type !== "JobProgressed" || update.step !== progressTo[state]) return `is ${state}, but its driver never said so`;
  if (!isMine(job, update)) return `is ${state} by driver ${update.driverId}, attempt ${update.attempt}, who does not have it`;
  const driver = { ...mustHave(job.driver), driverVersion: update.driverVersion };
  const published = state === "assigned" ? [{ type: "DriverAssigned", ...driver, attempt: job.attempt } as const] : [];
  return { consumes: "update", job: { ...job, state, driver }, published };
}

function revocation(job: ModelJob, driver: Driver | null, reason: string): Partial<AssignmentEvent> {
  const { driverId, driverVersion } = mustHave(driver);
  return { type: "AssignmentRevoked", attempt: job.attempt, driverId, driverVersion, reason } as Partial<AssignmentEvent>;
}

function isMine(job: ModelJob, update: JobDropped | JobProgressed): boolean {
  return job.driver?.driverId === update.driverId && job.attempt === update.attempt;
}

function mustHave(driver: Driver | null): Driver {
  return driver ?? { driverId: "", driverVersion: 0, proposalId: "", policy: "" };
}
