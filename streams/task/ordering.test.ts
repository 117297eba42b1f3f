/** Which record comes next, by the numbered cases of Kafka Streams' own tests. */
import { expect, test } from "vitest";
import { numberSerde, stringKey, stringSerde } from "#state";
import { TopologyTestDriver } from "#streams/testing";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import type { StreamRecord } from "../processor.ts";
import { topic, type Topic } from "../topic.ts";

const p1 = topic({ name: "p1", key: stringKey, value: stringSerde, partitions: 1 });
const p2 = topic({ name: "p2", key: stringKey, value: stringSerde, partitions: 1 });

interface Seen {
  readonly timestamp: number;
  readonly streamTime: number;
}

/** One task that reads both topics and writes down what it sees. */
function merging(sources: readonly Topic<string, string>[] = [p1, p2]): { readonly builder: StreamsBuilder; readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const builder = new StreamsBuilder();
  const [first, ...others] = sources.map((source) => builder.stream(source));
  let merged = first ?? builder.stream(p1);
  for (const other of others) merged = merged.merge(other);
  merged.process({
    name: "see",
    processor: (context) => ({
      process: (record: StreamRecord<string, string>) => void seen.push({ timestamp: record.timestamp, streamTime: context.streamTime() }),
    }),
  });
  return { builder, seen };
}

function enqueue(driver: TopologyTestDriver, source: Topic<string, string>, timestamps: readonly number[]): void {
  for (const timestamp of timestamps) driver.enqueue(source, "k", String(timestamp), { timestamp });
}

test("case 1: the lowest head of all partitions comes next, and stream time is the largest taken", () => {
  const { builder, seen } = merging();
  const driver = new TopologyTestDriver(builder.build());
  enqueue(driver, p1, [1, 3, 5]);
  enqueue(driver, p2, [2, 4, 6]);
  driver.run(2);
  expect(seen.map(({ timestamp }) => timestamp)).toEqual([1, 2]);
  seen.length = 0;
  enqueue(driver, p1, [2, 4]);
  driver.run();
  expect(seen.map(({ timestamp }) => timestamp)).toEqual([3, 4, 5, 2, 4, 6]);
  expect(seen.map(({ streamTime }) => streamTime)).toEqual([3, 4, 5, 5, 5, 6]);
  expect(seen.map(({ timestamp, streamTime }) => streamTime - timestamp)).toEqual([0, 0, 0, 3, 1, 0]);
});

test("case 2: the head of a partition counts, not how far its time has come", () => {
  const { builder, seen } = merging();
  const driver = new TopologyTestDriver(builder.build());
  enqueue(driver, p1, [1, 5, 3]);
  driver.run(2);
  enqueue(driver, p2, [2, 4, 6]);
  driver.run();
  expect(seen.map(({ timestamp }) => timestamp)).toEqual([1, 5, 2, 3, 4, 6]);
});

test("case 3: with an idle time of 1,000 ms an empty input is waited for, and the older record comes first", () => {
  const { builder, seen } = merging();
  const driver = new TopologyTestDriver(builder.build(), { config: { taskIdleMs: 1_000 } });
  driver.pipe(p1, "k", "A", { timestamp: 10 });
  driver.advance(1);
  expect(seen).toEqual([]);
  driver.pipe(p2, "k", "B", { timestamp: 20 });
  expect(seen.map(({ timestamp }) => timestamp)).toEqual([10]);
  driver.advance(1_000);
  expect(seen.map(({ timestamp }) => timestamp)).toEqual([10, 20]);
});

test("case 4: the extractor is told the partition's time, also after a restart", () => {
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
  const driver = new TopologyTestDriver(builder.build());
  driver.pipe(timed, "k", 1, { timestamp: 15_000 });
  driver.restart();
  expect(driver.streamTime()).toBe(15_000);
  driver.pipe(timed, "k", 2, { timestamp: 14_999 });
  expect(told).toEqual([-1, 15_000]);
});

test("equal heads are taken by topic name", () => {
  const order: string[] = [];
  const builder = new StreamsBuilder();
  // Declared the other way round.
  const merged = builder.stream(p2).merge(builder.stream(p1));
  merged.process({
    name: "see",
    processor: (context) => ({ process: () => void order.push(context.recordMetadata()?.topic ?? "") }),
  });
  const driver = new TopologyTestDriver(builder.build());
  enqueue(driver, p2, [7, 7]);
  enqueue(driver, p1, [7, 7]);
  driver.run();
  expect(order).toEqual(["p1", "p1", "p2", "p2"]);
});
