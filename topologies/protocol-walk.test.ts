import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unknownDriver } from "./drivers/driver.ts";
import { hasEnded } from "./jobs/job.ts";
import { soundTables } from "./testing/protocol-tables.ts";
import type { Tables, WorldBounds } from "./testing/protocol-tables.ts";
import { ProtocolWorld } from "./testing/protocol-world.ts";

const bounds: fc.Arbitrary<WorldBounds> = fc
  .record({
    drivers: fc.integer({ min: 1, max: 3 }),
    jobs: fc.integer({ min: 1, max: 6 }),
    cells: fc.integer({ min: 1, max: 3 }),
    capacity: fc.integer({ min: 1, max: 2 }),
    offers: fc.boolean(),
    rezone: fc.boolean(),
    veto: fc.boolean(),
    slow: fc.constantFrom("", "j>d", "d>j", "j>c", "d>c", "c>d"),
  })
  .map((chosen) => (chosen.rezone ? { ...chosen, cells: 2 } : chosen));
const walksIn = (where: fc.Arbitrary<WorldBounds>) =>
  fc.record({
    bounds: where,
    choices: fc.array(fc.noBias(fc.nat({ max: 1_000_000 })), { maxLength: 120, size: "max" }),
    last: fc.nat({ max: 10_000 }),
  });

/** One driver, one job, one cell, and slow news from the job to its driver: where rare interleavings are common. */
const tiny = fc.constant({ drivers: 1, jobs: 1, cells: 1, capacity: 1, offers: false, rezone: false, veto: false, slow: "j>d" });

function walk(tables: Tables, runs: number, options: { readonly where?: fc.Arbitrary<WorldBounds>; readonly shrink?: boolean } = {}): void {
  const { where = bounds, shrink = true } = options;
  fc.assert(
    fc.property(walksIn(where), ({ bounds: world, choices, last }) => {
      const protocol = new ProtocolWorld(world, tables);
      for (const choice of choices) protocol.step(choice);
      let turn = last;
      protocol.rest((most) => (turn = (turn * 31 + 7) % 1_000_003) % Math.max(1, most));
    }),
    { numRuns: runs, seed: 1, endOnFailure: !shrink },
  );
}

test(
  "6,000 random walks of drivers, jobs and cells keep D1 to D3, leave no phantom, and let nobody wait for ever",
  { timeout: 60_000 },
  () => {
    walk(soundTables, 6_000);
  },
);

/** Simpler rules that were rejected, each put around the sound tables. */
const rejected: Readonly<Record<string, Tables>> = {
  "no-compare": {
    ...soundTables,
    driver: (state, input, context) => {
      if (input.type !== "JobsProposed") return soundTables.driver(state, input, context);
      const { capacity, duty } = state.plan;
      const open = { ...state, plan: { ...state.plan, capacity: 99, duty: "on" as const, version: input.driverVersion } };
      const decision = soundTables.driver(open, input, context);
      return { ...decision, state: { ...decision.state, plan: { ...decision.state.plan, capacity, duty } } };
    },
  },
  "accept-forgets": {
    ...soundTables,
    driver: (state, input, context) => {
      const decision = soundTables.driver(state, input, context);
      if (input.type !== "JobsProposed") return decision;
      const closed = decision.outputs.flatMap((output) =>
        output.to === "job"
          ? [
              {
                to: "cell",
                record: { type: "JobClosed", cell: input.cell, at: 0, jobId: output.record.jobId, attempt: output.record.attempt },
              },
            ]
          : [],
      );
      return { ...decision, outputs: [...decision.outputs, ...(closed as unknown as typeof decision.outputs)] };
    },
    job: (jobId, job, input, context) => {
      const decision = soundTables.job(jobId, job, input, context);
      if (input.type !== "JobReserved") return decision;
      return { ...decision, outputs: decision.outputs.filter((output) => output.to !== "cell") };
    },
  },
  "change-requeues": {
    ...soundTables,
    cell: (cell, input) => soundTables.cell(input.type === "JobOpened" ? { ...cell, jobs: new Map() } : cell, input),
  },
  "order-version-decides": {
    ...soundTables,
    job: (jobId, job, input, context) => {
      if (input.type !== "JobReserved" || job?.state !== "open" || input.orderVersion === job.orderVersion) {
        return soundTables.job(jobId, job, input, context);
      }
      return { ...soundTables.job(jobId, { ...job, state: "failed" }, input, context), job };
    },
  },
  "release-only-cancelled": {
    ...soundTables,
    job: (jobId, job, input, context) => {
      const decision = soundTables.job(jobId, job, input, context);
      const forgets = input.type === "JobReserved" && job !== undefined && hasEnded(job.state) && job.state !== "cancelled";
      return forgets ? { ...decision, outputs: [] } : decision;
    },
  },
  "deadline-until-pickup": {
    ...soundTables,
    job: (jobId, job, input, context) => {
      if (input.type === "DeadlineReached" && job?.state === "pickedUp") return { job, outputs: [], deadlineAt: null };
      return soundTables.job(jobId, job, input, context);
    },
  },
  "nearby-never-closed": {
    ...soundTables,
    job: (jobId, job, input, context) => {
      const decision = soundTables.job(jobId, job, input, context);
      const outputs = decision.outputs.filter(
        (output) => output.to !== "cell" || output.record.type !== "JobClosed" || output.record.cell === job?.cell,
      );
      return { ...decision, outputs };
    },
  },
  "nearby-waits": {
    ...soundTables,
    cell: (cell, input) => soundTables.cell(cell, input.type === "JobNearby" ? { ...input, type: "JobOpened" } : input),
  },
  "refusal-forgotten": {
    ...soundTables,
    cell: (cell, input) => soundTables.cell(input.type === "ProposalRefused" ? { ...cell, drivers: new Map() } : cell, input),
  },
  "one-skip": {
    ...soundTables,
    cell: (cell, input) => {
      const decision = soundTables.cell(cell, input);
      return { ...decision, jobs: decision.jobs.map(([id, job]) => [id, job && { ...job, skips: job.skips.slice(-1) }]) };
    },
  },
  "bundle-skips-all": {
    ...soundTables,
    cell: (cell, input) => {
      const decision = soundTables.cell(cell, input);
      const jobs = decision.jobs.map(
        ([id, job]) => [id, job && { ...job, skips: job.skips.map((skip) => ({ ...skip, bundled: false })) }] as const,
      );
      return { ...decision, jobs };
    },
  },
  "verdict-to-present": {
    ...soundTables,
    driver: (state, input, context) => {
      const decision = soundTables.driver(state, input, context);
      const outputs = decision.outputs.flatMap((output) =>
        output.to === "cell" && output.record.type === "ProposalRefused" && !state.plan.cells.includes(output.record.cell) ? [] : [output],
      );
      return { ...decision, outputs };
    },
  },
  "shift-end-keeps-plan": {
    ...soundTables,
    driver: (state, input, context) => {
      const decision = soundTables.driver(state, input, context);
      if (input.type !== "ShiftEnded") return decision;
      const { holds, stops } = state.plan;
      const outputs = decision.outputs.filter((output) => output.to !== "job");
      return { ...decision, state: { ...decision.state, plan: { ...decision.state.plan, holds, stops } }, outputs };
    },
  },
  "zone-switches": {
    ...soundTables,
    driver: (state, input, context) =>
      soundTables.driver(state, input, { ...context, cellsReached: (cell) => context.cellsReached(cell).slice(-1) }),
  },
  "forgotten-opens-again": {
    ...soundTables,
    job: (jobId, job, input, context) => soundTables.job(jobId, job, input, { ...context, forgottenUntil: -1 }),
  },
  "forgotten-keeps-driver": {
    ...soundTables,
    job: (jobId, job, input, context) =>
      job === undefined && input.type === "JobReserved"
        ? { job, outputs: [], deadlineAt: null }
        : soundTables.job(jobId, job, input, context),
  },
  "forgotten-version-restarts": { ...soundTables, stranger: (driverId) => unknownDriver(driverId) },
  "no-attempts": {
    ...soundTables,
    driver: (state, input, context) => {
      if (input.type !== "JobAmended" && input.type !== "JobReleased") return soundTables.driver(state, input, context);
      const attempt = state.plan.holds.find((hold) => hold.jobId === input.jobId)?.attempt ?? input.attempt;
      return soundTables.driver(state, { ...input, attempt }, context);
    },
  },
};

describe("the walk finds each rejected rule", () => {
  for (const [name, tables] of Object.entries(rejected)) {
    test(name, () => {
      expect(() => walk(tables, 10_000, { where: name === "no-attempts" ? tiny : bounds, shrink: false })).toThrow(/Property failed/);
    });
  }
});
