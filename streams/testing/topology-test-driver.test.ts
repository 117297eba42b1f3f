import { expect, test } from "vitest";
import { keyValueStore, numberSerde, stringKey, stringSerde } from "#state";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { topic } from "../topic.ts";
import { countByKey } from "./count-by-key.ts";
import { TopologyTestDriver } from "./topology-test-driver.ts";

const words = topic({ name: "words", key: stringKey, value: stringSerde });
const counts = topic({ name: "counts", key: stringKey, value: numberSerde });
const countStore = keyValueStore({ name: "count", key: stringKey, value: numberSerde });

function counting(): StreamsBuilder {
  const builder = new StreamsBuilder();
  builder
    .stream(words)
    .process(
      countByKey(countStore, {
        before({ value }) {
          if (value === "poison") throw new Error("cannot count that");
        },
      }),
    )
    .to(counts);
  return builder;
}

test("a record goes through its whole subtopology before pipe returns", () => {
  const driver = new TopologyTestDriver(counting().build());
  driver.pipe(words, "a", "x", { timestamp: 5 });
  driver.pipe(words, "a", "y", { timestamp: 7 });
  expect(driver.read(counts)).toMatchObject([
    { key: "a", value: 1, timestamp: 5, offset: 0 },
    { key: "a", value: 2, timestamp: 7, offset: 1 },
  ]);
  expect(driver.read(counts)).toEqual([]);
  expect(driver.store(countStore).get("a")).toBe(2);
});

test("state outlives a restart of the driver", () => {
  const driver = new TopologyTestDriver(counting().build());
  driver.pipe(words, "a", "x");
  driver.restart();
  driver.pipe(words, "a", "x");
  expect(driver.readValues(counts)).toEqual([1, 2]);
});

test("a record that fails is a dead letter with its bytes and the reason", () => {
  const driver = new TopologyTestDriver(counting().build());
  driver.pipe(words, "a", "poison", { timestamp: 3 });
  driver.pipe(words, "a", "x");
  expect(driver.readValues(counts)).toEqual([1]);
  const [letter] = driver.deadLetters();
  expect(letter).toMatchObject({ timestamp: 3, code: "PROCESSOR_FAILED", message: "cannot count that" });
  expect(letter?.value?.toString()).toBe("poison");
  expect(letter?.headers).toMatchObject({
    "__streams.errors.topic": "words",
    "__streams.errors.partition": "0",
    "__streams.errors.offset": "0",
  });
});
