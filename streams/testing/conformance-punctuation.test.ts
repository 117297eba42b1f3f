/** Cases 6 to 9 of the conformance list: punctuation, and topics that lead back into the topology. On a real thread and log. */
import { describe, expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { openEmbeddedLog, RecordBatchCursor, type EmbeddedLog } from "#log";
import { numberSerde, stringKey } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import type { ProcessorContext } from "../processor.ts";
import { splitTasks } from "../runtime/assignment.ts";
import { silentLogger, STREAM_THREAD_DEFAULTS } from "../runtime/defaults.ts";
import { createStreamThread } from "../runtime/stream-thread.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { topic } from "../topic.ts";
import { TopologyTestDriver } from "./topology-test-driver.ts";

const numbers = (name: string) => topic({ name, key: stringKey, value: numberSerde, partitions: 1 });
const first = numbers("first");
const second = numbers("second");
const fired = numbers("fired");

interface Running extends AsyncDisposable {
  /** Appends records of these timestamps to one topic, without running the thread. */
  append(topicName: string, timestamps: readonly number[]): Promise<void>;
  /** Steps at this time until nothing moves and everything is committed. */
  runAt(now: number): Promise<void>;
  /** Timestamp and value of each committed record. */
  committed(topicName: string): Promise<readonly (readonly [number, number])[]>;
}

async function running(topology: Topology, startedAt = 0): Promise<Running> {
  const disk = memoryDisk();
  const log = await openEmbeddedLog({ disk, durability: "process" });
  await log.topics.ensure(topicConfigs(topology, "conformance"));
  const thread = createStreamThread({
    config: { ...STREAM_THREAD_DEFAULTS, applicationId: "conformance", instanceId: "one", thread: 0, idleCommitMs: 0, freeze: true },
    dependencies: { topology, log, disk, stepClock: () => 0, logger: silentLogger },
    assignment: splitTasks(topology, 1)[0] ?? { generation: 0, tasks: [] },
  });
  const producer = log.producer();
  const runAt = async (now: number): Promise<void> => {
    for (let result = thread.step(now); result.worked || result.pending; result = thread.step(now)) await thread.settled();
    if (thread.error !== undefined) throw thread.error;
  };
  await runAt(startedAt);
  return {
    runAt,
    async append(topicName, timestamps) {
      const value = Buffer.alloc(8);
      for (const timestamp of timestamps) producer.append(topicName, 0, timestamp, Buffer.from("key"), value);
      await producer.flush();
    },
    committed: (topicName) => committedOf(log, topicName),
    async [Symbol.asyncDispose]() {
      await thread.stop();
      await producer.close();
      await log.close();
      await disk.close();
    },
  };
}

async function committedOf(log: EmbeddedLog, topicName: string): Promise<readonly (readonly [number, number])[]> {
  const reader = log.reader();
  reader.assign([{ topic: topicName, partition: 0, offset: 0, outOfRange: "fail" }]);
  const cursor = new RecordBatchCursor();
  const records: (readonly [number, number])[] = [];
  for (let batches = reader.poll(); batches.length > 0; batches = reader.poll()) {
    for (const { bytes, baseOffset } of batches) {
      cursor.reset(bytes, baseOffset);
      while (cursor.next()) records.push([cursor.timestamp, cursor.bytes.readDoubleBE(cursor.valueStart)]);
    }
  }
  await reader.close();
  return records;
}

/** Sends one record to `fired` per firing, and cancels itself after `firings`. */
function punctuated(clock: "stream" | "wall", firings = Infinity): Topology {
  const builder = new StreamsBuilder();
  const processor = (context: ProcessorContext<never, never>) => {
    const sink = context.sink(fired);
    let count = 0;
    const punctuation = context.punctuate({ name: "every-10", clock, intervalMs: 10 }, (at) => {
      sink.send("at", at);
      if (++count >= firings) punctuation.cancel();
    });
    return { process() {} };
  };
  builder
    .stream(first)
    .merge(builder.stream(second))
    .process({ name: "punctuated", sinks: [fired], processor });
  return builder.build();
}

const twice = (at: number) => [at, at] as const;

describe("conformance: punctuation", () => {
  test("6. on stream time it fires once per gap with the present time, on a grid that begins at 0", async () => {
    await using thread = await running(punctuated("stream"), 5_000);
    await thread.append("first", [42, 42, 51, 52, 61, 65, 71, 72, 95, 101, 102]);
    await thread.runAt(5_000);
    expect(await thread.committed("fired")).toEqual([42, 51, 61, 71, 95, 101].map(twice));
  });

  test("6. over two inputs it follows their merged time", async () => {
    await using thread = await running(punctuated("stream"), 5_000);
    await thread.append("first", [20, 142, 155, 160]);
    await thread.append("second", [25, 145, 159, 161]);
    await thread.runAt(5_000);
    expect(await thread.committed("fired")).toEqual([20, 142, 155, 160].map(twice));
  });

  test("7. on wall time it fires once per gap and keeps the grid that began at the start", async () => {
    await using thread = await running(punctuated("wall"));
    for (const now of [100, 110, 122, 129, 130, 235, 240]) await thread.runAt(now);
    expect(await thread.committed("fired")).toEqual([100, 110, 122, 130, 235, 240].map(twice));
  });

  test("7. in the test driver, whose clock is moved by hand", () => {
    const driver = new TopologyTestDriver(punctuated("wall"));
    for (const ms of [5, 9, 1, 20, 5]) driver.advance(ms);
    expect(driver.readValues(fired)).toEqual([14, 35, 40]);
  });

  test("7. wall time that started late begins one interval later", async () => {
    await using thread = await running(punctuated("wall"), 1_003);
    for (const now of [1_012, 1_013, 1_022, 1_023]) await thread.runAt(now);
    expect(await thread.committed("fired")).toEqual([1_013, 1_023].map(twice));
  });

  test("8. one that cancels itself fires exactly once, on either clock", async () => {
    await using onStream = await running(punctuated("stream", 1));
    await onStream.append("first", [42, 51, 61, 171]);
    await onStream.runAt(0);
    expect(await onStream.committed("fired")).toEqual([42].map(twice));
    await using onWall = await running(punctuated("wall", 1));
    for (const now of [10, 20, 30]) await onWall.runAt(now);
    expect(await onWall.committed("fired")).toEqual([10].map(twice));
  });
});

describe("conformance: recursion", () => {
  test("9. where a sink topic is also an input, the original output comes before the recursive one", async () => {
    const builder = new StreamsBuilder();
    const steps = builder
      .stream(first)
      .merge(builder.stream(second))
      .mapValues(({ value }) => value + 1);
    steps.to(fired);
    steps.filter(({ value }) => value < 4).to(second);
    await using thread = await running(builder.build());
    await thread.append("first", [7]);
    await thread.runAt(0);
    expect(await thread.committed("fired")).toEqual([1, 2, 3, 4].map((value) => [7, value]));
    expect(await thread.committed("second")).toEqual([1, 2, 3].map((value) => [7, value]));
  });
});
