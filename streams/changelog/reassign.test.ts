import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { produce } from "../runtime/fixtures/counting.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { tasksOf, taskName, type TaskId } from "../task/task-id.ts";
import { committedRecords, foldOf, rowsOf } from "./testing/evidence.ts";
import { entries, ledger, ledgerStores, ledgerTopology } from "./testing/ledger-topology.ts";
import { MemoryCluster } from "./testing/memory-cluster.ts";
import { memoryLog } from "./testing/memory-log.ts";
import { MortalInstance } from "./testing/mortal-instance.ts";

const topology = ledgerTopology();
const all = tasksOf(topology);

interface Turn {
  readonly records: number;
  readonly steps: number;
  /** One role for each task. */
  readonly roles: readonly ("active" | "standby" | "none")[];
}

const turn: fc.Arbitrary<Turn> = fc.record({
  records: fc.integer({ min: 0, max: 6 }),
  steps: fc.integer({ min: 0, max: 6 }),
  roles: fc.tuple(fc.constantFrom("active", "standby", "none"), fc.constantFrom("active", "standby", "none")),
});

async function play(turns: readonly Turn[]): Promise<void> {
  const cluster = new MemoryCluster();
  const log = memoryLog(cluster);
  cluster.ensure(topicConfigs(topology, "app", log.capabilities));
  const disk = memoryDisk();
  const one = new MortalInstance({ cluster, disk, topology, instanceId: "one" });
  let added = 0;
  const withRole = (roles: Turn["roles"], role: Turn["roles"][number]): TaskId[] => all.filter((_, index) => roles[index] === role);
  for (const [index, { records, steps, roles }] of turns.entries()) {
    for (let each = 0; each < records; each++, added++) await produce(log, entries, [[`key-${added % 5}`, `v${added}`, 100 + added]]);
    one.thread.reassign({ generation: index, tasks: withRole(roles, "active"), standbys: withRole(roles, "standby") });
    let left = steps;
    await one.live(() => left-- <= 0);
    const names = one.thread.tasks.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
  one.thread.reassign({ generation: turns.length, tasks: all, standbys: [] });
  await one.live();
  expect(one.thread.tasks.map(({ name }) => name).toSorted()).toEqual(all.map(taskName));
  await one.thread.stop();
  cluster.settle();
  const outputs = await Promise.all(all.map(({ partition }) => committedRecords(log, ledger.name, partition)));
  const counted = outputs.flat().filter(({ value }) => /^\d+ v\d+ after/.test(Buffer.from(value ?? "", "hex").toString()));
  expect(counted.length).toBe(added);
  for (const store of ledgerStores)
    for (const { partition } of all) expect(rowsOf(disk, store, partition)).toEqual(await foldOf(log, "app", store, partition));
}

test("however often tasks come, go and stand by in the middle of their work, each record counts once and rows are the fold", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 10 }), (turns) => play(turns)),
    { numRuns: 60 },
  );
});
