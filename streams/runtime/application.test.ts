import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDisk } from "#disk";
import { openEmbeddedLog, type Log } from "#log";
import { keyValueStore, stringKey, stringSerde, type StoreKey } from "#state";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { CommittedFeed } from "../query/committed-feed.ts";
import { openCommittedView } from "../query/committed-view.ts";
import { Application } from "./application.ts";
import { PassingWriter, passingLog } from "./fixtures/wrapped-log.ts";
import { ReplacementLimit } from "./replacement-limit.ts";
import { benchOf, consume, counts, countingTopology, produce, words } from "./fixtures/counting.ts";

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 1_000) throw new Error("it never came true");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const counted = async (log: Log): Promise<number> => (await consume(log, counts)).length;

function fails(): never {
  throw new Error("not this one");
}

describe("on this event loop", () => {
  test("starts, works, stops cleanly, and a second start goes on", async () => {
    const bench = await benchOf(countingTopology());
    const options = { ...bench, applicationId: "app", threads: 2 };
    const first = new Application(options);
    await first.start();
    await produce(bench.log, words, [
      ["a", "x"],
      ["b", "x"],
    ]);
    await eventually(async () => (await counted(bench.log)) === 2);
    await first.stop();
    expect(first.state).toBe("stopped");
    const metrics = await first.metrics();
    expect(metrics.reduce((sum, { recordsProcessed }) => sum + recordsProcessed, 0)).toBe(2);

    const second = new Application(options);
    await second.start();
    await produce(bench.log, words, [["a", "x"]]);
    await eventually(async () => (await counted(bench.log)) === 3);
    await second.stop();
    expect((await consume(bench.log, counts)).filter(({ key }) => key === "a").map(({ value }) => value)).toEqual([1, 2]);
  });

  test("state of another topology is refused with the differences, and goes on when the store may be dropped", async () => {
    const bench = await benchOf(countingTopology());
    await (async () => {
      await using first = new Application({ ...bench, applicationId: "app" });
      await first.start();
      await produce(bench.log, words, [["a", "x"]]);
      await eventually(async () => (await counted(bench.log)) === 1);
    })();
    const other = keyValueStore({ name: "count", key: stringKey, value: stringSerde });
    const builder = new StreamsBuilder();
    builder.stream(words).process({ name: "count", stores: [other], processor: () => ({ process() {} }) });
    const topology = builder.build();
    const refused = new Application({ ...bench, topology, applicationId: "app" });
    await expect(refused.start()).rejects.toMatchObject({ code: "MANIFEST_MISMATCH", message: expect.stringContaining("store count") });
    expect(refused.state).toBe("failed");
    await using allowed = new Application({ ...bench, topology, applicationId: "app", dropStores: ["count"] });
    await allowed.start();
    expect(allowed.state).toBe("running");
  });

  test("state of another application is refused", async () => {
    const bench = await benchOf(countingTopology());
    await (async () => {
      await using first = new Application({ ...bench, applicationId: "app" });
      await first.start();
    })();
    await expect(new Application({ ...bench, applicationId: "other" }).start()).rejects.toMatchObject({ code: "MANIFEST_MISMATCH" });
  });

  test("a failure that stops the task stops the application, and says why", async () => {
    const builder = new StreamsBuilder();
    const strict = { ...words, onFailure: "stop" as const };
    builder.stream(strict).process({ name: "strict", processor: () => ({ process: fails }) });
    const bench = await benchOf(builder.build());
    const application = new Application({ ...bench, applicationId: "app" });
    await application.start();
    await produce(bench.log, words, [["a", "x"]]);
    await application.ended;
    expect(application.state).toBe("failed");
    expect(application.error).toMatchObject({ code: "TASK_FAILED", message: expect.stringContaining("not this one") });
    await application.stop();
  });
});

test("a stop that takes too long ends without a commit, and says so", async () => {
  const bench = await benchOf(countingTopology());
  class Stuck extends PassingWriter {
    override commit(): Promise<void> {
      return new Promise(() => {});
    }
  }
  const log: Log = { ...passingLog(bench.log), writer: (options) => new Stuck(bench.log.writer(options)) };
  const application = new Application({ ...bench, log, applicationId: "app" });
  await application.start();
  await produce(bench.log, words, [["a", "x"]]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await expect(application.stop({ deadlineMs: 50 })).rejects.toMatchObject({ code: "STOP_TIMEOUT" });
  expect(application.state).toBe("failed");
  expect(await counted(bench.log)).toBe(0);
});

test("a thread is not replaced more than three times a minute", () => {
  const limit = new ReplacementLimit();
  expect([0, 1_000, 2_000, 3_000].map((at) => limit.allows(at))).toEqual([true, true, true, false]);
  expect(limit.allows(70_000)).toBe(true);
});

describe("in workers", () => {
  let location: string;
  beforeEach(async () => {
    location = await mkdtemp(join(tmpdir(), "slackline-application-"));
  });
  afterEach(() => rm(location, { recursive: true, force: true }));

  test("works in several, replaces one that dies in the middle of a record, and loses and doubles nothing", async () => {
    const disk = await openDisk({ location });
    const log = await openEmbeddedLog({ disk, durability: "process" });
    const argument = new Int32Array(new SharedArrayBuffer(4));
    const { buildCounting } = await import("./fixtures/counting-module.ts");
    const topology = await buildCounting({ log, disk, argument });
    const failures: number[] = [];
    const feed = new CommittedFeed({ topology, view: openCommittedView({ topology, disk, log, group: "app" }), stores: ["count"] });
    const fed = [new Map<StoreKey, unknown>(), new Map<StoreKey, unknown>()];
    feed.attach("count", {
      put: (partition, key, value) => void fed[partition]?.set(key, value),
      delete: (partition, key) => void fed[partition]?.delete(key),
      clear: (partition) => fed[partition]?.clear(),
      failed: (error) => expect.fail(String(error)),
    });
    const application = new Application({
      topology,
      log,
      disk,
      feed,
      applicationId: "app",
      threads: 2,
      workers: { url: new URL("fixtures/counting-module.ts", import.meta.url).href, name: "buildCounting", argument },
      onThreadFailure: (_, thread) => {
        failures.push(thread);
        return "replace";
      },
    });
    await application.start();
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    await produce(
      log,
      words,
      keys.map((key) => [key, "x"]),
    );
    await produce(log, words, [["k7", "die"]]);
    await produce(
      log,
      words,
      keys.map((key) => [key, "x"]),
    );
    await eventually(async () => (await counted(log)) >= 101);
    expect(failures).toHaveLength(1);
    expect((await application.metrics()).every(({ lag }) => lag.every(({ records }) => records === 0))).toBe(true);
    // Rows that were told of before the worker died are among those of the partitions that are read again.
    await eventually(() => Promise.resolve(feed.complete("count") && fed.some((rows) => rows.get("k7") === 3)));
    expect(fed.reduce((sum, { size }) => sum + size, 0)).toBe(50);
    await application.stop();
    expect(application.state).toBe("stopped");
    expect(fed.map(({ size }) => size)).toEqual([0, 0]);
    const byKey = Map.groupBy(await consume(log, counts), ({ key }) => key);
    for (const key of keys) expect(byKey.get(key)?.map(({ value }) => value)).toEqual(key === "k7" ? [1, 2, 3] : [1, 2]);
    await log.close();
    await disk.close();
  });
});
