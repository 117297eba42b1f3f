import { describe, expect, test } from "vitest";
import { memoryDisk, type Disk } from "#disk";
import { openEmbeddedLog } from "#log";
import {
  diskRowStore,
  jsonSerde,
  keyValueStore,
  loadStoreIds,
  openTaskState,
  priorityQueueStore,
  stringKey,
  stringSerde,
  timerStore,
  timestampedStore,
  type StoreDescriptor,
  type TaskState,
} from "#state";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { encodeKey, partitionFor } from "../partition-for.ts";
import { topic } from "../topic.ts";
import { openCommittedView } from "./committed-view.ts";

const jobs = keyValueStore({ name: "jobs", key: stringKey, value: jsonSerde<{ readonly state: string }>() });
const seen = timestampedStore({ name: "seen", key: stringKey, value: stringSerde });
const queue = priorityQueueStore({ name: "queue", value: stringSerde });
const alarms = timerStore({ name: "alarms", clock: "wall" });
const stores: readonly StoreDescriptor[] = [jobs, seen, queue, alarms];

const orders = topic({ name: "orders", key: stringKey, value: stringSerde, partitions: 4 });
const builder = new StreamsBuilder();
builder.stream(orders).process({ name: "keep", stores, processor: () => ({ process() {} }) });
const topology = builder.build();

const home = (key: string): number => partitionFor(orders, key, encodeKey(stringKey, key));

const keys = (rows: readonly { readonly key: string | number }[]): readonly (string | number)[] => rows.map(({ key }) => key);

/** Commits what `write` does to the stores of one partition. */
function commit(disk: Disk, partition: number, write: (state: TaskState) => void): void {
  const storeIds = loadStoreIds(
    disk,
    stores.map(({ name }) => name),
  );
  const state = openTaskState({ rows: diskRowStore(disk), partition, descriptors: stores, storeIds });
  write(state);
  const batch = disk.batch();
  for (const { key, value } of state.seal().rows) {
    if (value === null) batch.delete("rows", key);
    else batch.put("rows", key, value);
  }
  disk.write(batch, { sync: false });
  state.close();
}

function filled(): Disk {
  const disk = memoryDisk();
  for (let partition = 0; partition < orders.partitions; partition++) {
    commit(disk, partition, (state) => {
      for (let index = 0; index < 40; index++) {
        const key = `job-${String(index).padStart(2, "0")}`;
        if (home(key) !== partition) continue;
        state.store(jobs).put(key, { state: "open" });
        state.store(seen).put(key, { value: "yes", timestamp: index });
        state.store(queue).put(key, 100 - index, `urgent ${index}`);
        state.store(alarms).set(key, 1_000 - index);
      }
    });
  }
  return disk;
}

describe("committed view", () => {
  test("finds a key of any kind of store in the partition of its topic", () => {
    const view = openCommittedView({ topology, disk: filled() });
    const partition = home("job-07");
    expect(view.get("jobs", "job-07")).toEqual({ key: "job-07", value: { state: "open" }, partition });
    expect(view.get("seen", "job-07")).toEqual({ key: "job-07", value: { value: "yes", timestamp: 7 }, partition });
    expect(view.get("queue", "job-07")?.value).toEqual({ id: "job-07", priority: 93, value: "urgent 7" });
    expect(view.get("alarms", "job-07")?.value).toBe(993);
    expect(view.get("jobs", "job-99")).toBeUndefined();
  });

  test("finds a key that its store keeps under another partition than the topic's partitioner says", () => {
    const disk = memoryDisk();
    const elsewhere = (home("odd") + 1) % orders.partitions;
    commit(disk, elsewhere, (state) => state.store(jobs).put("odd", { state: "moved" }));
    expect(openCommittedView({ topology, disk }).get("jobs", "odd")).toEqual({
      key: "odd",
      value: { state: "moved" },
      partition: elsewhere,
    });
  });

  test("ranges in the order of keys, priorities or due times, bounded and by partition", () => {
    const view = openCommittedView({ topology, disk: filled() });
    const mine = Array.from({ length: 40 }, (_, index) => `job-${String(index).padStart(2, "0")}`).filter((key) => home(key) === 2);
    expect(mine.length).toBeGreaterThan(3);
    expect(keys(view.range("jobs", { partition: 2 }))).toEqual(mine);
    expect(keys(view.range("jobs", { partition: 2, from: mine[1] ?? "", to: mine[3] ?? "" }))).toEqual(mine.slice(1, 3));
    expect(keys(view.range("queue", { partition: 2, limit: 3 }))).toEqual(mine.toReversed().slice(0, 3));
    expect(keys(view.range("alarms", { partition: 2, from: mine[1] ?? "", to: mine[3] ?? "" }))).toEqual(mine.slice(1, 3).toReversed());
    expect(view.range("seen")).toHaveLength(40);
    for (const limit of [0, 1, 7, 19, 23, 31, 40]) {
      for (const store of stores) expect(view.range(store.name, { limit })).toHaveLength(limit);
    }
  });

  test("sees each commit, and nothing that is not committed", () => {
    const disk = memoryDisk();
    const view = openCommittedView({ topology, disk });
    expect(view.range("jobs")).toEqual([]);
    const storeIds = loadStoreIds(
      disk,
      stores.map(({ name }) => name),
    );
    const open = openTaskState({ rows: diskRowStore(disk), partition: home("a"), descriptors: stores, storeIds });
    open.store(jobs).put("a", { state: "dirty" });
    open.seal();
    expect(view.get("jobs", "a")).toBeUndefined();
    commit(disk, home("a"), (state) => state.store(jobs).put("a", { state: "one" }));
    expect(view.get("jobs", "a")?.value).toEqual({ state: "one" });
    commit(disk, home("a"), (state) => state.store(jobs).put("a", { state: "two" }));
    expect(view.get("jobs", "a")?.value).toEqual({ state: "two" });
    commit(disk, home("a"), (state) => state.store(jobs).delete("a"));
    expect(view.get("jobs", "a")).toBeUndefined();
  });

  test("says how far the inputs of a store's task were committed", async () => {
    const disk = memoryDisk();
    await using log = await openEmbeddedLog({ disk, durability: "process" });
    await log.topics.ensure([orders]);
    const view = openCommittedView({ topology, disk, log, group: "shop" });
    expect(await view.position("jobs", 1)).toEqual([{ topic: "orders", partition: 1, committed: undefined }]);
    const writer = log.writer({ group: "shop", transactionalId: "shop-0" });
    await writer.initialize();
    await writer.commit({ offsets: [{ topic: "orders", partition: 1, offset: 7, metadata: "m" }], rows: [] });
    await writer.close();
    expect(await view.position("jobs", 1)).toEqual([{ topic: "orders", partition: 1, committed: { offset: 7, metadata: "m" } }]);
  });

  test("names what it has when asked for what it has not", () => {
    const view = openCommittedView({ topology, disk: memoryDisk() });
    expect(() => view.get("job", "a")).toThrow("the topology has no store job; it has alarms, jobs, queue, seen");
    expect(() => view.range("jobs", { partition: 4 })).toThrow("store jobs has partitions 0 to 3, not 4");
  });
});
