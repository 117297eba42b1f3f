/** What a policy remembers is the cell's state like its jobs: it survives a crash, and decides the same when replayed. */
import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { memoryRegistry } from "#schemas";
import { diskRowStore, openTaskState } from "#state";
import type { JobsProposed } from "#schemas";
import { defaultPolicy } from "../default-policy.ts";
import { contentSample, openedSample, point, presentSample } from "../testing/samples.ts";
import { CellIndex } from "./cell-index.ts";
import { decideCell } from "./cell-table.ts";
import type { CellInput } from "./cell-table.ts";
import { matchingStores } from "./matching-stores.ts";
import { openPlan } from "./policies/open-plan/open-plan.ts";
import type { MatchingProblem, Policy } from "./policy.ts";

const MINUTE = 60_000;
const cell = "c0";
const travel = {
  name: "degrees",
  serviceMs: 4 * MINUTE,
  travelMs: (a: { latitude: number }, b: { latitude: number }) => Math.abs(a.latitude - b.latitude) * MINUTE,
};

const tick = (at: number, policy: Policy): CellInput => ({
  type: "CellTick",
  at,
  zone: { ...defaultPolicy, policy: policy.name },
  policy,
  travel,
  nearby: (drivers) => drivers.map(({ known }) => known),
  cellsReached: () => [],
});

function opened() {
  const { drivers, presence, queue, nearby, clock, memories } = matchingStores(memoryRegistry());
  const descriptors = [drivers, presence, queue, nearby, clock, memories];
  const storeIds = new Map(descriptors.map(({ name }, i) => [name, i + 9]));
  const state = openTaskState({ rows: diskRowStore(memoryDisk()), partition: 0, descriptors, storeIds });
  const [present, queued, time, remembered] = [state.store(drivers), state.store(queue), state.store(clock), state.store(memories)];
  return {
    drivers: present,
    presence: state.store(presence),
    nearby: state.store(nearby),
    queue: queued,
    clock: time,
    memories: remembered,
  };
}

/** A day of a small cell; `crashes`: before each record the index is read anew from the rows. */
function play(inputs: readonly CellInput[], crashes: boolean) {
  const stores = opened();
  const outputs: JobsProposed[] = [];
  const memories: (string | undefined)[] = [];
  let index = new CellIndex(stores);
  for (const input of inputs) {
    if (crashes) index = new CellIndex(stores);
    index.begin();
    const decision = decideCell(index.cellForTick(cell), input);
    index.apply(cell, decision);
    outputs.push(...decision.outputs);
    memories.push(stores.memories.get(cell)?.text);
  }
  return { outputs, memories };
}

function day(): CellInput[] {
  const inputs: CellInput[] = [];
  for (let i = 0; i < 3; i++)
    inputs.push(presentSample({ cell, driverId: `d${i}`, position: point(i * 7), capacity: 4, plan: [], jobs: [] }));
  for (let minute = 0; minute < 40; minute++) {
    const placed = minute % 3 === 0;
    const content = contentSample({
      placeId: `r${minute % 4}`,
      pickup: point((minute % 4) * 5),
      dropOff: point(minute % 9),
      readyAt: (minute + 15) * MINUTE,
    });
    if (placed) inputs.push(openedSample({ cell, jobId: `j${minute}`, content, notBefore: 0 }));
    inputs.push(tick(minute * MINUTE, openPlan));
  }
  return inputs;
}

test("a plan survives a crash before every record, and a replay decides the same", () => {
  const straight = play(day(), false);
  expect(straight.outputs.length).toBeGreaterThan(0);
  expect(new Set(straight.memories).size).toBeGreaterThan(5);
  expect(play(day(), false)).toEqual(straight);
  expect(play(day(), true)).toEqual(straight);
});

test("is handed back to the policy that made it, to no other, and is gone with the cell's last job and driver", () => {
  const seen: MatchingProblem[] = [];
  const minding = (name: string, memory: string | undefined): Policy => ({
    name,
    parameters: {},
    match: () => [],
    matchRemembering: (problem) => {
      seen.push(problem);
      return { matches: [], memory };
    },
  });
  const content = contentSample();
  const { memories } = play(
    [
      presentSample({ cell, driverId: "d0" }),
      openedSample({ cell, jobId: "j0", content, notBefore: 0 }),
      tick(1 * MINUTE, minding("a", "one")),
      tick(2 * MINUTE, minding("a", "two")),
      tick(3 * MINUTE, minding("b", "three")),
      tick(4 * MINUTE, { name: "forgetful", parameters: {}, match: () => [] }),
      tick(5 * MINUTE, minding("b", "four")),
      presentSample({ cell, driverId: "d0", present: false }),
      { type: "JobClosed", cell, at: 0, jobId: "j0", attempt: 1 },
    ],
    false,
  );
  expect(seen.map(({ memory }) => memory)).toEqual([undefined, "one", undefined, undefined]);
  expect(new Set(seen.map(({ seed }) => seed)).size).toBe(4);
  expect(memories).toEqual([undefined, undefined, "one", "two", "three", undefined, "four", "four", undefined]);
});
