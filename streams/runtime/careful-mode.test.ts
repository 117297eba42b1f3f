/** A commit whose content is to blame: the culprit is found, dead-lettered, and everything else goes on as if it had not been. */
import { expect, test } from "vitest";
import { keyValueStore, numberSerde, stringKey, stringSerde, timerStore, type Serde } from "#state";
import { COMMIT_AT_ONCE, DelayingLog, openApplication, type RawRecord, type VirtualApplicationOptions } from "#streams/testing";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import type { Topology } from "../dsl/builder.ts";
import { deadLetterTopic } from "../task/dead-letter.ts";
import { topic } from "../topic.ts";
import { consume, counts, countingTopology, produce, words } from "./fixtures/counting.ts";

const letters = topic({ name: deadLetterTopic("app"), key: stringKey, value: stringSerde, partitions: 1 });
const flood = (value: (index: number) => string): [string, string][] =>
  Array.from({ length: 60 }, (_, index) => [`k${index % 6}`, value(index)]);

/** Refuses whatever contains a count above the limit, or a dead letter that `alsoLetters` names. */
function refusing(limit: number, alsoLetters = false): NonNullable<VirtualApplicationOptions["wrapLog"]> {
  const refuses = (records: readonly RawRecord[]): boolean =>
    records.some(({ topic: name, value }) =>
      name === counts.name ? value !== null && value.readDoubleBE(0) > limit : alsoLetters && name === letters.name,
    );
  return (log, clock) => new DelayingLog(log, { now: clock.now, plan: () => COMMIT_AT_ONCE, refuses });
}

test("a record that the log refuses at the commit is dead-lettered, whatever was committed with it", async () => {
  const application = await openApplication({ topology: countingTopology(), wrapLog: refusing(10), config: { commitIntervalMs: 5 } });
  await produce(
    application.log,
    words,
    flood(() => "x"),
  );
  await produce(application.log, words, [["k3", "x"]]);
  await application.run(100_000);
  expect(await consume(application.log, letters)).toMatchObject([{ key: "k3", value: "x" }]);
  const byKey = Map.groupBy(await consume(application.log, counts), ({ key }) => key);
  for (let key = 0; key < 6; key++) expect(byKey.get(`k${key}`)?.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const [metrics] = application.metrics();
  expect(metrics).toMatchObject({ deadLetters: 1, deadLettersByCode: { COMMIT_REFUSED: 1 } });
  // Careful while it was looking, and normal again: the next flood goes in a handful of commits.
  const commits = metrics?.commits ?? 0;
  await produce(
    application.log,
    words,
    Array.from({ length: 60 }, (_, index) => [`new${index}`, "x"]),
  );
  await application.run(200_000);
  expect((application.metrics()[0]?.commits ?? 0) - commits).toBeLessThan(5);
  await application.stop();
});

test("several culprits are found one after another", async () => {
  const application = await openApplication({ topology: countingTopology(), wrapLog: refusing(8), threads: 2 });
  await produce(
    application.log,
    words,
    flood(() => "x"),
  );
  await application.run(100_000);
  expect(await consume(application.log, letters)).toHaveLength(12);
  expect(await consume(application.log, counts)).toHaveLength(48);
  await application.stop();
});

test("a thread whose dead letter is refused too fails instead of trying for ever", async () => {
  const application = await openApplication({ topology: countingTopology(), wrapLog: refusing(3, true) });
  await produce(
    application.log,
    words,
    flood(() => "x"),
  );
  await expect(application.run(100_000)).rejects.toMatchObject({ code: "TASK_FAILED" });
  expect(application.threads[0]?.state).toBe("failed");
});

const pickyNumber: Serde<number> = {
  ...numberSerde,
  encode(value, target, at) {
    if (value === 13) throw new Error("13 does not fit the schema");
    return numberSerde.encode(value, target, at);
  },
};
const sums = keyValueStore({ name: "sums", key: stringKey, value: pickyNumber });
const alarms = timerStore({ name: "alarms", clock: "wall" });

/** Adds up lengths; "remind" writes a value that cannot be encoded, when a timer fires. */
function summing(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(words)
    .process<string, number>({
      name: "sum",
      stores: [sums, alarms],
      processor: (context) => {
        const [store, timers] = [context.store(sums), context.store(alarms)];
        context.onTimer(alarms, (key) => store.put(key, 13));
        return {
          process({ key, value, timestamp, headers }) {
            if (value === "remind") return timers.set(key, timestamp + 50);
            const sum = (store.get(key) ?? 0) + value.length;
            store.put(key, sum);
            context.forward({ key, value: sum, timestamp, headers });
          },
        };
      },
    })
    .to(counts);
  return builder.build();
}

test("a state value that does not encode is found although a later record has replaced it", async () => {
  const application = await openApplication({ topology: summing() });
  // 12, 13 (fails alone), and with it left out 12 + 2 = 14.
  await produce(application.log, words, [
    ["a", "x".repeat(12)],
    ["b", "xx"],
    ["a", "x"],
    ["a", "xx"],
    ["a", "x"],
  ]);
  await application.run(100_000);
  const sumsOfA = (await consume(application.log, counts)).filter(({ key }) => key === "a").map(({ value }) => value);
  expect([sumsOfA, (await consume(application.log, letters)).length]).toEqual([[12, 13, 15, 16], 0]);
  await produce(application.log, words, [
    ["c", "x".repeat(12)],
    ["d", "xx"],
    ["c", "x"],
  ]);
  await application.run(200_000);
  expect(await consume(application.log, letters)).toMatchObject([{ key: "c", value: "x" }]);
  expect((await consume(application.log, counts)).filter(({ key }) => key === "c")).toMatchObject([{ value: 12 }]);
  expect(application.metrics()[0]).toMatchObject({ deadLettersByCode: { VALUE_UNENCODABLE: 1 } });
  await application.stop();
});

test("a timer whose write does not encode is dead-lettered and does not fire again", async () => {
  const application = await openApplication({ topology: summing() });
  await produce(application.log, words, [
    ["a", "remind"],
    ["b", "xx"],
  ]);
  await application.run(100_000);
  const [letter, ...others] = await consume(application.log, { ...letters, value: { ...stringSerde, decode: () => "" } });
  expect([letter?.key, letter?.timestamp, others]).toEqual(["a", 50, []]);
  expect(application.threads[0]?.tasks.every(({ state }) => state.timers.every(({ size }) => size === 0))).toBe(true);
  await application.stop();
});
