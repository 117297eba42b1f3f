/** Topics beside their table, and how far a group is behind, on a log in memory. */
import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { openEmbeddedLog } from "#log";
import { stringKey, stringSerde } from "#state";
import { StreamsBuilder, topic } from "#streams";
import { DecisionTimes } from "../world/decision-times.ts";
import { restoreLine, restoreProgress } from "../run/restore-progress.ts";
import { lagRows } from "./lag-rows.ts";
import { planTopics } from "./topic-plan.ts";
import { yamlText } from "./yaml-text.ts";

const words = topic({ name: "words", key: stringKey, value: stringSerde, partitions: 2 });

test("a plan names what is missing and what differs, and more retention than wanted is no difference", async () => {
  await using log = await openEmbeddedLog({ disk: memoryDisk() });
  await log.topics.ensure([
    { name: "longer", partitions: 1, cleanup: "delete", retentionMs: 2_000 },
    { name: "shorter", partitions: 1, cleanup: "delete", retentionMs: 1_000 },
    { name: "narrow", partitions: 1, cleanup: "delete" },
    { name: "kept", partitions: 1, cleanup: "delete" },
  ]);
  const plan = await planTopics(log, [
    { name: "longer", partitions: 1, cleanup: "delete", retentionMs: 1_000 },
    { name: "shorter", partitions: 1, cleanup: "delete", retentionMs: 2_000 },
    { name: "narrow", partitions: 4, cleanup: "delete" },
    { name: "kept", partitions: 1, cleanup: "compact" },
    { name: "absent", partitions: 1, cleanup: "delete" },
  ]);
  expect(plan.map(({ name, state }) => [name, state])).toEqual([
    ["longer", "as wanted"],
    ["shorter", "differs"],
    ["narrow", "differs"],
    ["kept", "differs"],
    ["absent", "missing"],
  ]);
  expect(plan[2]?.difference).toBe("1 partitions, 4 wanted");
});

test("lag is counted from the committed offset, in records and in the age of the next one", async () => {
  const builder = new StreamsBuilder();
  builder.stream(words).process({ name: "read", processor: () => ({ process: () => undefined }) });
  const topology = builder.build();
  await using log = await openEmbeddedLog({ disk: memoryDisk() });
  await log.topics.ensure([{ name: "words", partitions: 2, cleanup: "delete" }]);
  const producer = log.producer();
  for (const at of [1_000, 2_000, 3_000]) producer.append("words", 1, at, Buffer.from("k"), Buffer.from("v"));
  await producer.flush();
  await producer.close();
  const writer = log.writer({ group: "app", transactionalId: "t" });
  await writer.initialize();
  await writer.commit({ offsets: [{ topic: "words", partition: 1, offset: 1, metadata: "" }], rows: [] });
  await writer.close();
  expect(await lagRows(log, topology, "app", 7_000)).toEqual([
    { task: "0_0", topic: "words", partition: 0, committed: 0, end: 0, records: 0, seconds: 0 },
    { task: "0_1", topic: "words", partition: 1, committed: 1, end: 3, records: 2, seconds: 5 },
  ]);
});

test("decisions are timed from the placing, whichever of trip and assignment is read first", () => {
  const times = new DecisionTimes();
  const trip = (jobId: string, placedAt: number) => times.trip({ jobId, state: "open", content: { placedAt } } as never);
  const assigned = (jobId: string, seenAt: number) => times.assignment({ type: "DriverAssigned", jobId, attempt: 1 } as never, seenAt);
  trip("a", 100);
  assigned("a", 300);
  assigned("b", 900);
  trip("b", 500);
  // A second assignment of the same job is no answer to its customer's wait.
  assigned("a", 5_000);
  expect(times.figures(1)).toEqual({ count: 2, p50: 400, p95: 400, p99: 400 });
  expect(times.figures(2).p99).toBe(200);
});

const following = (role: "restoring" | "standby", done: number, msLeft: number) => ({
  role,
  done,
  total: 100,
  recordsPerSecond: 10,
  msLeft,
});
const counts = (...all: object[]) => [{ following: all }] as never;

test("restoring is told in one line over all threads, and standbys are no part of it", () => {
  expect(restoreProgress(counts(following("standby", 5, 0)))).toBeUndefined();
  const picture = restoreProgress(
    counts(following("restoring", 5, 1_500), following("restoring", 6, Infinity), following("standby", 7, 0)),
  );
  expect(picture).toEqual({ tasks: 2, done: 11, total: 200, recordsPerSecond: 20, secondsLeft: Infinity });
  expect(picture && restoreLine(picture)).toContain("11 of 200");
});

test("texts that YAML would read as something else are quoted", () => {
  const text = yamlText({ a: "true", b: "1", c: "plain.name", d: ["x: y", { e: {}, f: [] }], g: -1, h: "" });
  expect(text).toBe('a: "true"\nb: "1"\nc: plain.name\nd:\n  - "x: y"\n  - e: {}\n    f: []\ng: -1\nh: ""\n'.replace("b:", "b:"));
});
