import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { openEmbeddedLog, type Log } from "#log";
import { stringKey, stringSerde } from "#state";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { topic } from "../topic.ts";
import { Application } from "./application.ts";
import { CommittedPurge } from "./committed-purge.ts";
import { MAINTAIN_INTERVAL_MS, PURGE_PARTITIONS_PER_ROUND, realClock, silentLogger, type HostClock } from "./defaults.ts";
import { benchOf, produce } from "./fixtures/counting.ts";

const AGE_MS = 1_000;
const purged = topic({ name: "purged", key: stringKey, value: stringSerde, partitions: 1, purgeCommittedAfterMs: AGE_MS });
const at = { topic: "purged", partition: 0 };

async function commit(log: Log, offset: number, partition = 0): Promise<void> {
  const writer = log.writer({ group: "app", transactionalId: `app-${partition}` });
  await writer.initialize();
  await writer.commit({ offsets: [{ topic: "purged", partition, offset, metadata: "" }], rows: [] });
  await writer.close();
}

const opened = async ({ name, partitions, cleanup } = purged): Promise<Log> => {
  const log = await openEmbeddedLog({ disk: memoryDisk() });
  await log.topics.ensure([{ name, partitions, cleanup }]);
  return log;
};

const purgeOf = (log: Pick<Log, "offsets" | "topics">, descriptor = purged, logger = silentLogger): CommittedPurge =>
  new CommittedPurge({ log, group: "app", topics: [descriptor], logger });

test("deletes exactly what is both committed and old, however times and commits lie", async () => {
  const batches = fc.array(fc.array(fc.nat(3_000), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });
  const rounds = fc.array(fc.record({ committed: fc.nat(8), now: fc.nat(5_000) }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(batches, rounds, async (timestamps, looks) => {
      const log = await opened();
      for (const batch of timestamps)
        await produce(
          log,
          purged,
          batch.map((timestamp) => ["k", "v", timestamp]),
        );
      const times = timestamps.flat();
      const purge = purgeOf(log);
      let start = 0;
      for (const { committed, now } of looks) {
        const offset = Math.min(committed, times.length);
        await commit(log, offset);
        await purge.round(now);
        const young = times.findIndex((time, i) => i >= start && time >= now - AGE_MS);
        start = Math.max(start, Math.min(offset, young < 0 ? times.length : young));
        expect(await log.offsets.bound(at, "start")).toBe(start);
      }
      await log.close();
    }),
    { numRuns: 200 },
  );
});

test("leaves alone what no group of its own has committed, and topics that do not ask for it", async () => {
  const { purgeCommittedAfterMs: _, ...plain } = purged;
  for (const descriptor of [purged, plain]) {
    const log = await opened(descriptor);
    await produce(log, purged, [["k", "v", 0]]);
    if (descriptor === plain) await commit(log, 1);
    await purgeOf(log, descriptor).round(1e9);
    expect(await log.offsets.bound(at, "start")).toBe(0);
  }
});

test("a round does a few partitions, and each has its turn; one that fails is logged and keeps no other waiting", async () => {
  const partitions = PURGE_PARTITIONS_PER_ROUND * 2;
  const wide = { ...purged, partitions };
  const log = await opened(wide);
  const producer = log.producer();
  for (let partition = 0; partition < partitions; partition++) producer.append("purged", partition, 0, null, null);
  await producer.flush();
  for (let partition = 0; partition < partitions; partition++) await commit(log, 1, partition);
  let broken = true;
  const topics: Log["topics"] = {
    ensure: (configs) => log.topics.ensure(configs),
    describe: (name) => log.topics.describe(name),
    list: () => log.topics.list(),
    deleteRecords: (partition, before) =>
      broken && partition.partition === 1 ? Promise.reject(new Error("not now")) : log.topics.deleteRecords(partition, before),
  };
  const warnings: unknown[] = [];
  const purge = purgeOf({ offsets: log.offsets, topics }, wide, { ...silentLogger, warn: (facts: unknown) => warnings.push(facts) });
  const starts = async (): Promise<number> => {
    const bounds = await Promise.all(
      Array.from({ length: partitions }, (_, partition) => log.offsets.bound({ topic: "purged", partition }, "start")),
    );
    return bounds.reduce((sum, start) => sum + start, 0);
  };
  await purge.round(1e9);
  expect(await starts()).toBe(PURGE_PARTITIONS_PER_ROUND - 1);
  expect(warnings).toMatchObject([{ topic: "purged", partition: 1, error: { message: "not now" } }]);
  broken = false;
  await purge.round(1e9);
  expect(await starts()).toBe(partitions - 1);
  await purge.round(1e9);
  expect(await starts()).toBe(partitions);
});

test("an application that runs deletes what it has committed and what is old", async () => {
  const builder = new StreamsBuilder();
  builder.stream(purged).process({ name: "read", processor: () => ({ process() {} }) });
  const bench = await benchOf(builder.build());
  const now = 1_000_000;
  await produce(bench.log, purged, [
    ["a", "old", 0],
    ["a", "old", now - AGE_MS - 1],
    ["a", "young", now + 30 * 60 * 1_000],
  ]);
  const clock: HostClock = {
    ...realClock,
    now: () => now + Math.floor(performance.now()),
    sleep: (ms, cancelled) => realClock.sleep(ms === MAINTAIN_INTERVAL_MS ? 5 : ms, cancelled),
  };
  await using application = new Application({ ...bench, applicationId: "app", clock });
  await application.start();
  await expect.poll(() => bench.log.offsets.bound(at, "start")).toBe(2);
});
