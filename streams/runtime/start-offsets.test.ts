/** Where an application begins to read a topic, and what it does where the log does not hold any more what it wants to read. */
import { describe, expect, test } from "vitest";
import { stringKey, stringSerde } from "#state";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { topic, type TopicOptions } from "../topic.ts";
import { benchOf, consume, produce, settle, threadOn, type Bench } from "./fixtures/counting.ts";
import type { AbandonableStreamThread } from "./stream-thread.ts";

const heard = topic({ name: "heard", key: stringKey, value: stringSerde, partitions: 1 });

async function benchWith(
  options: Partial<TopicOptions<string, string>>,
): Promise<{ bench: Bench; said: ReturnType<typeof topic<string, string>> }> {
  const said = topic({ name: "said", key: stringKey, value: stringSerde, partitions: 1, ...options });
  const builder = new StreamsBuilder();
  builder.stream(said).to(heard);
  return { bench: await benchOf(builder.build()), said };
}

async function run(bench: Bench, thread: AbandonableStreamThread = threadOn(bench)): Promise<readonly string[]> {
  await settle(thread, 1_000, 2_000);
  await thread.stop();
  return (await consume(bench.log, heard)).map(({ value }) => value);
}

/** What was not read yet is half gone. */
async function cut(options: Partial<TopicOptions<string, string>>): Promise<Bench> {
  const { bench, said } = await benchWith(options);
  await produce(bench.log, said, [["a", "one", 100]]);
  expect(await run(bench)).toEqual(["one"]);
  await produce(bench.log, said, [
    ["a", "two", 200],
    ["a", "three", 300],
  ]);
  await bench.log.topics.deleteRecords({ topic: said.name, partition: 0 }, 2);
  return bench;
}

describe("an application that has committed nothing begins", () => {
  test.each([
    [undefined, ["one", "two", "three", "four"]],
    ["earliest", ["one", "two", "three", "four"]],
    ["latest", ["four"]],
    [{ timestamp: 200 }, ["two", "three", "four"]],
    [{ timestamp: 201 }, ["three", "four"]],
    [{ timestamp: 9_000 }, ["four"]],
  ] as const)("at %j", async (startAt, expected) => {
    const { bench, said } = await benchWith(startAt === undefined ? {} : { startAt });
    await produce(bench.log, said, [
      ["a", "one", 100],
      ["a", "two", 200],
      ["a", "three", 300],
    ]);
    const thread = threadOn(bench);
    await settle(thread, 1_000, 1_000);
    await produce(bench.log, said, [["a", "four", 400]]);
    expect(await run(bench, thread)).toEqual(expected);
  });

  test("and goes on where it was, whatever the topic says", async () => {
    const { bench, said } = await benchWith({ startAt: "latest" });
    const first = threadOn(bench);
    await settle(first, 1_000, 1_000);
    await produce(bench.log, said, [["a", "one", 100]]);
    expect(await run(bench, first)).toEqual(["one"]);
    await produce(bench.log, said, [["a", "two", 200]]);
    expect(await run(bench)).toEqual(["one", "two"]);
  });
});

describe("what the log does not hold any more", () => {
  test("is passed over from the start, or to the end, as the topic says", async () => {
    expect(await run(await cut({}))).toEqual(["one", "three"]);
    expect(await run(await cut({ outOfRange: "start", onFailure: "stop" }))).toEqual(["one", "three"]);
    expect(await run(await cut({ outOfRange: "end" }))).toEqual(["one"]);
  });

  test("stops the thread where nothing may be missed", async () => {
    for (const options of [{ outOfRange: "fail" }, { onFailure: "stop" }] as const)
      await expect(run(await cut(options))).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
  });
});
