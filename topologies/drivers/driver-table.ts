/**
 * The table of the `drivers` task, row by row (docs/dispatch-protocol.md). It alone says whether a driver
 * takes a job, and ends what ends on the driver's side. Replan: plan or duty changed, version + 1, every cell hears of it.
 */
import type {
  DriverEvent,
  DriverRepositioned,
  DropReason,
  JobAmended,
  JobReleased,
  JobsProposed,
  ProgressStep,
  RefusalReason,
} from "#schemas";
import { ProtocolBrokenError } from "../errors.ts";
import { remember } from "../recent-events.ts";
import type {
  DriverContext,
  DriverDecision,
  DriverInput,
  DriverOutput,
  DriverPlan,
  DriverState,
  DriverWhereabouts,
  Duty,
  Hold,
} from "./driver.ts";
import { nextOfferEnd, stopsOf, whyRefused } from "./plan.ts";
import { changeCells, tell, tellCells } from "./presence.ts";
import { track } from "./tracking.ts";

/** Total over state and input; pure. Throws ProtocolBrokenError for a record that the protocol excludes. */
export function decideDriver(state: DriverState, input: DriverInput, context: DriverContext): DriverDecision {
  switch (input.type) {
    case "JobsProposed":
      return proposed(state, input, context);
    case "JobReleased":
      return released(state, input, context);
    case "JobAmended":
      return amended(state, input, context);
    case "DriverRepositioned":
      return repositioned(state, input);
    case "OfferTimeOver":
      return offerTimeOver(state, context);
    case "LocationTtlOver":
      return state.plan.duty === "on" ? offDuty(state, "silent", context) : decided(state, []);
    case "LocationAccepted":
      return located(state, input.whereabouts, context);
    case "ShiftStarted":
    case "ShiftEnded":
    case "JobAccepted":
    case "JobDeclined":
    case "ArrivedAtPickup":
    case "PickedUp":
    case "DroppedOff":
      return deviceActed(state, input, context);
    default:
      return never(input);
  }
}

function deviceActed(state: DriverState, event: DriverEvent, context: DriverContext): DriverDecision {
  if (state.plan.recentEvents.includes(event.eventId)) return refused(state, "DUPLICATE");
  const known = withPlan(state, { recentEvents: remember(state.plan.recentEvents, event.eventId) });
  if (event.type === "ShiftStarted") {
    if (state.plan.duty === "on") return refused(known, "ALREADY_ON_DUTY");
    // It may have been in effect once, for a driver who has been forgotten since.
    if (event.occurredAt <= context.forgottenUntil()) return refused(state, "STALE");
    return shiftStarted(known, event, context);
  }
  if (event.type === "ShiftEnded") {
    if (state.plan.duty === "off") return refused(known, "OFF_DUTY");
    return offDuty(known, "off", context);
  }
  const hold = state.plan.holds.find((candidate) => candidate.jobId === event.jobId);
  if (hold === undefined) return refused(known, "NOT_YOURS");
  if (hold.attempt !== event.attempt) return refused(known, "STALE");
  switch (event.type) {
    case "JobAccepted":
      if (hold.status !== "offered") return refused(known, "WRONG_STATE");
      return progressed(changeHold(known, hold, { status: "held", offerUntil: null }), hold, "accepted", event, context);
    case "JobDeclined":
      if (hold.status === "pickedUp") return refused(known, "WRONG_STATE");
      return drop(known, (candidate) => candidate === hold, "declined", context);
    case "ArrivedAtPickup":
      if (hold.status !== "held" || hold.arrived) return refused(known, "WRONG_STATE");
      // No replan: the version stays. But a plan that has reached the counter takes no more jobs, so matching hears of it.
      return atStop(changeHold(known, hold, { arrived: true }), hold, "arrived", event, context);
    case "PickedUp":
      if (hold.status !== "held") return refused(known, "WRONG_STATE");
      return atStop(
        replan(changeHold(known, hold, { status: "pickedUp", arrived: true, offerUntil: null })),
        hold,
        "pickedUp",
        event,
        context,
      );
    case "DroppedOff":
      if (hold.status !== "pickedUp") return refused(known, "WRONG_STATE");
      return atStop(replan(withHolds(known, without(known.plan.holds, hold))), hold, "droppedOff", event, context);
    default:
      return never(event);
  }
}

/** JobsProposed: taken whole or refused whole, to the asking cell, present there or not. */
function proposed(state: DriverState, proposal: JobsProposed, context: DriverContext): DriverDecision {
  const { driverId, cell, driverVersion, jobs } = proposal;
  for (const job of jobs) {
    const held = state.plan.holds.find((hold) => hold.jobId === job.jobId);
    if (held !== undefined) throw new ProtocolBrokenError(`job ${job.jobId}`, `in the plan of driver ${driverId}`, proposal.type);
  }
  const reason = whyRefused(state.plan, proposal);
  if (reason !== undefined) {
    const tokens = jobs.map(({ jobId, attempt }) => ({ jobId, attempt }));
    const record = { type: "ProposalRefused", cell, at: context.at, driverId, driverVersion, jobs: tokens, reason } as const;
    return decided(state, [{ to: "cell", record }]);
  }
  const offerUntil = proposal.offerSeconds > 0 ? context.at + proposal.offerSeconds * 1000 : null;
  const added = jobs.map((job): Hold => ({ ...job, status: offerUntil === null ? "held" : "offered", arrived: false, offerUntil }));
  const holds = [...state.plan.holds, ...added];
  const after = replan(withPlan(state, { holds, stops: stopsOf(holds, proposal.plan) }));
  const { proposalId, policy, slackMs, pickupEta } = proposal;
  const outputs: DriverOutput[] = jobs.map(({ jobId, attempt, orderVersion }) => ({
    to: "job",
    record: {
      type: "JobReserved",
      jobId,
      attempt,
      driverId,
      driverVersion: after.plan.version,
      at: context.at,
      orderVersion,
      proposalId,
      offerUntil,
      policy,
      slackMs,
      pickupEta,
    },
  }));
  return decided(after, [...outputs, ...tellCells(after, context.at)]);
}

/** JobReleased: hold with this attempt, any status. No such hold: it was dropped or delivered meanwhile. */
function released(state: DriverState, record: JobReleased, context: DriverContext): DriverDecision {
  const hold = heldAs(state.plan, record);
  if (hold === undefined) return decided(state, []);
  const after = replan(withHolds(state, without(state.plan.holds, hold)));
  return decided(after, tellCells(after, context.at));
}

/** JobAmended: the hold with this attempt gets the new content. */
function amended(state: DriverState, record: JobAmended, context: DriverContext): DriverDecision {
  const hold = heldAs(state.plan, record);
  if (hold === undefined) return decided(state, []);
  const after = replan(changeHold(state, hold, { orderVersion: record.orderVersion, content: record.content }));
  return decided(after, tellCells(after, context.at));
}

/** Only a driver without work, as the matcher saw him, is told. Nothing is held for it: any work has precedence. */
function repositioned(state: DriverState, record: DriverRepositioned): DriverDecision {
  const { duty, version, holds } = state.plan;
  const stands = duty === "on" && version === record.driverVersion && holds.length === 0;
  return decided(state, stands ? [{ to: "moves", record }] : []);
}

function offerTimeOver(state: DriverState, context: DriverContext): DriverDecision {
  const over = (hold: Hold): boolean => hold.offerUntil !== null && hold.offerUntil <= context.at;
  return state.plan.holds.some(over) ? drop(state, over, "offerExpired", context) : decided(state, []);
}

/** Shift ended, or silent too long: what is on board stays, the rest is given back; no cell has the driver any more. */
function offDuty(state: DriverState, duty: Exclude<Duty, "on">, context: DriverContext): DriverDecision {
  const kept = state.plan.holds.filter((hold) => hold.status === "pickedUp");
  const dropped = state.plan.holds.filter((hold) => hold.status !== "pickedUp");
  const after = replan(withDuty(withHolds(state, kept), duty));
  const left = after.plan.cells.map((cell) => tell(after, cell, false, context.at));
  const reason = duty === "silent" ? "silent" : "shiftEnded";
  return decided(withPlan(after, { cells: [] }), [...givenBack(after, dropped, reason, context), ...left]);
}

function shiftStarted(state: DriverState, event: Extract<DriverEvent, { type: "ShiftStarted" }>, context: DriverContext): DriverDecision {
  const { vehicle, tags, capacity, endsAt, position } = event;
  // A device clock that runs ahead must not make every later location look old.
  const recordedAt = Math.min(event.occurredAt, context.at);
  const on = replan(withDuty(withPlan(state, { vehicle, tags, capacity, shiftEndsAt: endsAt }), "on"));
  const fineCell = context.fineCellOf(position);
  const { latitude, longitude } = position;
  const whereabouts = { ...on.whereabouts, latitude, longitude, recordedAt, seenAt: context.at, fineCell, zoneEpoch: context.zoneEpoch };
  return present({ ...on, whereabouts }, context);
}

/** An accepted location: silent → on; else its cells, which may be others, without a new version. */
function located(state: DriverState, whereabouts: DriverWhereabouts, context: DriverContext): DriverDecision {
  const before = state.whereabouts;
  const moved = { ...state, whereabouts };
  if (state.plan.duty === "silent") {
    const back = replan(withDuty(moved, "on"));
    const decision = present({ ...back, whereabouts: { ...back.whereabouts, zoneEpoch: context.zoneEpoch } }, context);
    return { ...decision, outputs: [...decision.outputs, ...track(decision.state, context)] };
  }
  const tracked = track(moved, context);
  if (state.plan.duty === "off") return decided(moved, tracked);
  const fine = before.fineCell !== whereabouts.fineCell;
  if (!fine && before.zoneEpoch === whereabouts.zoneEpoch) return decided(moved, tracked);
  const { state: after, outputs } = changeCells(moved, context.cellsReached(whereabouts.fineCell), { at: context.at, all: fine });
  return decided(after, [...outputs, ...tracked]);
}

/** On duty from now: present in all cells within reach. */
function present(state: DriverState, context: DriverContext): DriverDecision {
  const cells = context.cellsReached(state.whereabouts.fineCell);
  const changed = changeCells(state, cells, { at: context.at, all: true });
  return decided(changed.state, changed.outputs);
}

/**
 * At a stop the driver's position is known better than by the last location, unless that one is newer: matching hears of the
 * stop, and so do cells entered and left by going there.
 */
function atStop(
  state: DriverState,
  hold: Hold,
  step: Exclude<ProgressStep, "accepted">,
  event: DriverEvent,
  context: DriverContext,
): DriverDecision {
  const point = step === "droppedOff" ? hold.content.dropOff : hold.content.pickup;
  let after = state;
  if (event.occurredAt >= state.whereabouts.recordedAt) {
    const { latitude, longitude } = point;
    after = { ...state, whereabouts: { ...state.whereabouts, latitude, longitude, fineCell: context.fineCellOf(point) } };
  }
  if (after.plan.duty !== "on") return progressed(after, hold, step, event, context);
  const moved = after.whereabouts.fineCell !== state.whereabouts.fineCell || after.whereabouts.zoneEpoch !== context.zoneEpoch;
  const cells = moved ? context.cellsReached(after.whereabouts.fineCell) : after.plan.cells;
  if (moved) after = { ...after, whereabouts: { ...after.whereabouts, zoneEpoch: context.zoneEpoch } };
  const told = changeCells(after, cells, { at: context.at, all: true });
  return progressed(told.state, hold, step, event, context, told.outputs);
}

function progressed(
  state: DriverState,
  hold: Hold,
  step: ProgressStep,
  event: DriverEvent,
  context: DriverContext,
  more: readonly DriverOutput[] = [],
): DriverDecision {
  const { jobId, attempt } = hold;
  const { driverId, plan } = state;
  const record = {
    type: "JobProgressed",
    jobId,
    attempt,
    driverId,
    driverVersion: plan.version,
    at: context.at,
    step,
    eventId: event.eventId,
  } as const;
  return decided(state, [{ to: "job", record }, ...more]);
}

/** Offered or held jobs go back to their jobs, each with its reason. */
function drop(state: DriverState, which: (hold: Hold) => boolean, reason: DropReason, context: DriverContext): DriverDecision {
  const dropped = state.plan.holds.filter(which);
  const kept = state.plan.holds.filter((hold) => !which(hold));
  const after = replan(withHolds(state, kept));
  return decided(after, [...givenBack(after, dropped, reason, context), ...tellCells(after, context.at)]);
}

function givenBack(state: DriverState, dropped: readonly Hold[], reason: DropReason, context: DriverContext): DriverOutput[] {
  const { driverId, plan } = state;
  return dropped.map(({ jobId, attempt }) => ({
    to: "job",
    record: { type: "JobDropped", jobId, attempt, driverId, driverVersion: plan.version, at: context.at, reason },
  }));
}

function refused(state: DriverState, reason: RefusalReason): DriverDecision {
  return decided(state, [{ to: "refusals", reason }]);
}

/** Brings the copies that the location path reads into line with the plan. */
function decided(state: DriverState, outputs: readonly DriverOutput[]): DriverDecision {
  const { duty, holds } = state.plan;
  const tracked = holds.length > 0;
  const same = state.whereabouts.duty === duty && state.whereabouts.tracked === tracked;
  const after = same ? state : { ...state, whereabouts: { ...state.whereabouts, duty, tracked } };
  return { state: after, outputs, offerEndsAt: nextOfferEnd(state.plan) };
}

function replan(state: DriverState): DriverState {
  return withPlan(state, { version: state.plan.version + 1 });
}

function withPlan(state: DriverState, changes: Partial<DriverPlan>): DriverState {
  return { ...state, plan: { ...state.plan, ...changes } };
}

function withDuty(state: DriverState, duty: Duty): DriverState {
  return withPlan(state, { duty });
}

/** The stops follow the holds. */
function withHolds(state: DriverState, holds: readonly Hold[]): DriverState {
  return withPlan(state, { holds, stops: stopsOf(holds, state.plan.stops) });
}

function changeHold(state: DriverState, hold: Hold, changes: Partial<Hold>): DriverState {
  return withHolds(
    state,
    state.plan.holds.map((candidate) => (candidate === hold ? { ...candidate, ...changes } : candidate)),
  );
}

function without(holds: readonly Hold[], hold: Hold): readonly Hold[] {
  return holds.filter((candidate) => candidate !== hold);
}

function heldAs(plan: DriverPlan, token: { readonly jobId: string; readonly attempt: number }): Hold | undefined {
  return plan.holds.find((hold) => hold.jobId === token.jobId && hold.attempt === token.attempt);
}

function never(input: never): never {
  throw new TypeError(`no row for ${JSON.stringify(input)}`);
}
