/** What cannot be read yet waits: nothing is lost, nothing is dead-lettered, nobody else is held up. */
import { expect, test } from "vitest";
import { keyValueStore, stringKey, stringSerde, type Serde } from "#state";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { benchOf, consume, produce, settle, threadOn } from "../runtime/fixtures/counting.ts";
import { topic } from "../topic.ts";
import { deadLetterTopic } from "./dead-letter.ts";

/** Reads values that begin with "new" only once `registry.up` is true. */
const registry = { up: false };
class NotYet extends Error {
  readonly code = "REGISTRY_UNAVAILABLE";
  readonly retriable = true;
}
const late: Serde<string> = {
  ...stringSerde,
  id: "late",
  decode(bytes, start, end) {
    const text = stringSerde.decode(bytes, start, end);
    if (text.startsWith("new") && !registry.up) throw new NotYet("the registry is down");
    return text;
  },
};

const slow = topic({ name: "slow", key: stringKey, value: late, partitions: 1 });
const swift = topic({ name: "swift", key: stringKey, value: stringSerde, partitions: 1 });
const output = topic({ name: "output", key: stringKey, value: stringSerde, partitions: 1 });
const deadLetters = topic({ name: deadLetterTopic("app"), key: stringKey, value: stringSerde, partitions: 1 });
const kept = keyValueStore({ name: "kept", key: stringKey, value: late });

function copying(): StreamsBuilder {
  const builder = new StreamsBuilder();
  builder
    .stream(slow)
    .merge(builder.stream(swift))
    .process({
      name: "copy",
      stores: [kept],
      sinks: [output],
      processor: (context) => {
        const [store, sink] = [context.store(kept), context.sink(output)];
        return {
          process({ key, value }) {
            sink.send(key, value);
            if (value === "look") sink.send(key, store.get("row") ?? "nothing");
            if (value === "keep") store.put("row", "new row");
          },
        };
      },
    });
  return builder;
}

test("a record that cannot be decoded yet holds up its partition and no other, and is processed in its order later", async () => {
  registry.up = false;
  const bench = await benchOf(copying().build());
  await produce(bench.log, slow, [
    ["a", "old"],
    ["a", "new"],
  ]);
  // Far more than a buffer holds: the waiting partition lags in the log too.
  await produce(bench.log, slow, [["a", "after"]]);
  await produce(bench.log, swift, [["b", "swift"]]);
  const small = { bufferRecordsMax: 1, bufferBytesMax: 10 };
  const thread = threadOn(bench, { taskIdleMs: 0, ...small });
  await settle(thread, 0, 1_000);
  expect((await consume(bench.log, output)).map(({ value }) => value)).toEqual(["old", "swift"]);
  expect(thread.metrics().lag.find((lag) => lag.topic === "slow")).toMatchObject({ records: 2, waitsFor: "REGISTRY_UNAVAILABLE" });
  // Another thread goes on exactly there.
  await thread.stop();
  const next = threadOn(bench, small);
  await settle(next, 2_000, 2_500);
  registry.up = true;
  await settle(next, 3_000, 4_000);
  expect((await consume(bench.log, output)).map(({ value }) => value)).toEqual(["old", "swift", "new", "after"]);
  expect(await consume(bench.log, deadLetters)).toEqual([]);
  expect(next.metrics().lag.every(({ records, waitsFor }) => records === 0 && waitsFor === undefined)).toBe(true);
  await next.stop();
});

test("a row that cannot be decoded yet rolls the record back, which is done again from what was committed", async () => {
  registry.up = true;
  const bench = await benchOf(copying().build());
  await produce(bench.log, swift, [["b", "keep"]]);
  const before = threadOn(bench);
  await settle(before, 0, 100);
  await before.stop();
  registry.up = false;
  await produce(bench.log, swift, [["b", "look"]]);
  const thread = threadOn(bench);
  await settle(thread, 200, 10_000);
  expect((await consume(bench.log, output)).map(({ value }) => value)).toEqual(["keep"]);
  expect(thread.metrics().aborts).toBeGreaterThan(0);
  registry.up = true;
  await settle(thread, 20_000, 40_000);
  expect((await consume(bench.log, output)).map(({ value }) => value)).toEqual(["keep", "look", "new row"]);
  expect(await consume(bench.log, deadLetters)).toEqual([]);
  await thread.stop();
});
