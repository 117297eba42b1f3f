/** Records and states for tests: whole and valid, of which a test changes what it is about. */
import type { JobNearby, DriverEvent, DriverPresent, JobContent, JobOpened, JobReserved, JobsProposed, Point, ZonePolicy } from "#schemas";
import { defaultPolicy } from "../default-policy.ts";
import { decideDriver } from "../drivers/driver-table.ts";
import { unknownDriver } from "../drivers/driver.ts";
import type { DriverContext, DriverState, Hold } from "../drivers/driver.ts";
import type { JobContext, Placed } from "../jobs/job.ts";
import { quoteFor } from "../jobs/surges.ts";
import type { Cell, CellDecision } from "../matching/cell.ts";

export function point(latitude: number, longitude = 0): Point {
  return { latitude, longitude };
}

export function contentSample(changes: Partial<JobContent> = {}): JobContent {
  return {
    kind: "order",
    pickup: point(0),
    dropOff: point(1),
    placeId: "r1",
    readyAt: 10_000,
    placedAt: 0,
    notBefore: 0,
    requirements: [],
    priceMinor: 1_000,
    currency: "EUR",
    ...changes,
  };
}

/** Cells of `f:a,b` are `a` and `b`; the fine cell of a point is that of its whole latitude. */
export function driverContext(changes: Partial<DriverContext> = {}): DriverContext {
  return {
    at: 1_000,
    zoneEpoch: 1,
    forgottenUntil: () => -1,
    fineCellOf: (at) => `f:c${Math.trunc(at.latitude)}`,
    cellsReached: (fineCell) => (fineCell.length > 2 ? fineCell.slice(2).split(",") : []),
    travelMs: (a, b) => Math.abs(a.latitude - b.latitude) * 60_000,
    ...changes,
  };
}

let events = 0;

export function shiftStarted(changes: Partial<Extract<DriverEvent, { type: "ShiftStarted" }>> = {}): DriverEvent {
  const base = { type: "ShiftStarted", eventId: `e${++events}`, driverId: "d0", occurredAt: 500, position: point(0) } as const;
  return { ...base, vehicle: "bicycle", tags: [], capacity: 2, endsAt: null, ...changes };
}

export function shiftEnded(): DriverEvent {
  return { type: "ShiftEnded", eventId: `e${++events}`, driverId: "d0", occurredAt: 900 };
}

export function action(
  type: "JobAccepted" | "JobDeclined" | "ArrivedAtPickup" | "PickedUp" | "DroppedOff",
  jobId = "j0",
  attempt = 1,
): DriverEvent {
  return { type, eventId: `e${++events}`, driverId: "d0", occurredAt: 900, jobId, attempt };
}

export function onDuty(capacity = 2): DriverState {
  return decideDriver(unknownDriver("d0"), shiftStarted({ capacity }), driverContext()).state;
}

export function proposalSample(changes: Partial<JobsProposed> = {}, ...jobIds: string[]): JobsProposed {
  return {
    type: "JobsProposed",
    driverId: "d0",
    cell: "c0",
    proposalId: "c0/1000/d0",
    driverVersion: 1,
    jobs: (jobIds.length === 0 ? ["j0"] : jobIds).map((jobId) => ({ jobId, attempt: 1, orderVersion: 1, content: contentSample() })),
    plan: [],
    offerSeconds: 0,
    policy: "nearest",
    slackMs: 5,
    pickupEta: 9_000,
    at: 1_000,
    ...changes,
  };
}

/** On duty in `c0` with one hold of `j0`, attempt 1, in this status; driverVersion 2. */
export function holding(status: Hold["status"], changes: Partial<Hold> = {}): DriverState {
  const state = decideDriver(onDuty(), proposalSample({ offerSeconds: 30 }), driverContext()).state;
  const offerUntil = status === "offered" ? 31_000 : null;
  const holds = state.plan.holds.map((hold) => ({ ...hold, status, offerUntil, arrived: status === "pickedUp", ...changes }));
  const stops = status === "pickedUp" ? state.plan.stops.filter((stop) => stop.kind === "dropOff") : state.plan.stops;
  return { ...state, plan: { ...state.plan, holds, stops } };
}

export function policySample(changes: Partial<ZonePolicy> = {}): ZonePolicy {
  return { ...defaultPolicy, attemptsMax: 3, backoffBaseMs: 0, ...changes };
}

/** The cell of a pickup is that of its whole latitude. */
/** No surge in force, and a kilometre of way. */
function quoteSample(content: JobContent, surgeMilli = 1_000) {
  return quoteFor(content, 1_000, surgeMilli);
}

export function jobContext(changes: Partial<JobContext> & { readonly policy?: ZonePolicy } = {}): JobContext {
  const policy = changes.policy ?? policySample();
  const zoneOf = (pickup: Point) => ({ cell: `c${Math.trunc(pickup.latitude)}`, policy });
  return { at: 1_000, forgottenUntil: -1, zoneOf, cellsNear: () => [], quote: quoteSample, ...changes };
}

export function placed(changes: Partial<Placed> = {}): Placed {
  return { type: "Placed", eventId: `e${++events}`, version: 1, content: contentSample(), ...changes };
}

export function reservation(changes: Partial<JobReserved> = {}): JobReserved {
  return {
    type: "JobReserved",
    jobId: "j0",
    attempt: 1,
    driverId: "d0",
    driverVersion: 2,
    at: 1_000,
    orderVersion: 1,
    proposalId: "c0/1000/d0",
    offerUntil: null,
    policy: "nearest",
    slackMs: 5,
    pickupEta: 9_000,
    ...changes,
  };
}

export function openedSample(changes: Partial<JobOpened> = {}): JobOpened {
  return {
    type: "JobOpened",
    cell: "c0",
    at: 1_000,
    jobId: "j0",
    attempt: 1,
    orderVersion: 1,
    content: contentSample(),
    notBefore: 0,
    excludedDrivers: [],
    ...changes,
  };
}

/** A job of `c1`, told to `c0`. */
export function nearbySample(changes: Partial<JobNearby> = {}): JobNearby {
  return { ...openedSample(), type: "JobNearby", home: "c1", ...changes };
}

export function presentSample(changes: Partial<DriverPresent> = {}): DriverPresent {
  return {
    type: "DriverPresent",
    cell: "c0",
    at: 1_000,
    driverId: "d0",
    driverVersion: 1,
    present: true,
    fineCell: "f:c0",
    position: point(0),
    vehicle: "bicycle",
    tags: [],
    capacity: 2,
    shiftEndsAt: null,
    plan: [],
    jobs: [],
    ...changes,
  };
}

export function emptyCell(name = "c0"): Cell {
  return { name, jobs: new Map(), nearby: new Map(), drivers: new Map() };
}

/** The cell after its own decision. */
export function cellAfter({ name, jobs, nearby, drivers }: Cell, decision: CellDecision): Cell {
  return {
    name,
    jobs: changed(jobs, decision.jobs),
    nearby: changed(nearby, decision.nearby ?? []),
    drivers: changed(drivers, decision.drivers),
  };
}

function changed<V>(before: ReadonlyMap<string, V>, changes: readonly (readonly [string, V | undefined])[]): ReadonlyMap<string, V> {
  const after = new Map(before);
  for (const [id, value] of changes) {
    if (value === undefined) after.delete(id);
    else after.set(id, value);
  }
  return after;
}
