/** What fails leaves nothing behind but its dead letter. */
import { describe, expect, test } from "vitest";
import { keyValueStore, priorityQueueStore, stringKey, stringSerde, timerStore, type Serde } from "#state";
import { TopologyTestDriver } from "#streams/testing";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { topic, type Topic } from "../topic.ts";

const input = topic({ name: "input", key: stringKey, value: stringSerde, partitions: 1 });
const output = topic({ name: "output", key: stringKey, value: stringSerde, partitions: 1, recordBytesMax: 64 });
const notes = keyValueStore({ name: "notes", key: stringKey, value: stringSerde });
const queue = priorityQueueStore({ name: "queue", value: stringSerde });
const alarms = timerStore({ name: "alarms", clock: "wall" });

/** Writes wherever it can; the words decide what fails, and when. */
function writing(source: Topic<string, string> = input): StreamsBuilder {
  const builder = new StreamsBuilder();
  builder.stream(source).process({
    name: "write",
    stores: [notes, queue, alarms],
    sinks: [output],
    processor: (context) => {
      const [kept, waiting, timers] = [context.store(notes), context.store(queue), context.store(alarms)];
      const sink = context.sink(output);
      const write = (key: string, value: string): void => {
        kept.put(key, value);
        waiting.put(key, value.length, value);
        sink.send(key, value);
      };
      context.onTimer(alarms, (key, at) => {
        write(key, `fired at ${at}`);
        if (key === "bad timer") throw new Error("this timer fails");
      });
      context.punctuate({ name: "round", clock: "stream", intervalMs: 1_000 }, (at) => {
        write("punctuation", String(at));
        if (at >= 5_000) throw new Error("this punctuation fails");
      });
      return {
        process({ key, value, timestamp }) {
          if (value === "remind") return timers.set(key, timestamp + 100);
          write(key, value);
          timers.set(key, timestamp + 1_000_000);
          if (value === "poison") throw new Error("this record fails");
          if (value === "too large") sink.send(key, "x".repeat(100));
        },
      };
    },
  });
  return builder;
}

const started = (source?: Topic<string, string>, config = {}): TopologyTestDriver =>
  new TopologyTestDriver(writing(source).build(), { config });

describe("a failed record", () => {
  test.each([
    ["poison", "PROCESSOR_FAILED"],
    ["too large", "RECORD_TOO_LARGE"],
  ])("rolls back every store, timer and output (%s)", (value, code) => {
    const driver = started();
    driver.pipe(input, "a", "good", { timestamp: 1 });
    driver.read(output);
    driver.pipe(input, "a", value, { timestamp: 2, headers: [{ key: "trace", value: Buffer.from("t1") }] });
    expect(driver.store(notes).get("a")).toBe("good");
    expect(driver.store(queue).peek()).toEqual({ id: "punctuation", priority: 1, value: "1" });
    expect(driver.store(queue).get("a")).toMatchObject({ priority: 4 });
    expect(driver.store(alarms).at("a")).toBe(1_000_001);
    expect(driver.read(output)).toEqual([]);
    expect(driver.streamTime()).toBe(1);
    const letters = driver.deadLetters();
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      code,
      timestamp: 2,
      headers: { trace: "t1", "__streams.errors.offset": "1", "__streams.errors.task": "0_0" },
    });
    expect([letters[0]?.key?.toString(), letters[0]?.value?.toString()]).toEqual(["a", value]);
    expect(letters[0]?.headers["__streams.errors.stacktrace"]).toContain("at ");
  });

  test("stops the task where its topic says so, and then leaves nothing at all", () => {
    const strict = { ...input, onFailure: "stop" as const };
    const driver = started(strict);
    const piped = (): void => driver.pipe(strict, "a", "poison", { timestamp: 2 });
    expect(piped).toThrow(expect.objectContaining({ code: "TASK_FAILED", facts: expect.objectContaining({ topic: "input", offset: 0 }) }));
    expect(driver.store(notes).get("a")).toBeUndefined();
    expect(driver.deadLetters()).toEqual([]);
  });

  test("is no excuse for a bug: an assertion stops the task", async () => {
    const { default: assert } = await import("node:assert/strict");
    const builder = new StreamsBuilder();
    builder.stream(input).process({ name: "buggy", processor: () => ({ process: () => assert.fail("a bug") }) });
    const driver = new TopologyTestDriver(builder.build());
    expect(() => driver.pipe(input, "a", "x")).toThrow("a bug");
    expect(driver.deadLetters()).toEqual([]);
  });

  test("trips the breaker when more than the allowed share of the newest fail", () => {
    const driver = started(undefined, { failureWindowRecords: 10, failureRatioMax: 0.3 });
    const pipe = (value: string): void => driver.pipe(input, "a", value, { timestamp: 0 });
    for (let round = 0; round < 5; round++) {
      // 3 of any 10 are allowed.
      for (let failed = 0; failed < 3; failed++) pipe("poison");
      for (let good = 0; good < 7; good++) pipe("good");
    }
    for (let failed = 0; failed < 3; failed++) pipe("poison");
    expect(() => pipe("poison")).toThrow(expect.objectContaining({ code: "FAILURE_RATIO" }));
  });
});

test("a failed timer leaves nothing but its dead letter, and does not fire again", () => {
  const driver = started();
  driver.pipe(input, "bad timer", "remind", { timestamp: 0 });
  driver.read(output);
  driver.advance(100);
  expect(driver.store(notes).get("bad timer")).toBeUndefined();
  expect(driver.store(queue).get("bad timer")).toBeUndefined();
  expect(driver.store(alarms).size).toBe(0);
  expect(driver.read(output)).toEqual([]);
  const [letter, ...others] = driver.deadLetters();
  expect(letter).toMatchObject({ code: "PROCESSOR_FAILED", timestamp: 100, value: null, headers: { "__streams.errors.timer": "alarms" } });
  expect(letter?.key?.toString()).toBe("bad timer");
  driver.advance(1_000);
  expect([others, driver.deadLetters()]).toEqual([[], []]);
});

test("a failed punctuation leaves nothing but its dead letter, and fires again when it is due again", () => {
  const driver = started();
  driver.pipe(input, "a", "good", { timestamp: 4_999 });
  driver.pipe(input, "a", "good", { timestamp: 5_001 });
  driver.pipe(input, "a", "good", { timestamp: 6_000 });
  expect(driver.store(notes).get("punctuation")).toBe("4999");
  expect(driver.readValues(output)).toEqual(["good", "4999", "good", "good"]);
  const letters = driver.deadLetters();
  expect(letters.map(({ timestamp }) => timestamp)).toEqual([5_001, 6_000]);
  expect(letters[0]?.headers).toMatchObject({
    "__streams.errors.punctuation": "round",
    "__streams.errors.message": "this punctuation fails",
  });
});

describe("a record that cannot be read", () => {
  const fussy: Serde<string> = {
    ...stringSerde,
    decode(bytes, start, end) {
      if (bytes[start] === 0xff) throw Object.assign(new Error("no frame"), { code: "MALFORMED_FRAME" });
      return stringSerde.decode(bytes, start, end);
    },
  };
  const framed = { ...input, value: fussy };

  test("case 5: when a batch has only undecodable records, the offset still moves past them", () => {
    const driver = started(framed);
    for (let index = 0; index < 3; index++) driver.pipeBytes(framed, Buffer.from("a"), Buffer.from([0xff]), { timestamp: 50 });
    expect(driver.deadLetters().map(({ code }) => code)).toEqual(Array(3).fill("MALFORMED_FRAME"));
    expect(driver.streamTime()).toBe(-1);
    // Nothing is dead-lettered again after a restart: the offsets were committed.
    driver.restart();
    driver.pipe(framed, "a", "good", { timestamp: 60 });
    expect(driver.deadLetters()).toEqual([]);
    expect(driver.readValues(output)).toEqual(["good", "60"]);
  });

  test("is named by what is wrong: key, timestamp before the epoch, timestamp too far ahead", () => {
    const driver = new TopologyTestDriver(writing(framed).build(), { startAt: 1_000, config: { timestampLeadMsMax: 3_000 } });
    const keyed = { ...framed, key: { ...stringKey, decode: fussy.decode.bind(fussy) } };
    driver.pipeBytes(framed, null, Buffer.from("good"), { timestamp: 1 });
    driver.pipeBytes(framed, Buffer.from("a"), Buffer.from("good"), { timestamp: -5 });
    driver.pipeBytes(framed, Buffer.from("a"), Buffer.from("good"), { timestamp: 4_001 });
    driver.pipeBytes(framed, Buffer.from("a"), Buffer.from("good"), { timestamp: 4_000 });
    expect(driver.deadLetters().map(({ code, timestamp }) => [code, timestamp])).toEqual([
      ["INVALID_KEY", 1],
      ["TIMESTAMP_OUT_OF_RANGE", 0],
      ["TIMESTAMP_OUT_OF_RANGE", 4_001],
    ]);
    expect(driver.streamTime()).toBe(4_000);
    const other = started(keyed);
    other.pipeBytes(keyed, Buffer.from([0xff]), Buffer.from("good"));
    expect(other.deadLetters()[0]).toMatchObject({ code: "INVALID_KEY" });
  });
});

test("a state value that does not encode is found at the commit and dead-letters its record", () => {
  const picky: Serde<string> = {
    ...stringSerde,
    encode(value, target, at) {
      if (value === "unencodable") throw new Error("does not fit the schema");
      return stringSerde.encode(value, target, at);
    },
  };
  const store = keyValueStore({ name: "picky", key: stringKey, value: picky });
  const builder = new StreamsBuilder();
  builder.stream(input).process({
    name: "put",
    stores: [store],
    processor: (context) => ({ process: ({ key, value }) => context.store(store).put(key, value) }),
  });
  const driver = new TopologyTestDriver(builder.build());
  driver.pipe(input, "a", "good");
  driver.pipe(input, "a", "unencodable");
  driver.pipe(input, "b", "good");
  expect(driver.store(store).get("a")).toBe("good");
  expect(driver.deadLetters()).toMatchObject([{ code: "VALUE_UNENCODABLE" }]);
});
