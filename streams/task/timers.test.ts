/** Durable timers between records: which comes first, on which clock, and what a handler may do. */
import { expect, test } from "vitest";
import { stringKey, stringSerde, timerStore } from "#state";
import { TopologyTestDriver } from "#streams/testing";
import { TopologyError } from "../errors.ts";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { topic } from "../topic.ts";

const input = topic({ name: "input", key: stringKey, value: stringSerde, partitions: 1 });
const fired = topic({ name: "fired", key: stringKey, value: stringSerde, partitions: 1 });
const [walls, others, streams] = [
  timerStore({ name: "b-wall", clock: "wall" }),
  timerStore({ name: "a-wall", clock: "wall" }),
  timerStore({ name: "stream", clock: "stream" }),
];

/** Values are like `b-wall 500, stream 20`: timers to set for the record's key. What fires is sent to `fired`. */
function alarms(chain: (key: string, at: number) => number | undefined = () => undefined): TopologyTestDriver {
  const builder = new StreamsBuilder();
  builder.stream(input).process({
    name: "alarms",
    stores: [walls, others, streams],
    sinks: [fired],
    processor: (context) => {
      const sink = context.sink(fired);
      const stores = new Map([walls, others, streams].map((descriptor) => [descriptor.name, context.store(descriptor)]));
      for (const descriptor of [walls, others, streams])
        context.onTimer(descriptor, (key, at) => {
          sink.send(key, `${descriptor.name} ${at}`);
          expect(context.recordMetadata()).toBeUndefined();
          const next = chain(key, at);
          if (next !== undefined) context.store(descriptor).set(key, next);
        });
      return {
        process({ key, value }) {
          sink.send(key, "record");
          for (const wish of value.split(", ").filter((each) => each !== "")) {
            const [name = "", at = ""] = wish.split(" ");
            stores.get(name)?.set(key, Number(at));
          }
        },
      };
    },
  });
  return new TopologyTestDriver(builder.build());
}

const seen = (driver: TopologyTestDriver): readonly string[] =>
  driver.read(fired).map(({ key, value, timestamp }) => `${key}: ${value} @${timestamp}`);

test("due timers fire in the order of due time, store and key, with the due time as timestamp", () => {
  const driver = alarms();
  driver.pipe(input, "y", "b-wall 30, a-wall 20", { timestamp: 5 });
  driver.pipe(input, "x", "b-wall 20, a-wall 20", { timestamp: 6 });
  seen(driver);
  driver.advance(19);
  expect(seen(driver)).toEqual([]);
  driver.advance(1_000);
  expect(seen(driver)).toEqual(["x: a-wall 20 @20", "y: a-wall 20 @20", "x: b-wall 20 @20", "y: b-wall 30 @30"]);
});

test("stream timers fire when stream time reaches them, after the record that moved it and before the next", () => {
  const driver = alarms();
  driver.enqueue(input, "x", "stream 10", { timestamp: 1 });
  driver.enqueue(input, "y", "", { timestamp: 9 });
  driver.enqueue(input, "y", "", { timestamp: 10 });
  driver.enqueue(input, "y", "", { timestamp: 11 });
  driver.advance(1_000_000);
  expect(seen(driver)).toEqual(["x: record @1", "y: record @9", "y: record @10", "x: stream 10 @10", "y: record @11"]);
});

test("a timer set for a time already reached fires before the next record, also out of a handler", () => {
  const driver = alarms((_, at) => (at < 3 ? at + 1 : undefined));
  driver.enqueue(input, "x", "stream 1", { timestamp: 100 });
  driver.enqueue(input, "y", "", { timestamp: 100 });
  driver.run();
  expect(seen(driver)).toEqual(["x: record @100", "x: stream 1 @1", "x: stream 2 @2", "x: stream 3 @3", "y: record @100"]);
});

test("timers outlive a restart, and there is one per key", () => {
  const driver = alarms();
  driver.pipe(input, "x", "b-wall 50", { timestamp: 0 });
  driver.pipe(input, "x", "b-wall 70", { timestamp: 0 });
  seen(driver);
  driver.restart();
  driver.advance(100);
  expect(seen(driver)).toEqual(["x: b-wall 70 @70"]);
});

function withHandlers(handlers: number): TopologyTestDriver {
  const builder = new StreamsBuilder();
  builder.stream(input).process({
    name: "alarms",
    stores: [walls],
    processor: (context) => {
      for (let index = 0; index < handlers; index++) context.onTimer(walls, () => {});
      return { process() {} };
    },
  });
  return new TopologyTestDriver(builder.build());
}

test("a timer store without a handler, or with two, is refused when the task is built", () => {
  expect(() => withHandlers(0)).toThrow(TopologyError);
  expect(() => withHandlers(0)).toThrow("b-wall");
  expect(() => withHandlers(2)).toThrow("more than one handler");
});
