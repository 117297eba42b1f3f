import { describe, expect, test } from "vitest";
import type { JobDropped, JobProgressed } from "#schemas";
import { ProtocolBrokenError } from "../errors.ts";
import { contentSample, jobContext, placed, point, policySample, reservation } from "../testing/samples.ts";
import { backoffMs } from "./backoff.ts";
import { decideJob } from "./job-table.ts";
import { endedAt } from "./job.ts";
import type { Job, JobContext, JobDecision, JobInput } from "./job.ts";

const decide = (job: Job | undefined, input: JobInput, context: JobContext = jobContext()): JobDecision =>
  decideJob("j0", job, input, context);
const kinds = (decision: JobDecision): string[] =>
  decision.outputs.map((output) => {
    if (output.to === "refusals") return `refusal ${output.reason}`;
    const { record } = output;
    if (record.type === "TripChanged") return `trip ${record.state}`;
    if (record.type === "AssignmentRevoked" || record.type === "AssignmentFailed") return `${record.type} ${record.reason}`;
    return record.type;
  });
/** What cells hear, in order. */
const told = (decision: JobDecision): string[] =>
  decision.outputs.flatMap((output) => {
    if (output.to !== "cell") return [];
    const { type, cell, attempt } = output.record;
    return [`${type} ${cell} ${attempt}`];
  });
const after = (...inputs: JobInput[]): Job => {
  let job: Job | undefined;
  for (const input of inputs) job = decide(job, input).job;
  if (job === undefined) throw new Error("unknown job");
  return job;
};
let events = 0;
const changed = (version: number, readyAt = 20_000): JobInput => ({ type: "ReadyTimeChanged", eventId: `c${++events}`, version, readyAt });
const cancel = (): JobInput => ({ type: "Cancelled", eventId: `x${++events}`, version: 1, occurredAt: 900, reason: "customer" });
const placedAt = (at: number): JobInput => placed({ content: contentSample({ placedAt: at }) });
const deadline: JobInput = { type: "DeadlineReached" };
const of = { jobId: "j0", attempt: 1, driverId: "d0", at: 1_000 };
const dropped = (reason: JobDropped["reason"] = "declined", changes: Partial<JobDropped> = {}): JobDropped => ({
  type: "JobDropped",
  ...of,
  driverVersion: 3,
  reason,
  ...changes,
});
const step = (name: JobProgressed["step"], changes: Partial<JobProgressed> = {}): JobProgressed => ({
  type: "JobProgressed",
  ...of,
  driverVersion: 2,
  step: name,
  eventId: "p1",
  ...changes,
});

const open = after(placed());
const offered = after(placed(), reservation({ offerUntil: 31_000 }));
const assigned = after(placed(), reservation());
const atPickup = after(placed(), reservation(), step("arrived"));
const pickedUp = after(placed(), reservation(), step("pickedUp"));
const completed = after(placed(), reservation(), step("pickedUp"), step("droppedOff", { driverVersion: 4 }));
const cancelled = after(placed(), cancel());
const failed = after(placed(), deadline);
const ended = { completed, cancelled, failed };
const withDriver = { offered, assigned, atPickup, pickedUp };

describe("Placed and Changed", () => {
  test("Placed, unknown: open, attempt 1, deadline set, JobOpened", () => {
    const decision = decide(undefined, placed());
    expect(decision.job).toMatchObject({ state: "open", attempt: 1, orderVersion: 1, jobVersion: 1, cell: "c0" });
    expect(decision.deadlineAt).toBe(1_000 + policySample().deadlineMs);
    expect(kinds(decision)).toEqual(["trip open", "JobOpened"]);
  });
  test("Placed or Changed, higher version, same pickup, open: orderVersion raised, JobOpened, same attempt", () => {
    for (const input of [changed(2), placed({ version: 2, content: contentSample({ readyAt: 20_000, placedAt: 9 }) })]) {
      const decision = decide(open, input);
      expect(decision.job).toMatchObject({ state: "open", attempt: 1, orderVersion: 2, content: { readyAt: 20_000, placedAt: 0 } });
      expect(decision.outputs.at(-1)).toMatchObject({ record: { type: "JobOpened", attempt: 1, orderVersion: 2 } });
    }
  });
  test("same, offered, assigned or picked up: orderVersion raised, JobAmended to the driver", () => {
    for (const job of Object.values(withDriver)) {
      const decision = decide(job, changed(2));
      expect(decision.job).toMatchObject({ state: job.state, orderVersion: 2 });
      expect(decision.outputs.at(-1)).toMatchObject({
        to: "driver",
        record: { type: "JobAmended", driverId: "d0", attempt: 1, orderVersion: 2 },
      });
    }
  });
  test("a change keeps the running attempt's waiting time", () => {
    const again = decide(assigned, dropped(), jobContext({ policy: policySample({ backoffBaseMs: 60_000 }) })).job;
    const decision = decide(again, changed(2));
    expect(decision.outputs.at(-1)).toMatchObject({ record: { type: "JobOpened", notBefore: again?.retryAt } });
    expect(again?.retryAt).toBeGreaterThan(1_000);
  });
  test("lower or equal version, another pickup, ended: refused", () => {
    const raised = after(placed(), changed(5));
    expect(kinds(decide(raised, changed(4)))).toEqual(["refusal VERSION_OLD"]);
    expect(kinds(decide(raised, placed({ version: 5 })))).toEqual(["refusal DUPLICATE"]);
    const elsewhere = placed({ version: 6, content: contentSample({ pickup: point(2) }) });
    expect(kinds(decide(raised, elsewhere))).toEqual(["refusal PICKUP_DIFFERS"]);
    for (const job of Object.values(ended)) expect(kinds(decide(job, changed(9)))).toEqual(["refusal ENDED"]);
    expect(kinds(decide(undefined, changed(1)))).toEqual(["refusal UNKNOWN_JOB"]);
  });
  test("a known event id has no effect", () => {
    const input = changed(2);
    expect(kinds(decide(decide(open, input).job, input))).toEqual(["refusal DUPLICATE"]);
  });
});

describe("Cancelled", () => {
  test("unknown: remembered as cancelled, so that a late Placed is refused", () => {
    const decision = decide(undefined, cancel());
    expect(decision.job).toMatchObject({ state: "cancelled", content: null });
    expect(kinds(decision)).toEqual(["trip cancelled"]);
    expect(kinds(decide(decision.job, placed({ version: 2 })))).toEqual(["refusal ENDED"]);
  });
  test("open: cancelled, JobClosed", () => {
    const decision = decide(open, cancel());
    expect(kinds(decision)).toEqual(["trip cancelled", "JobClosed"]);
    expect(decision.deadlineAt).toBeNull();
  });
  test("offered, assigned or at the pickup: cancelled, AssignmentRevoked, JobReleased", () => {
    for (const job of [offered, assigned, atPickup]) {
      expect(kinds(decide(job, cancel()))).toEqual(["AssignmentRevoked cancelled", "trip cancelled", "JobReleased"]);
    }
  });
  test("picked up or ended: refused", () => {
    expect(kinds(decide(pickedUp, cancel()))).toEqual(["refusal PICKED_UP"]);
    for (const job of Object.values(ended)) expect(kinds(decide(job, cancel()))).toEqual(["refusal ENDED"]);
  });
});

describe("deadline", () => {
  test("open: failed, AssignmentFailed, JobClosed", () => {
    const decision = decide(open, deadline);
    expect(kinds(decision)).toEqual(["AssignmentFailed deadline", "trip failed", "JobClosed"]);
    expect(decision.outputs[0]).toMatchObject({ record: { retryAfterSeconds: 60, jobVersion: 2 } });
  });
  test("offered, assigned or picked up: failed, AssignmentRevoked, AssignmentFailed, JobReleased", () => {
    for (const job of Object.values(withDriver)) {
      const expected = ["AssignmentRevoked deadline", "AssignmentFailed deadline", "trip failed", "JobReleased"];
      expect(kinds(decide(job, deadline))).toEqual(expected);
    }
  });
  test("ended: nothing", () => {
    for (const job of Object.values(ended)) expect(decide(job, deadline)).toMatchObject({ job, outputs: [], deadlineAt: null });
  });
});

describe("JobReserved", () => {
  test("open: offered if offerUntil is set, else assigned; DriverOffered or DriverAssigned, JobClosed", () => {
    const assignment = decide(open, reservation());
    expect(kinds(assignment)).toEqual(["DriverAssigned", "trip assigned", "JobClosed"]);
    expect(assignment.outputs[0]).toMatchObject({
      record: {
        driverId: "d0",
        driverVersion: 2,
        attempt: 1,
        jobVersion: 2,
        proposalId: "c0/1000/d0",
        policy: "nearest",
        slackMs: 5,
        pickupEta: 9_000,
      },
    });
    const offer = decide(open, reservation({ offerUntil: 31_000 }));
    expect(kinds(offer)).toEqual(["DriverOffered", "trip offered", "JobClosed"]);
    expect(offer.outputs[0]).toMatchObject({ record: { offerUntil: 31_000 } });
  });
  test("open and its orderVersion is old: the reservation stands, and JobAmended follows", () => {
    const decision = decide(after(placed(), changed(2)), reservation());
    expect(kinds(decision)).toEqual(["DriverAssigned", "trip assigned", "JobClosed", "JobAmended"]);
  });
  test("ended: JobReleased", () => {
    for (const job of Object.values(ended)) {
      const decision = decide(job, reservation({ driverId: "d9" }));
      expect(decision.job).toBe(job);
      expect(decision.outputs).toMatchObject([{ to: "driver", record: { type: "JobReleased", driverId: "d9", attempt: 1 } }]);
    }
  });
});

describe("JobDropped", () => {
  test("mine, attempts left: open, attempt + 1, driver excluded if declined or offerExpired, AssignmentRevoked, JobOpened", () => {
    for (const reason of ["declined", "offerExpired", "shiftEnded", "silent"] as const) {
      const decision = decide(offered, dropped(reason));
      const excludedDrivers = reason === "declined" || reason === "offerExpired" ? ["d0"] : [];
      expect(decision.job).toMatchObject({ state: "open", attempt: 2, driver: null, excludedDrivers });
      expect(kinds(decision)).toEqual([`AssignmentRevoked ${reason}`, "trip open", "JobOpened"]);
      expect(decision.outputs[0]).toMatchObject({ record: { attempt: 1, driverVersion: 3 } });
      expect(decision.outputs.at(-1)).toMatchObject({ record: { attempt: 2, excludedDrivers } });
    }
  });
  test("re-opens in the cell of the resolution now in force", () => {
    const rezoned = jobContext({ zoneOf: () => ({ cell: "new", policy: policySample() }) });
    expect(decide(assigned, dropped("silent"), rezoned).outputs.at(-1)).toMatchObject({ record: { type: "JobOpened", cell: "new" } });
  });
  test("cells within reach are told of each opening, and close what they were told of", () => {
    const near = jobContext({ cellsNear: () => ["c0", "c1", "c2"] });
    const first = decideJob("j0", undefined, placed(), near);
    expect(told(first)).toEqual(["JobOpened c0 1", "JobNearby c1 1", "JobNearby c2 1"]);
    // Reach has changed meanwhile: closed where it was opened.
    const taken = decideJob("j0", first.job, reservation({ offerUntil: 9_000 }), jobContext());
    expect(told(taken)).toEqual(["JobClosed c0 1", "JobClosed c1 1", "JobClosed c2 1"]);
    const again = decideJob("j0", taken.job, dropped("declined"), jobContext({ cellsNear: () => ["c0", "c3"] }));
    expect(told(again)).toEqual(["JobOpened c0 2", "JobNearby c3 2"]);
    const cancelled = decideJob("j0", again.job, cancel(), jobContext());
    expect(told(cancelled)).toEqual(["JobClosed c0 2", "JobClosed c3 2"]);
  });
  test("waits with full jitter drawn from the job and the attempt", () => {
    const policy = policySample({ backoffBaseMs: 1_000, backoffMaxMs: 4_000 });
    expect(decide(assigned, dropped("silent"), jobContext({ policy })).job?.retryAt).toBe(1_000 + backoffMs("j0", 1, 1_000, 4_000));
    const waits = Array.from({ length: 1_000 }, (_, i) => backoffMs(`job-${i}`, 3, 1_000, 60_000));
    expect(Math.min(...waits)).toBeLessThan(50);
    expect(Math.max(...waits)).toBeGreaterThan(3_950);
    expect(Math.max(...waits)).toBeLessThan(4_000);
    expect(waits.reduce((sum, wait) => sum + wait, 0) / waits.length).toBeCloseTo(2_000, -2.5);
    expect(backoffMs("j0", 500, 1_000, 60_000)).toBeLessThan(60_000);
  });
  test("mine, attempts used up: failed, AssignmentRevoked, AssignmentFailed", () => {
    const context = jobContext({ policy: policySample({ attemptsMax: 1 }) });
    const decision = decide(assigned, dropped(), context);
    expect(kinds(decision)).toEqual(["AssignmentRevoked declined", "AssignmentFailed attempts", "trip failed"]);
    expect(decision.deadlineAt).toBeNull();
  });
  test("ended: nothing", () => {
    for (const job of Object.values(ended)) expect(decide(job, dropped())).toMatchObject({ job, outputs: [] });
  });
});

describe("JobProgressed", () => {
  test("accepted, mine, offered: assigned, DriverAssigned", () => {
    expect(kinds(decide(offered, step("accepted")))).toEqual(["DriverAssigned", "trip assigned"]);
  });
  test("arrived and pickedUp, mine: at pickup, picked up, trip event", () => {
    expect(kinds(decide(assigned, step("arrived")))).toEqual(["trip atPickup"]);
    expect(kinds(decide(atPickup, step("pickedUp")))).toEqual(["trip pickedUp"]);
    expect(kinds(decide(assigned, step("pickedUp")))).toEqual(["trip pickedUp"]);
  });
  test("droppedOff, mine: completed, trip event with content and driver", () => {
    const decision = decide(pickedUp, step("droppedOff", { driverVersion: 4 }));
    expect(decision.outputs).toMatchObject([
      { to: "trips", record: { state: "completed", driverId: "d0", driverVersion: 4, content: { priceMinor: 1_000 } } },
    ]);
    expect(decision.deadlineAt).toBeNull();
  });
  test("ended: recorded as refused", () => {
    for (const job of Object.values(ended)) expect(kinds(decide(job, step("pickedUp")))).toEqual(["refusal ENDED"]);
  });
});

describe("a job forgotten after its end", () => {
  const forgotten = jobContext({ at: 9_000, forgottenUntil: 5_000 });
  const answer = (input: JobInput): string[] => kinds(decide(undefined, input, forgotten));

  test("is old from its end, or from its placement if that is later: no request of it is newer", () => {
    expect(endedAt(completed, 5_000)).toBe(5_000);
    expect(endedAt({ ...completed, content: contentSample({ placedAt: 6_000 }) }, 5_000)).toBe(6_000);
    expect(endedAt({ ...cancelled, content: null }, 5_000)).toBe(5_000);
  });

  test("is not opened, and not cancelled, by a request from before; a newer one is another job", () => {
    expect(answer(placedAt(5_000))).toEqual(["refusal STALE"]);
    expect(decide(undefined, placedAt(5_000), forgotten).job).toBeUndefined();
    expect(answer({ ...cancel(), occurredAt: 5_000 } as JobInput)).toEqual(["refusal STALE"]);
    expect(answer(changed(3))).toEqual(["refusal UNKNOWN_JOB"]);
    expect(answer(placedAt(5_001))).toEqual(["trip open", "JobOpened"]);
    expect(decide(open, placedAt(1), forgotten).outputs).toMatchObject([{ reason: "DUPLICATE" }]);
  });

  test("answers the protocol as an ended one", () => {
    expect(decide(undefined, reservation(), forgotten)).toMatchObject({
      job: undefined,
      outputs: [{ to: "driver", record: { type: "JobReleased", driverId: "d0", jobId: "j0", attempt: 1 } }],
      deadlineAt: null,
    });
    expect(answer(dropped())).toEqual([]);
    expect(answer(step("pickedUp"))).toEqual(["refusal UNKNOWN_JOB"]);
    expect(answer(deadline)).toEqual([]);
  });
});

test("a protocol record in a state not listed for it stops the task", () => {
  const impossible: [Job | undefined, JobInput][] = [
    [open, reservation({ attempt: 2 })],
    [offered, reservation()],
    [assigned, reservation()],
    [pickedUp, reservation()],
    [open, dropped()],
    [assigned, dropped("silent", { driverId: "d9" })],
    [assigned, dropped("silent", { attempt: 2 })],
    [pickedUp, dropped()],
    [open, step("accepted")],
    [assigned, step("accepted")],
    [offered, step("arrived")],
    [atPickup, step("arrived")],
    [offered, step("pickedUp")],
    [assigned, step("droppedOff")],
    [assigned, step("arrived", { driverId: "d9" })],
  ];
  for (const [job, input] of impossible) expect(() => decide(job, input), JSON.stringify([job?.state, input])).toThrow(ProtocolBrokenError);
});
