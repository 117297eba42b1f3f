import { beforeEach, describe, expect, test } from "vitest";
import { memoryDisk, type Disk } from "#disk";
import type { Log } from "#log";
import { loadStoreIds, rowPrefix } from "#state";
import { deadLetterTopic } from "../task/dead-letter.ts";
import { tasksOf } from "../task/task-id.ts";
import { produce } from "../runtime/fixtures/counting.ts";
import { turnOfLoop } from "../runtime/defaults.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { changelogTopic } from "./changelog.ts";
import { ROWS_AGE_MS_MAX } from "./defaults.ts";
import { changelogPositionKey } from "./position-rows.ts";
import { committedRecords, foldOf, rowsOf } from "./testing/evidence.ts";
import { entries, ledger, ledgerStores, ledgerTopology } from "./testing/ledger-topology.ts";
import { MemoryCluster } from "./testing/memory-cluster.ts";
import { memoryLog } from "./testing/memory-log.ts";
import { MortalInstance, type Meanwhile } from "./testing/mortal-instance.ts";

const topology = ledgerTopology();
const both = tasksOf(topology);
const [first, second] = [both.slice(0, 1), both.slice(1)];

let cluster: MemoryCluster;
let outside: Log;
let added: number;

beforeEach(() => {
  cluster = new MemoryCluster();
  outside = memoryLog(cluster);
  cluster.ensure(topicConfigs(topology, "app", outside.capabilities));
  added = 0;
});

async function add(count: number): Promise<void> {
  for (let each = 0; each < count; each++, added++) await produce(outside, entries, [[`key-${added % 7}`, `v${added}`, 100 + added]]);
}

interface InstanceOptions {
  readonly disk: Disk;
  readonly name?: string;
  readonly tasks?: typeof both;
  readonly standbys?: typeof both;
  readonly now?: number;
  readonly meanwhile?: Meanwhile;
}

function instance({ disk, name = "one", tasks = both, standbys = [], now = 1_000, ...more }: InstanceOptions): MortalInstance {
  return new MortalInstance({ cluster, disk, topology, instanceId: name, assignment: { generation: 1, tasks, standbys }, now, ...more });
}

/** Runs until idle and stops. Its metrics are those of its end. */
async function runOnce(options: InstanceOptions): Promise<{ readonly rowsDropped: number; readonly restores: number }> {
  const one = instance(options);
  await one.live();
  const { rowsDropped = 0, restores = 0 } = one.thread.metrics();
  await one.thread.stop();
  cluster.settle();
  return { rowsDropped, restores };
}

async function expectFold(disk: Disk): Promise<void> {
  for (const store of ledgerStores)
    for (const { partition } of both) expect(rowsOf(disk, store, partition)).toEqual(await foldOf(outside, "app", store, partition));
}

async function outputCount(): Promise<number> {
  const records = await Promise.all(both.map(({ partition }) => committedRecords(outside, ledger.name, partition)));
  return records.flat().filter(({ value }) => /^\d+ v\d+ after/.test(Buffer.from(value ?? "", "hex").toString())).length;
}

describe("standbys", () => {
  test("follow the changelogs of tasks that run elsewhere, tell their lag, and take over from where they are", async () => {
    const [here, there] = [memoryDisk(), memoryDisk()];
    await add(20);
    const active = instance({ disk: here });
    await active.live();
    const standby = instance({ disk: there, name: "two", tasks: [], standbys: both });
    await standby.live();
    await expectFold(there);
    expect(standby.thread.tasks).toEqual([]);
    const told = standby.thread.metrics().following ?? [];
    expect(told.map(({ role, done, total }) => [role, total - done])).toEqual([
      ["standby", 0],
      ["standby", 0],
    ]);

    await add(10);
    await active.live();
    await active.thread.stop();
    cluster.settle();
    standby.thread.reassign({ generation: 2, tasks: both });
    await standby.live(() => standby.thread.tasks.length === 2);
    expect(standby.thread.metrics()).toMatchObject({ rowsDropped: 0, restores: 2, following: [] });
    await add(5);
    await standby.live();
    await standby.thread.stop();
    cluster.settle();
    await expectFold(there);
    expect(await outputCount()).toBe(35);
  });
});

describe("a thread that is assigned anew", () => {
  test("commits and closes what it gives up, keeps the rest going, and follows what it gave up when it is told to", async () => {
    const [here, there] = [memoryDisk(), memoryDisk()];
    await add(12);
    const one = instance({ disk: here });
    await one.live(() => one.thread.tasks.some(({ tookPart }) => tookPart));
    one.thread.reassign({ generation: 2, tasks: first, standbys: second });
    expect(one.thread.retiring).toBe(true);
    await one.live(() => !one.thread.retiring);
    expect(one.thread.tasks.map(({ name }) => name)).toEqual(["0_0"]);
    const two = instance({ disk: there, name: "two", tasks: second });
    await add(12);
    await Promise.all([one.live(), two.live()]);
    expect(one.thread.metrics().following?.map(({ role }) => role)).toEqual(["standby"]);
    await one.live();
    await expectFold(here);

    // And back again.
    two.thread.reassign({ generation: 3, tasks: [] });
    await two.live(() => !two.thread.retiring);
    one.thread.reassign({ generation: 4, tasks: both });
    await add(6);
    await one.live();
    await Promise.all([one.thread.stop(), two.thread.stop()]);
    cluster.settle();
    await expectFold(here);
    expect(await outputCount()).toBe(30);
  });

  test("asks anew for a task that was another's while the thread was being opened", async () => {
    const [here, there] = [memoryDisk(), memoryDisk()];
    await add(12);
    const one = instance({ disk: here });
    one.thread.step(one.now);
    await one.thread.settled();
    one.thread.reassign({ generation: 2, tasks: first });
    await runOnce({ disk: there, name: "two", tasks: second });
    one.thread.reassign({ generation: 3, tasks: both });
    await one.live();
    await one.thread.stop();
    cluster.settle();
    await expectFold(here);
    expect(await outputCount()).toBe(12);
  });

  test("asks anew for a task that was another's between asking for it and opening it", async () => {
    const [here, there] = [memoryDisk(), memoryDisk()];
    await add(12);
    const one = instance({ disk: here, tasks: first });
    await one.live();
    one.thread.reassign({ generation: 2, tasks: both });
    await turnOfLoop();
    one.thread.reassign({ generation: 3, tasks: first });
    await runOnce({ disk: there, name: "two", tasks: second });
    one.thread.reassign({ generation: 4, tasks: both });
    await one.live();
    await one.thread.stop();
    cluster.settle();
    await expectFold(here);
    expect(await outputCount()).toBe(12);
  });

  test("lets its other tasks run while one is restored", async () => {
    await add(60);
    await runOnce({ disk: memoryDisk(), name: "before" });
    await add(40);
    const disk = memoryDisk();
    await runOnce({ disk, name: "half", tasks: first });
    const one = instance({ disk, name: "one", tasks: both });
    let ranBeside = false;
    await one.live(() => {
      ranBeside ||= (one.thread.metrics().following ?? []).some(({ role }) => role === "restoring") && one.thread.tasks.length === 1;
      return false;
    });
    expect(ranBeside).toBe(true);
    await one.thread.stop();
    cluster.settle();
    await expectFold(disk);
    expect(await outputCount()).toBe(100);
  });
});

describe("rows that do not fit their changelog are dropped, counted and restored from its start", () => {
  let disk: Disk;
  beforeEach(async () => {
    disk = memoryDisk();
    await add(20);
    await runOnce({ disk });
  });

  const storeId = (name: string): number => loadStoreIds(disk, []).get(name) ?? 0;

  async function expectRestored(dropped: number, now?: number): Promise<void> {
    await add(5);
    expect((await runOnce({ disk, ...(now === undefined ? {} : { now }) })).rowsDropped).toBe(dropped);
    await expectFold(disk);
    expect(await outputCount()).toBe(25);
  }

  test("none when they fit", () => expectRestored(0));

  test("when their position is gone", async () => {
    const batch = disk.batch();
    batch.delete("rows", changelogPositionKey(storeId("totals"), 1));
    disk.write(batch, { sync: false });
    await expectRestored(1);
  });

  test("when their position cannot be read", async () => {
    const batch = disk.batch();
    batch.put("rows", changelogPositionKey(storeId("latest"), 0), Buffer.from("torn"));
    disk.write(batch, { sync: false });
    await expectRestored(1);
  });

  test("when a row of a queue cannot be read", async () => {
    const batch = disk.batch();
    batch.put("rows", Buffer.concat([rowPrefix(storeId("urgent"), 0), Buffer.from("key-1-1")]), Buffer.from("x"));
    disk.write(batch, { sync: false });
    // All stores of that task.
    await expectRestored(4);
  });

  test("when they stood still for so long that a deletion may have gone, and there is more in the changelog", async () => {
    await add(1);
    await runOnce({ disk: memoryDisk(), name: "elsewhere" });
    expect((await runOnce({ disk, now: 1_000 + 2 * ROWS_AGE_MS_MAX })).rowsDropped).toBeGreaterThan(0);
    await expectFold(disk);
  });
});

describe("a changelog that lost what the rows had is refused by name: going on with less state would be a silent loss", () => {
  let disk: Disk;
  beforeEach(async () => {
    disk = memoryDisk();
    await add(20);
    await runOnce({ disk });
  });

  test("when it ends before them", async () => {
    const partition = cluster.partition({ topic: changelogTopic("app", "totals"), partition: 0 });
    const kept = partition.entries.slice(0, 2);
    partition.entries = kept;
    partition.end = kept.at(-1)?.nextOffset ?? 0;
    await expectRefusal(disk);
  });

  test("when it begins behind them, and when it begins late and there are no rows", async () => {
    await add(20);
    await runOnce({ disk: memoryDisk(), name: "elsewhere" });
    const partition = cluster.partition({ topic: changelogTopic("app", "totals"), partition: 1 });
    partition.start = partition.end - 1;
    await expectRefusal(disk);
    await expectRefusal(memoryDisk());
  });
});

test("a change that does not fit its changelog is dead-lettered, and what came with it is not", async () => {
  const small = new MemoryCluster();
  const log = memoryLog(small);
  small.ensure(
    topicConfigs(topology, "app", log.capabilities).map((config) =>
      config.name === changelogTopic("app", "latest") ? { ...config, recordBytesMax: 40 } : config,
    ),
  );
  cluster = small;
  outside = log;
  const disk = memoryDisk();
  await add(4);
  await produce(log, entries, [["key-1", "x".repeat(100), 200]]);
  await add(4);
  await runOnce({ disk });
  await expectFold(disk);
  expect(await outputCount()).toBe(8);
  expect((await committedRecords(log, deadLetterTopic("app"), 0)).map(({ key }) => key)).toEqual(["key-1"]);
});

test("committed offsets that brokers have forgotten are told: nothing is counted once more on top of the state", async () => {
  const disk = memoryDisk();
  await add(20);
  await runOnce({ disk });
  const before = await outputCount();
  cluster.forgetOffsets();
  // With the rows, and by the changelog alone.
  for (const on of [disk, memoryDisk()]) {
    const one = instance({ disk: on });
    await expect(one.live()).rejects.toMatchObject({ code: "OFFSETS_LOST", message: expect.stringContaining("no committed offset of") });
  }
  expect(await outputCount()).toBe(before);
});

test("a newer instance of the same name that commits while the older one prepares has taken its place: no offset is lost", async () => {
  await add(20);
  const older = instance({
    disk: memoryDisk(),
    meanwhile: { when: "before ends", happens: async () => void (await runOnce({ disk: memoryDisk() })) },
  });
  const untilItEnds = async (): Promise<void> => {
    while (older.thread.state !== "stopped") await older.live();
  };
  await expect(untilItEnds()).rejects.toMatchObject({ code: "WRITER_FENCED", message: expect.stringContaining("has taken its id") });
  expect(older.thread.state).toBe("failed");
  expect(await outputCount()).toBe(20);
});

test("rows that have been written since the end of their changelog was asked for are not ahead of it: it is asked for again", async () => {
  const disk = memoryDisk();
  await add(20);
  await runOnce({ disk, name: "two" });
  await add(5);
  const happens = async (): Promise<void> => void (await runOnce({ disk, name: "two" }));
  const slow = instance({ disk, meanwhile: { when: "after ends", happens } });
  await slow.live();
  await add(5);
  await slow.live();
  expect(slow.thread.state).toBe("running");
  expect(await outputCount()).toBe(30);
});

async function expectRefusal(on: Disk): Promise<void> {
  const one = instance({ disk: on });
  await expect(one.live()).rejects.toMatchObject({
    code: "CHANGELOG_CUT",
    message: expect.stringContaining(changelogTopic("app", "totals")),
  });
  expect(one.thread.state).toBe("failed");
}
