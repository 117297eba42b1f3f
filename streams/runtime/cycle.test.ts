/** Subtopologies that feed each other through named topics, in several threads, on good days and bad ones. */
import { expect, test } from "vitest";
import { keyValueStore, numberSerde, stringKey } from "#state";
import { COMMIT_AT_ONCE, DelayingLog, openApplication, seededPlan, type VirtualApplicationOptions } from "#streams/testing";
import type { Topology } from "../dsl/builder.ts";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { topic } from "../topic.ts";
import { consume, produce } from "./fixtures/counting.ts";

const descriptor = (name: string) => topic({ name, key: stringKey, value: numberSerde, partitions: 3 });
const [pings, pongs, finished] = [descriptor("pings"), descriptor("pongs"), descriptor("finished")];
const hits = (name: string) => keyValueStore({ name, key: stringKey, value: numberSerde });
const [pingHits, pongHits] = [hits("ping-hits"), hits("pong-hits")];

/** A ball goes to and fro until it has no force left; both players count, and both may say that it is over. */
function rally(): Topology {
  const builder = new StreamsBuilder();
  for (const [from, to, store] of [
    [pings, pongs, pingHits],
    [pongs, pings, pongHits],
  ] as const)
    builder.stream(from).process({
      name: `player of ${from.name}`,
      stores: [store],
      sinks: [to, finished],
      processor: (context) => {
        const [counted, next, end] = [context.store(store), context.sink(to), context.sink(finished)];
        return {
          process({ key, value }) {
            counted.put(key, (counted.get(key) ?? 0) + 1);
            if (value === 0) end.send(key, counted.get(key) ?? 0);
            else next.send(key, value - 1);
          },
        };
      },
    });
  return builder.build();
}

async function play(options: Partial<VirtualApplicationOptions>): Promise<readonly { key: string; value: number; timestamp: number }[]> {
  const application = await openApplication({ topology: rally(), ...options });
  await produce(
    application.log,
    pings,
    Array.from({ length: 20 }, (_, ball) => [`ball${ball}`, ball, ball]),
  );
  await application.run(1_000_000);
  await application.stop();
  const ends = await consume(application.log, finished);
  return ends.map(({ key, value, timestamp }) => ({ key, value, timestamp })).toSorted((a, b) => a.timestamp - b.timestamp);
}

const expected = Array.from({ length: 20 }, (_, ball) => ({ key: `ball${ball}`, value: Math.floor(ball / 2) + 1, timestamp: ball }));

test("a cycle is two subtopologies, and every ball comes to its end", async () => {
  expect(rally().subtopologies).toHaveLength(2);
  expect(await play({ threads: 1 })).toEqual(expected);
  expect(await play({ threads: 3 })).toEqual(expected);
});

test("so it does when commits fail, stay unknown or arrive late", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const plan = seededPlan(seed, { trouble: 0.3, delayMsMax: 40 });
    const wrapLog: VirtualApplicationOptions["wrapLog"] = (log, clock) =>
      new DelayingLog(log, { now: clock.now, plan: (commit) => (commit < 100 ? plan(commit) : COMMIT_AT_ONCE) });
    expect(await play({ threads: 2, wrapLog })).toEqual(expected);
  }
});

async function bytesOfAllTopics(): Promise<readonly string[]> {
  const plan = seededPlan(7, { trouble: 0.3, delayMsMax: 40 });
  const application = await openApplication({
    topology: rally(),
    threads: 3,
    wrapLog: (log, clock) => new DelayingLog(log, { now: clock.now, plan: (commit) => (commit < 100 ? plan(commit) : COMMIT_AT_ONCE) }),
  });
  for (let round = 0; round < 5; round++) {
    await produce(
      application.log,
      pings,
      Array.from({ length: 20 }, (_, ball) => [`ball${round}-${ball}`, ball, ball]),
    );
    await application.run(round * 30);
  }
  await application.run(1_000_000);
  await application.stop();
  const reader = application.log.reader();
  const topics = [pings, pongs, finished].flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  );
  reader.assign(topics.map((each) => ({ ...each, offset: 0, outOfRange: "fail" })));
  const blocks: string[] = [];
  for (let batches = reader.poll(); batches.length > 0; batches = reader.poll())
    for (const batch of batches) blocks.push(`${batch.topic}/${batch.partition}: ${batch.bytes.toString("hex")}`);
  return blocks.sort();
}

test("the same seed twice gives the same bytes in every topic", async () => {
  const first = await bytesOfAllTopics();
  expect(first.length).toBeGreaterThan(50);
  expect(await bytesOfAllTopics()).toEqual(first);
});
