import { describe, expect, test } from "vitest";
import type { JobClosed, ProposalRefused } from "#schemas";
import { ProtocolBrokenError } from "../errors.ts";
import { cellAfter, contentSample, emptyCell, nearbySample, openedSample, policySample, presentSample } from "../testing/samples.ts";
import { decideCell } from "./cell-table.ts";
import type { CellInput } from "./cell-table.ts";
import type { Cell } from "./cell.ts";
import type { Match, MatchingProblem } from "./policy.ts";
import type { CellTick } from "./tick.ts";

const travel = { name: "none", serviceMs: 0, travelMs: () => 0 };
const tickWith = (match: (problem: MatchingProblem) => readonly Match[], changes: Partial<CellTick> = {}): CellTick => ({
  type: "CellTick",
  at: 5_000,
  zone: policySample({ offerSeconds: 30 }),
  policy: { name: "test", parameters: {}, match },
  travel,
  nearby: () => [],
  cellsReached: () => ["c0", "c1"],
  ...changes,
});
const give = (driverId: string, ...jobIds: string[]): Match => ({ driverId, jobIds, plan: [], slackMs: 1.4, pickupEta: 6_000.6 });
const cellOf = (...inputs: CellInput[]): Cell =>
  inputs.reduce<Cell>((cell, input) => cellAfter(cell, decideCell(cell, input)), emptyCell());
const closed = (attempt = 1): JobClosed => ({ type: "JobClosed", cell: "c0", at: 2_000, jobId: "j0", attempt });
const refusal = (driverVersion = 1, attempt = 1): ProposalRefused => ({
  type: "ProposalRefused",
  cell: "c0",
  at: 6_000,
  driverId: "d0",
  driverVersion,
  jobs: [{ jobId: "j0", attempt }],
  reason: "plan",
});
const asked = tickWith(() => [give("d0", "j0")]);

describe("JobOpened", () => {
  test("absent: queued", () => {
    expect(cellOf(openedSample()).jobs.get("j0")).toMatchObject({ status: "queued", attempt: 1 });
  });
  test("same attempt, queued or proposed: content replaced, still queued or proposed", () => {
    const newer = openedSample({ orderVersion: 2, content: contentSample({ readyAt: 7 }), notBefore: 9 });
    expect(cellOf(openedSample(), newer).jobs.get("j0")).toMatchObject({ status: "queued", orderVersion: 2, notBefore: 9 });
    const proposed = cellOf(openedSample(), presentSample(), asked, newer);
    expect(proposed.jobs.get("j0")).toMatchObject({ status: "proposed", askedDriver: "d0", orderVersion: 2, content: { readyAt: 7 } });
  });
  test("another attempt of a job still here cannot arrive", () => {
    expect(() => cellOf(openedSample(), openedSample({ attempt: 2 }))).toThrow(ProtocolBrokenError);
  });
});

describe("JobClosed", () => {
  test("queued or proposed: absent", () => {
    expect(cellOf(openedSample(), closed()).jobs.size).toBe(0);
    expect(cellOf(openedSample(), presentSample(), asked, closed()).jobs.size).toBe(0);
  });
});

describe("JobNearby", () => {
  test("known of with its newest content until it is closed, and never waiting here", () => {
    const cell = cellOf(nearbySample(), nearbySample({ orderVersion: 2 }));
    expect(cell.nearby.get("j0")).toMatchObject({ home: "c1", orderVersion: 2 });
    expect(cell.jobs.size).toBe(0);
    expect(cellOf(nearbySample(), closed()).nearby.size).toBe(0);
  });
  test("another attempt of one that is still known, or one that was opened here, cannot arrive", () => {
    expect(() => cellOf(nearbySample(), nearbySample({ attempt: 2 }))).toThrow(ProtocolBrokenError);
    expect(() => cellOf(nearbySample(), closed(2))).toThrow(ProtocolBrokenError);
    expect(() => cellOf(openedSample(), nearbySample())).toThrow(ProtocolBrokenError);
    expect(() => cellOf(nearbySample(), openedSample())).toThrow(ProtocolBrokenError);
  });
  test("the policy plans with it, without drivers whom its own cell does not know, and it is never proposed", () => {
    const near = nearbySample({ jobId: "j9", excludedDrivers: ["d7"] });
    const cell = cellOf(openedSample(), near, presentSample(), presentSample({ driverId: "d1", fineCell: "f:far" }));
    let seen: MatchingProblem | undefined;
    const tick = tickWith(
      (problem) => {
        seen = problem;
        return [give("d0", "j9"), give("d1", "j0")];
      },
      { cellsReached: (fineCell) => (fineCell === "f:far" ? ["c0"] : ["c0", "c1"]) },
    );
    const { outputs, jobs } = decideCell(cell, tick);
    expect(seen?.jobs.map(({ jobId, excludedDrivers }) => [jobId, [...excludedDrivers].sort()])).toEqual([
      ["j0", []],
      ["j9", ["d1", "d7"]],
    ]);
    expect(outputs.map(({ driverId }) => driverId)).toEqual(["d1"]);
    expect(jobs.map(([jobId]) => jobId)).toEqual(["j0"]);
  });
  test("is not planned with before its time, and alone is no reason to plan", () => {
    const later = nearbySample({ jobId: "j9", notBefore: 9_000 });
    const asks: number[] = [];
    const tick = tickWith(({ jobs }) => {
      asks.push(jobs.length);
      return [];
    });
    decideCell(cellOf(openedSample(), later, presentSample()), tick);
    decideCell(cellOf(nearbySample(), presentSample()), tick);
    expect(asks).toEqual([1]);
  });
  test("in a bundle with jobs of this cell, these are proposed without it", () => {
    const cell = cellOf(openedSample(), nearbySample({ jobId: "j9" }), presentSample());
    expect(
      decideCell(
        cell,
        tickWith(() => [give("d0", "j9", "j0")]),
      ).outputs,
    ).toMatchObject([{ jobs: [{ jobId: "j0" }] }]);
  });
});

describe("ProposalRefused", () => {
  const proposed = [openedSample(), presentSample(), asked] as const;
  test("proposed and the driver still known as asked: queued, that pair skipped until he changes", () => {
    const cell = cellOf(...proposed, refusal());
    expect(cell.jobs.get("j0")).toMatchObject({
      status: "queued",
      askedDriver: null,
      skips: [{ driverId: "d0", driverVersion: 1, bundled: false }],
    });
    expect(decideCell(cell, asked).outputs).toEqual([]);
    expect(decideCell(cellAfter(cell, decideCell(cell, presentSample({ driverVersion: 2 }))), asked).outputs).toHaveLength(1);
  });
  test("proposed and the driver changed or gone meanwhile: queued without a skip", () => {
    const changed = [presentSample({ driverVersion: 2 }), presentSample({ present: false })];
    for (const news of changed) expect(cellOf(...proposed, news, refusal()).jobs.get("j0")).toMatchObject({ status: "queued", skips: [] });
  });
  test("each driver that refused is skipped while he is as he was, so that two are not asked in turn for ever", () => {
    const second = tickWith(() => [give("d1", "j0")]);
    const other = presentSample({ driverId: "d1" });
    const cell = cellOf(...proposed, refusal(), other, second, { ...refusal(), driverId: "d1" });
    expect(cell.jobs.get("j0")?.skips.map((seen) => seen.driverId)).toEqual(["d0", "d1"]);
    let seen: MatchingProblem | undefined;
    decideCell(
      cell,
      tickWith((problem) => ((seen = problem), [])),
    );
    expect([...(seen?.jobs[0]?.excludedDrivers ?? [])]).toEqual(["d0", "d1"]);
    const changed = cellOf(...proposed, refusal(), other, second, presentSample({ driverVersion: 2 }), { ...refusal(), driverId: "d1" });
    expect(changed.jobs.get("j0")?.skips.map((skip) => skip.driverId)).toEqual(["d1"]);
  });
  test("a refused bundle is asked again job by job, so that no job waits for what another one lacks", () => {
    const both = tickWith(() => [give("d0", "j0", "j1")]);
    const tokens = [
      { jobId: "j0", attempt: 1 },
      { jobId: "j1", attempt: 1 },
    ];
    const cell = cellOf(openedSample(), openedSample({ jobId: "j1" }), presentSample(), both, { ...refusal(), jobs: tokens });
    const alone = decideCell(cell, both);
    expect(alone.outputs[0]?.jobs.map((job) => job.jobId)).toEqual(["j0"]);
    const refused = cellAfter(cellAfter(cell, alone), decideCell(cellAfter(cell, alone), refusal()));
    expect(decideCell(refused, both).outputs).toEqual([]);
    expect(
      decideCell(
        refused,
        tickWith(() => [give("d0", "j1")]),
      ).outputs,
    ).toHaveLength(1);
  });
  test("absent, closed meanwhile: nothing", () => {
    expect(cellOf(...proposed, closed(), refusal()).jobs.size).toBe(0);
  });
  test("queued, or another attempt: cannot arrive", () => {
    expect(() => cellOf(openedSample(), refusal())).toThrow(ProtocolBrokenError);
    expect(() => cellOf(...proposed, refusal(1, 2))).toThrow(ProtocolBrokenError);
  });
});

describe("DriverPresent", () => {
  test("driver replaced, or removed if present is false", () => {
    expect(cellOf(presentSample(), presentSample({ driverVersion: 3 })).drivers.get("d0")?.driverVersion).toBe(3);
    expect(cellOf(presentSample(), presentSample({ present: false })).drivers.size).toBe(0);
  });
});

describe("Ticked", () => {
  test("queued, due and matched: proposed, JobsProposed with the cell, versions, content and the zone's terms", () => {
    const cell = cellOf(openedSample(), presentSample({ driverVersion: 4 }));
    const decision = decideCell(cell, asked);
    expect(cellAfter(cell, decision).jobs.get("j0")).toMatchObject({ status: "proposed", askedDriver: "d0" });
    expect(decision.outputs).toMatchObject([
      {
        type: "JobsProposed",
        driverId: "d0",
        cell: "c0",
        proposalId: "c0/5000/d0",
        driverVersion: 4,
        jobs: [{ jobId: "j0", attempt: 1, orderVersion: 1, content: contentSample() }],
        offerSeconds: 30,
        policy: "test",
        slackMs: 1,
        pickupEta: 6_001,
        at: 5_000,
      },
    ]);
  });
  test("the policy sees due jobs by ready time and id, drivers by id, and who is already asked", () => {
    let seen: MatchingProblem | undefined;
    const jobs = [
      openedSample({ jobId: "b" }),
      openedSample({ jobId: "a" }),
      openedSample({ jobId: "z", content: contentSample({ readyAt: 1 }) }),
      openedSample({ jobId: "later", notBefore: 5_001 }),
    ];
    const drivers = [presentSample({ driverId: "d1" }), presentSample({ driverId: "d0" })];
    const cell = cellOf(openedSample(), presentSample(), asked, ...jobs, ...drivers);
    decideCell(
      cell,
      tickWith((problem) => ((seen = problem), [])),
    );
    expect(seen?.jobs.map((job) => job.jobId)).toEqual(["z", "a", "b"]);
    expect(seen?.drivers.map((driver) => [driver.driverId, driver.asked])).toEqual([
      ["d0", true],
      ["d1", false],
    ]);
    expect(seen?.now).toBe(5_000);
  });
  test("what a policy may not match stays in the queue", () => {
    const cell = cellOf(
      openedSample({ excludedDrivers: ["d1"] }),
      openedSample({ jobId: "j1" }),
      openedSample({ jobId: "later", notBefore: 9_000 }),
      presentSample(),
      presentSample({ driverId: "d1" }),
    );
    const wrong = [
      [give("d1", "j0")],
      [give("d9", "j0")],
      [give("d0", "later")],
      [give("d0", "nothing")],
      [give("d0", "j0", "j0")],
      [give("d0")],
    ];
    for (const matches of wrong)
      expect(
        decideCell(
          cell,
          tickWith(() => matches),
        ),
      ).toEqual({ jobs: [], drivers: [], outputs: [] });
    const twice = decideCell(
      cell,
      tickWith(() => [give("d0", "j0"), give("d0", "j1"), give("d1", "j0"), give("d1", "j1")]),
    );
    expect(twice.outputs.map((record) => [record.driverId, record.jobs[0]?.jobId])).toEqual([
      ["d0", "j0"],
      ["d1", "j1"],
    ]);
  });
  test("no job due or no driver: the policy is not asked", () => {
    const unasked = tickWith(() => {
      throw new Error("asked");
    });
    for (const cell of [emptyCell(), cellOf(openedSample()), cellOf(presentSample())])
      expect(decideCell(cell, unasked).outputs).toEqual([]);
  });
});
