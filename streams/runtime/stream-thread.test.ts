import { describe, expect, test } from "vitest";
import { LogError, type CommitRequest, type Log } from "#log";
import { numberSerde, stringKey, stringSerde, timerStore } from "#state";
import { openApplication } from "#streams/testing";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { topic } from "../topic.ts";
import { benchOf, consume, counts, countingTopology, produce, settle, threadOn, words } from "./fixtures/counting.ts";
import { PassingWriter, passingLog } from "./fixtures/wrapped-log.ts";
import { topicConfigs } from "./topic-configs.ts";

test("processes what is there, commits when idle, and a new thread goes on where the last one stopped", async () => {
  const bench = await benchOf(countingTopology());
  await produce(bench.log, words, [
    ["a", "x"],
    ["b", "x"],
    ["a", "x"],
  ]);
  const first = threadOn(bench);
  await settle(first, 0, 100);
  expect(first.metrics()).toMatchObject({ recordsProcessed: 3, recordsForwarded: 3, commits: 1, aborts: 0, deadLetters: 0 });
  await first.stop();
  expect(first.state).toBe("stopped");

  await produce(bench.log, words, [["a", "x"]]);
  const second = threadOn(bench);
  await settle(second, 200, 300);
  expect(second.metrics().restores).toBeGreaterThan(0);
  await second.stop();
  const counted = await consume(bench.log, counts);
  expect(counted.filter(({ key }) => key === "a").map(({ value }) => value)).toEqual([1, 2, 3]);
});

test("a clean stop commits what was processed and not yet committed", async () => {
  const bench = await benchOf(countingTopology());
  await produce(bench.log, words, [["a", "x"]]);
  const thread = threadOn(bench, { idleCommitMs: 1_000, commitIntervalMs: 1_000 });
  await settle(thread, 0);
  expect(await consume(bench.log, counts)).toEqual([]);
  await thread.stop();
  expect(await consume(bench.log, counts)).toHaveLength(1);
  expect(thread.metrics().recordsProcessed).toBe(1);
});

test("an abandoned thread commits nothing, and its successor does it all again", async () => {
  const bench = await benchOf(countingTopology());
  await produce(bench.log, words, [["a", "x"]]);
  const thread = threadOn(bench, { idleCommitMs: 1_000, commitIntervalMs: 1_000 });
  await settle(thread, 0);
  thread.abandon();
  expect(thread).toMatchObject({ state: "failed", error: { code: "STOP_TIMEOUT" } });
  const next = threadOn(bench);
  await settle(next, 0, 100);
  await next.stop();
  expect((await consume(bench.log, counts)).map(({ value }) => value)).toEqual([1]);
});

test("buffers stay bounded while far more is waiting, and everything is processed in the end", async () => {
  const bench = await benchOf(countingTopology());
  const [blocks, blockRecords] = [12, 400];
  const block = Array.from({ length: blockRecords }, (_, index) => [`k${index % 10}`, "x"] as const);
  for (let index = 0; index < blocks; index++) await produce(bench.log, words, block);
  let clock = 0;
  const bufferBytesMax = 2_000;
  // A step ends after one turn of one task, and each brings a block of more records than that.
  const thread = threadOn(bench, { bufferBytesMax, stepMs: 1 }, () => clock++);
  let most = 0;
  for (let steps = 0; thread.metrics().recordsProcessed < blocks * blockRecords; steps++) {
    const { pending } = thread.step(steps);
    if (pending) await thread.settled();
    most = Math.max(most, thread.metrics().bufferedBytes ?? 0);
    expect(steps).toBeLessThan(10_000);
  }
  // Each of two partitions at most at its mark, and one block beyond it.
  const blockBytesMax = blockRecords * 20;
  expect(most).toBeGreaterThan(bufferBytesMax);
  expect(most).toBeLessThan(2 * (bufferBytesMax + blockBytesMax));
  await thread.stop();
  expect(await consume(bench.log, counts)).toHaveLength(blocks * blockRecords);
});

test.each([
  [0, "merges"],
  [-1, "does not merge"],
])("with an idle time of %i it %s inputs of which one was not fetched yet", async (taskIdleMs, how) => {
  const [left, right] = [topic({ ...words, name: "left", partitions: 1 }), topic({ ...words, name: "right", partitions: 1 })];
  const order: number[] = [];
  const builder = new StreamsBuilder();
  const merged = builder.stream(left).merge(builder.stream(right));
  merged.process({ name: "see", processor: () => ({ process: ({ timestamp }) => void order.push(timestamp) }) });
  const bench = await benchOf(builder.build());
  for (let at = 0; at < 100; at++) {
    await produce(bench.log, left, [["k", "x", at + 100]]);
    await produce(bench.log, right, [["k", "x", at]]);
  }
  // A poll brings about one record: as a rule one of the two buffers is empty.
  const thread = threadOn(bench, { bufferBytesMax: 1, taskIdleMs });
  await settle(thread, 1_000, 2_000);
  const sorted = Array.from({ length: 200 }, (_, at) => at);
  expect(order.toSorted((a, b) => a - b)).toEqual(sorted);
  expect(order.every((at, index) => at === index)).toBe(how === "merges");
  await thread.stop();
});

test("partition time travels with the committed offsets to the next thread", async () => {
  const told: number[] = [];
  const timed = topic({
    name: "timed",
    key: stringKey,
    value: numberSerde,
    partitions: 1,
    timestamp: ({ timestamp }, partitionTime) => {
      told.push(partitionTime);
      return timestamp;
    },
  });
  const builder = new StreamsBuilder();
  builder.stream(timed).process({ name: "see", processor: () => ({ process() {} }) });
  const bench = await benchOf(builder.build());
  for (const timestamp of [15_000, 14_999]) {
    await produce(bench.log, timed, [["k", 1, timestamp]]);
    const thread = threadOn(bench);
    await settle(thread, 0, 100);
    await thread.stop();
  }
  expect(told).toEqual([-1, 15_000]);
});

describe("timers", () => {
  const alarms = timerStore({ name: "alarms", clock: "wall" });
  const fired = topic({ name: "fired", key: stringKey, value: numberSerde, partitions: 1 });
  const asked = topic({ name: "asked", key: stringKey, value: stringSerde, partitions: 1 });
  const builder = new StreamsBuilder();
  builder.stream(asked).process({
    name: "alarm",
    stores: [alarms],
    sinks: [fired],
    processor: (context) => {
      const [timers, sink] = [context.store(alarms), context.sink(fired)];
      context.onTimer(alarms, (key, at) => sink.send(key, at));
      return { process: ({ key, value }) => timers.set(key, Number(value)) };
    },
  });

  test("outlive their thread and fire in order, with their due time as timestamp, however late", async () => {
    const application = await openApplication({ topology: builder.build() });
    await produce(application.log, asked, [
      ["late", "700"],
      ["b", "500"],
      ["a", "500"],
      ["early", "100"],
    ]);
    await application.run(200);
    await application.restart();
    // Nothing else happens: the thread itself says when it is due.
    await application.run(10_000);
    expect((await consume(application.log, fired)).map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
      ["early", 100, 100],
      ["a", 500, 500],
      ["b", 500, 500],
      ["late", 700, 700],
    ]);
    expect(application.clock.now()).toBe(700);
    await application.stop();
  });
});

/** A log that does something just before a writer fences the older ones. */
function meanwhile(log: Log, before: () => Promise<void>): Log {
  class Late extends PassingWriter {
    override initialize(): Promise<void> {
      return before().then(() => super.initialize());
    }
  }
  return { ...passingLog(log), writer: (options) => new Late(log.writer(options)) };
}

describe("starting", () => {
  test("asks for offsets only when older writers are fenced: one of them may commit until then", async () => {
    const bench = await benchOf(countingTopology());
    await produce(bench.log, words, [["a", "x"]]);
    const old = threadOn(bench, { idleCommitMs: 1_000, commitIntervalMs: 1_000 });
    await settle(old, 0);
    const next = threadOn({ ...bench, log: meanwhile(bench.log, () => old.stop()) });
    await settle(next, 0, 100);
    await next.stop();
    expect((await consume(bench.log, counts)).map(({ value }) => value)).toEqual([1]);
  });

  test("is tried again with growing pauses while the log is away, and given up after a while", async () => {
    const bench = await benchOf(countingTopology());
    const attempts: number[] = [];
    let now = 0;
    const away = meanwhile(bench.log, () => {
      attempts.push(now);
      return Promise.reject(new LogError("LOG_UNAVAILABLE", "away"));
    });
    const thread = threadOn({ ...bench, log: away });
    while (thread.state !== "failed") {
      const { worked, pending, nextDueAt } = thread.step(now);
      if (pending) await thread.settled();
      else if (!worked) now = nextDueAt;
    }
    expect(thread.error).toMatchObject({ code: "LOG_UNAVAILABLE" });
    // Never faster than the cap allows on average, never for much longer than five minutes.
    expect(attempts.length).toBeLessThan(400);
    expect(now).toBeGreaterThan(4 * 60_000);
    expect(now).toBeLessThan(6 * 60_000);
  });

  test("fails when a newer thread of the same name has taken over, instead of taking it back", async () => {
    const bench = await benchOf(countingTopology());
    const old = threadOn(bench);
    await settle(old, 0, 100);
    const next = threadOn(bench);
    await settle(next, 100, 200);
    await produce(bench.log, words, [["a", "x"]]);
    await expect(settle(old, 200, 300)).rejects.toMatchObject({ code: "WRITER_FENCED" });
    await settle(next, 200, 300);
    expect(await consume(bench.log, counts)).toHaveLength(1);
    await next.stop();
  });
});

test("where rows do not go with the commit they are written when it is acknowledged", async () => {
  const bench = await benchOf(countingTopology());
  await bench.log.topics.ensure(topicConfigs(bench.topology, "app", { atomicRows: false }));
  const rowsSent: number[] = [];
  class Watched extends PassingWriter {
    override commit(request: CommitRequest): Promise<void> {
      rowsSent.push(request.rows.length);
      return super.commit(request);
    }
  }
  const log: Log = {
    ...passingLog(bench.log),
    capabilities: { atomicRows: false },
    writer: (options) => new Watched(bench.log.writer(options)),
  };
  for (let start = 0; start < 2; start++) {
    await produce(bench.log, words, [["a", "x"]]);
    const thread = threadOn({ ...bench, log });
    await settle(thread, 0, 100);
    await thread.stop();
  }
  expect((await consume(bench.log, counts)).map(({ value }) => value)).toEqual([1, 2]);
  expect(rowsSent).toEqual([0, 0]);
});
