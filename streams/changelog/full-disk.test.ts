/** Rows whose volume is full, beside a log that is elsewhere. */
import { DiskError, memoryDisk, type Disk } from "#disk";
import { expect, test } from "vitest";
import { produce } from "../runtime/fixtures/counting.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { tasksOf } from "../task/task-id.ts";
import { committedRecords, foldOf, rowsOf } from "./testing/evidence.ts";
import { entries, ledger, ledgerStores, ledgerTopology } from "./testing/ledger-topology.ts";
import { MemoryCluster } from "./testing/memory-cluster.ts";
import { memoryLog } from "./testing/memory-log.ts";
import { MortalInstance } from "./testing/mortal-instance.ts";

const topology = ledgerTopology();
const tasks = tasksOf(topology);

async function benchWith(disk: Disk) {
  const cluster = new MemoryCluster();
  const log = memoryLog(cluster);
  cluster.ensure(topicConfigs(topology, "app", log.capabilities));
  const add = async (from: number, count: number): Promise<void> => {
    for (let each = from; each < from + count; each++) await produce(log, entries, [[`key-${each % 7}`, `v${each}`, 100 + each]]);
  };
  const outputs = async (): Promise<number> => {
    const records = await Promise.all(tasks.map(({ partition }) => committedRecords(log, ledger.name, partition)));
    return records.flat().filter(({ value }) => /^\d+ v\d+ after/.test(Buffer.from(value ?? "", "hex").toString())).length;
  };
  const expectFold = async (): Promise<void> => {
    for (const store of ledgerStores)
      for (const { partition } of tasks) expect(rowsOf(disk, store, partition)).toEqual(await foldOf(log, "app", store, partition));
  };
  const instance = new MortalInstance({ cluster, disk, topology, instanceId: "one" });
  return { cluster, add, outputs, expectFold, instance };
}

test("nothing is committed while the volume of the rows is full; once there is room it goes on, with nothing lost, doubled or dropped", async () => {
  let free = Infinity;
  const { add, outputs, expectFold, instance, cluster } = await benchWith(Object.assign(memoryDisk(), { freeBytes: () => free }));
  await add(0, 20);
  await instance.live();
  expect(await outputs()).toBe(20);
  free = 1_000;
  await add(20, 20);
  const { aborts } = instance.thread.metrics();
  await instance.live(() => instance.thread.metrics().aborts > aborts + 3);
  expect(instance.thread.error).toBeUndefined();
  expect(await outputs()).toBe(20);
  free = Infinity;
  await instance.live();
  expect(instance.thread.metrics()).toMatchObject({ rowsDropped: 0 });
  await instance.thread.stop();
  cluster.settle();
  expect(await outputs()).toBe(40);
  await expectFold();
});

test("a database that says it is full although there is room is stuck: the thread ends, so that the next process opens it anew", async () => {
  const disk = memoryDisk();
  const writes = disk.write.bind(disk);
  let stuck = false;
  const write: Disk["write"] = (batch, options) => {
    if (stuck) throw new DiskError("DISK_FULL", "no space left on device", { location: disk.location });
    writes(batch, options);
  };
  const { add, instance } = await benchWith(Object.assign(disk, { write }));
  await add(0, 20);
  await instance.live();
  stuck = true;
  await add(20, 5);
  await expect(instance.live()).rejects.toMatchObject({ code: "DISK_FULL" });
});
