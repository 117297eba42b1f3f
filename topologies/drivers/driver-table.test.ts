import { describe, expect, test } from "vitest";
import { ProtocolBrokenError } from "../errors.ts";
import {
  action,
  contentSample,
  driverContext,
  holding,
  onDuty,
  point,
  proposalSample,
  shiftEnded,
  shiftStarted,
} from "../testing/samples.ts";
import { decideDriver } from "./driver-table.ts";
import { unknownDriver } from "./driver.ts";
import type { DriverDecision, DriverInput, DriverOutput, DriverState, LocationAccepted } from "./driver.ts";

const decide = (state: DriverState, input: DriverInput, at = 1_000): DriverDecision => decideDriver(state, input, driverContext({ at }));
const records = (outputs: readonly DriverOutput[]) => outputs.flatMap((output) => (output.to === "refusals" ? [] : [output.record]));
const kinds = (decision: DriverDecision): string[] =>
  decision.outputs.map((output) => {
    if (output.to === "refusals") return `refusal ${output.reason}`;
    const { record } = output;
    if (record.type === "DriverPresent") return `${record.present ? "present in" : "gone from"} ${record.cell} v${record.driverVersion}`;
    if (record.type === "JobDropped") return `dropped ${record.jobId} ${record.reason}`;
    if (record.type === "JobProgressed") return `progressed ${record.jobId} ${record.step}`;
    if (record.type === "ProposalRefused") return `refused to ${record.cell} ${record.reason}`;
    return `${record.type} ${"jobId" in record ? record.jobId : ""}`;
  });
const located = (state: DriverState, fineCell: string): LocationAccepted => ({
  type: "LocationAccepted",
  whereabouts: { ...state.whereabouts, fineCell, recordedAt: state.whereabouts.recordedAt + 5_000, zoneEpoch: 1 },
});
const release = (attempt = 1): DriverInput => ({ type: "JobReleased", driverId: "d0", jobId: "j0", attempt, at: 0 });
const amend = (attempt = 1): DriverInput => ({
  type: "JobAmended",
  driverId: "d0",
  jobId: "j0",
  attempt,
  orderVersion: 2,
  content: contentSample({ readyAt: 77, dropOff: point(1.5) }),
  at: 0,
});

const refusedBy = (state: DriverState, changes = {}, ...jobs: string[]): string[] => {
  const decision = decide(state, proposalSample({ cell: "far", ...changes }, ...jobs));
  expect(decision.state).toBe(state);
  return kinds(decision);
};

describe("JobsProposed", () => {
  test("on duty, version equal, plan rule allows: a hold for each, replan, JobReserved to each job", () => {
    const decision = decide(onDuty(), proposalSample({}, "j0", "j1"));
    expect(decision.state.plan).toMatchObject({
      version: 2,
      holds: [
        { jobId: "j0", status: "held" },
        { jobId: "j1", status: "held" },
      ],
    });
    expect(kinds(decision)).toEqual(["JobReserved j0", "JobReserved j1", "present in c0 v2"]);
    expect(records(decision.outputs)[0]).toMatchObject({ driverVersion: 2, offerUntil: null, proposalId: "c0/1000/d0", slackMs: 5 });
    expect(decision.offerEndsAt).toBeNull();
  });
  test("with offer seconds the holds are offered and a timer runs", () => {
    const decision = decide(onDuty(), proposalSample({ offerSeconds: 30 }));
    expect(decision.state.plan.holds).toMatchObject([{ status: "offered", offerUntil: 31_000 }]);
    expect(decision.offerEndsAt).toBe(31_000);
    expect(records(decision.outputs)[0]).toMatchObject({ type: "JobReserved", offerUntil: 31_000 });
  });
  test("otherwise: refused to the cell in the proposal, present there or not", () => {
    expect(refusedBy(onDuty(), { driverVersion: 0 })).toEqual(["refused to far version"]);
    expect(refusedBy(unknownDriver("d0"), { driverVersion: 0 })).toEqual(["refused to far duty"]);
    expect(refusedBy(onDuty(1), {}, "j0", "j1")).toEqual(["refused to far plan"]);
  });
  test("offered, held and picked up all count against the capacity", () => {
    for (const status of ["offered", "held", "pickedUp"] as const) {
      const full = { ...holding(status), plan: { ...holding(status).plan, capacity: 1 } };
      expect(kinds(decide(full, proposalSample({ driverVersion: 2 }, "j1")))).toEqual(["refused to c0 plan"]);
    }
  });
  test("a bundle grows by jobs of its own place until the courier reaches the counter", () => {
    const more = proposalSample({ driverVersion: 2 }, "j1");
    expect(kinds(decide(holding("held"), more))[0]).toBe("JobReserved j1");
    expect(kinds(decide(holding("held", { arrived: true }), more))).toEqual(["refused to c0 plan"]);
    expect(kinds(decide(holding("pickedUp"), more))).toEqual(["refused to c0 plan"]);
    const elsewhere = { ...more, jobs: more.jobs.map((job) => ({ ...job, content: contentSample({ placeId: "r2" }) })) };
    expect(kinds(decide(holding("held"), elsewhere))).toEqual(["refused to c0 plan"]);
  });
  test("the driver's tags must cover the job's requirements", () => {
    const job = { jobId: "j0", attempt: 1, orderVersion: 1, content: contentSample({ requirements: ["cold"] }) };
    expect(kinds(decide(onDuty(), proposalSample({ jobs: [job] })))).toEqual(["refused to c0 plan"]);
  });
  test("a job already in the plan cannot be proposed", () => {
    expect(() => decide(holding("held"), proposalSample({ driverVersion: 2 }))).toThrow(ProtocolBrokenError);
  });
});

describe("JobReleased and JobAmended", () => {
  test("released with this attempt, in any status: hold removed, timer off, replan", () => {
    for (const status of ["offered", "held", "pickedUp"] as const) {
      const decision = decide(holding(status), release());
      expect(decision.state.plan).toMatchObject({ version: 3, holds: [], stops: [] });
      expect(decision.offerEndsAt).toBeNull();
      expect(kinds(decision)).toEqual(["present in c0 v3"]);
    }
  });
  test("amended with this attempt: content replaced, replan", () => {
    const decision = decide(holding("held"), amend());
    expect(decision.state.plan.holds).toMatchObject([{ orderVersion: 2, status: "held", content: { readyAt: 77 } }]);
    expect(decision.state.plan.stops.at(-1)?.point.latitude).toBe(1.5);
    expect(kinds(decision)).toEqual(["present in c0 v3"]);
  });
  test("no such hold: nothing, also for another attempt", () => {
    for (const input of [release(2), amend(2)]) {
      const state = holding("held");
      const decision = decide(state, input);
      expect(decision.state).toBe(state);
      expect(decision.outputs).toEqual([]);
    }
    expect(decide(onDuty(), release()).outputs).toEqual([]);
  });
});

describe("device", () => {
  test("accepted, offered: held, timer off, JobProgressed accepted, no new version", () => {
    const decision = decide(holding("offered"), action("JobAccepted"));
    expect(decision.state.plan).toMatchObject({ version: 2, holds: [{ status: "held", offerUntil: null }] });
    expect(decision.offerEndsAt).toBeNull();
    expect(kinds(decision)).toEqual(["progressed j0 accepted"]);
  });
  test("declined, offered or held: hold removed, replan, JobDropped declined", () => {
    for (const status of ["offered", "held"] as const) {
      const decision = decide(holding(status), action("JobDeclined"));
      expect(decision.state.plan).toMatchObject({ version: 3, holds: [] });
      expect(kinds(decision)).toEqual(["dropped j0 declined", "present in c0 v3"]);
    }
  });
  test("timer, offer over: hold removed, replan, JobDropped offerExpired; a later offer stays", () => {
    const decision = decide(holding("offered"), { type: "OfferTimeOver" }, 31_000);
    expect(kinds(decision)).toEqual(["dropped j0 offerExpired", "present in c0 v3"]);
    const early = decide(holding("offered"), { type: "OfferTimeOver" }, 30_999);
    expect(early.outputs).toEqual([]);
    expect(early.offerEndsAt).toBe(31_000);
  });
  test("arrived, held: JobProgressed arrived, same version, matching hears of the stop", () => {
    const decision = decide(holding("held"), action("ArrivedAtPickup"));
    expect(decision.state.plan).toMatchObject({ version: 2, holds: [{ status: "held", arrived: true }] });
    expect(kinds(decision)).toEqual(["progressed j0 arrived", "present in c0 v2"]);
  });
  test("picked up, held: picked up, replan, JobProgressed pickedUp, only the drop-off remains", () => {
    const decision = decide(holding("held"), action("PickedUp"));
    expect(decision.state.plan).toMatchObject({ version: 3, holds: [{ status: "pickedUp" }], stops: [{ kind: "dropOff" }] });
    expect(kinds(decision)).toEqual(["progressed j0 pickedUp", "present in c0 v3"]);
  });
  test("dropped off, picked up: hold removed, replan, JobProgressed droppedOff; the driver stands at the door", () => {
    const decision = decide(holding("pickedUp"), action("DroppedOff"));
    expect(decision.state.plan).toMatchObject({ version: 3, holds: [], stops: [] });
    expect(kinds(decision)).toEqual(["progressed j0 droppedOff", "present in c1 v3", "gone from c0 v3"]);
    expect(decision.state.whereabouts).toMatchObject({ latitude: 1, fineCell: "f:c1", tracked: false });
  });
  test("dropped off when off duty or silent: done, and no cell hears of it", () => {
    for (const ended of [shiftEnded(), { type: "LocationTtlOver" } as const]) {
      const away = decide(holding("pickedUp"), ended).state;
      expect(kinds(decide(away, action("DroppedOff")))).toEqual(["progressed j0 droppedOff"]);
    }
  });
  test("a stop reached before the newest location does not move the driver back", () => {
    const state = holding("pickedUp");
    const later = { ...state, whereabouts: { ...state.whereabouts, recordedAt: 5_000 } };
    expect(decide(later, action("DroppedOff")).state.whereabouts.fineCell).toBe("f:c0");
  });
  test("any other device action: a refusal with its reason, and the plan as it was", () => {
    const cases: [DriverState, DriverInput, string][] = [
      [onDuty(), action("JobAccepted"), "NOT_YOURS"],
      [holding("held"), action("PickedUp", "j0", 2), "STALE"],
      [holding("held"), action("JobAccepted"), "WRONG_STATE"],
      [holding("pickedUp"), action("JobDeclined"), "WRONG_STATE"],
      [holding("offered"), action("ArrivedAtPickup"), "WRONG_STATE"],
      [holding("held", { arrived: true }), action("ArrivedAtPickup"), "WRONG_STATE"],
      [holding("offered"), action("PickedUp"), "WRONG_STATE"],
      [holding("held"), action("DroppedOff"), "WRONG_STATE"],
      [onDuty(), shiftStarted(), "ALREADY_ON_DUTY"],
      [unknownDriver("d0"), shiftEnded(), "OFF_DUTY"],
    ];
    for (const [state, input, reason] of cases) {
      const decision = decide(state, input);
      expect(kinds(decision)).toEqual([`refusal ${reason}`]);
      expect(decision.state.plan).toEqual({ ...state.plan, recentEvents: decision.state.plan.recentEvents });
    }
  });
  test("a known event id has no effect, also that of a refused event, among the last 64", () => {
    const event = action("JobAccepted");
    let state = decide(holding("offered"), event).state;
    expect(kinds(decide(state, event))).toEqual(["refusal DUPLICATE"]);
    for (let i = 0; i < 63; i++) state = decide(state, action("JobAccepted")).state;
    expect(state.plan.recentEvents).toHaveLength(64);
    expect(kinds(decide(state, event))).toEqual(["refusal DUPLICATE"]);
    state = decide(state, action("JobAccepted")).state;
    expect(kinds(decide(state, event))).toEqual(["refusal WRONG_STATE"]);
  });
});

describe("duty", () => {
  test("shift ended, on: off, offered and held dropped, picked up kept, gone from every cell", () => {
    const two = decide(onDuty(), proposalSample({}, "j0", "j1")).state;
    const decision = decide(decide(two, action("PickedUp")).state, shiftEnded());
    expect(decision.state.plan).toMatchObject({ duty: "off", version: 4, holds: [{ jobId: "j0" }], cells: [] });
    expect(kinds(decision)).toEqual(["dropped j1 shiftEnded", "gone from c0 v4"]);
  });
  test("TTL over, on: silent, with the reason silent", () => {
    const decision = decide(holding("held"), { type: "LocationTtlOver" });
    expect(decision.state.plan).toMatchObject({ duty: "silent", version: 3, holds: [] });
    expect(decision.state.whereabouts.duty).toBe("silent");
    expect(kinds(decision)).toEqual(["dropped j0 silent", "gone from c0 v3"]);
    expect(decide(decision.state, { type: "LocationTtlOver" }).outputs).toEqual([]);
  });
  test("shift started, off or silent: on, replan", () => {
    expect(kinds(decide(unknownDriver("d0"), shiftStarted()))).toEqual(["present in c0 v1"]);
    const silent = decide(onDuty(), { type: "LocationTtlOver" }).state;
    expect(kinds(decide(silent, shiftStarted({ position: point(1) })))).toEqual(["present in c1 v3"]);
  });
  test("shift ended while silent: off, so that a later location does not start it again", () => {
    const silent = decide(onDuty(), { type: "LocationTtlOver" }).state;
    const decision = decide(silent, shiftEnded());
    expect(decision.state.plan).toMatchObject({ duty: "off", version: 3 });
    expect(decision.outputs).toEqual([]);
  });
  test("location after silence: on, replan", () => {
    const silent = decide(onDuty(), { type: "LocationTtlOver" }).state;
    const decision = decide(silent, located(silent, "f:c1"));
    expect(decision.state.plan).toMatchObject({ duty: "on", version: 3, cells: ["c1"] });
    expect(kinds(decision)).toEqual(["present in c1 v3"]);
  });
});

describe("location", () => {
  test("its cells differ: cells replaced, version unchanged, entered and left are told", () => {
    const state = decide(unknownDriver("d0"), shiftStarted()).state;
    const both = decide(state, located(state, "f:c0,c1")).state;
    const decision = decide(both, located(both, "f:c1,c2"));
    expect(decision.state.plan).toMatchObject({ version: 1, cells: ["c1", "c2"] });
    expect(kinds(decision)).toEqual(["present in c1 v1", "present in c2 v1", "gone from c0 v1"]);
  });
  test("same fine cell: nothing is told", () => {
    const state = onDuty();
    expect(decide(state, located(state, "f:c0")).outputs).toEqual([]);
  });
  test("the zones changed: cells are computed again in the same fine cell, and only new ones hear of it", () => {
    const state = onDuty();
    const zoned = decideDriver(
      state,
      { ...located(state, "f:c0"), whereabouts: { ...state.whereabouts, zoneEpoch: 2 } },
      {
        ...driverContext(),
        zoneEpoch: 2,
        cellsReached: () => ["c9", "c0"],
      },
    );
    expect(kinds(zoned)).toEqual(["present in c9 v1"]);
  });
  test("jobs held are tracked with times along the plan; offered ones are not", () => {
    const state = holding("held", { content: contentSample({ readyAt: 100_000 }) });
    const tracked = records(decide(state, located(state, "f:c0")).outputs);
    expect(tracked).toMatchObject([{ type: "JobTracked", jobId: "j0", attempt: 1, pickupEta: 100_000, dropOffEta: 160_000 }]);
    expect(decide(holding("offered"), located(holding("offered"), "f:c0")).outputs).toEqual([]);
  });
  test("off duty with goods on board: position and tracking go on, no cell hears of it", () => {
    const away = decide(holding("pickedUp"), shiftEnded()).state;
    const decision = decide(away, located(away, "f:c1"));
    expect(kinds(decision)).toEqual(["JobTracked j0"]);
    expect(decision.state.plan.cells).toEqual([]);
  });
});
