/** The commit pipeline on bad days, against a sequential model: outputs, dead letters, state and offsets, each exactly once. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecordBatchCursor, type Log } from "#log";
import { COMMIT_AT_ONCE, DelayingLog, openApplication, seededPlan, type VirtualApplication } from "#streams/testing";
import { encodeKey, partitionFor } from "../partition-for.ts";
import { deadLetterTopic } from "../task/dead-letter.ts";
import { consume, counts, countingTopology, produce, words } from "./fixtures/counting.ts";

interface Sent {
  readonly at: number;
  readonly key: string;
  readonly value: string;
}

const DAY = 100_000;

const sent: fc.Arbitrary<Sent> = fc.record({
  at: fc.nat(400),
  key: fc.constantFrom("a", "b", "c", "d", "e"),
  value: fc.constantFrom("x", "x", "x", "x", "x", "poison"),
});

const partitionOf = (key: string): number => partitionFor(words, key, encodeKey(words.key, key));

/** What has to come out, partition by partition in order. */
function model(records: readonly Sent[]): { outputs: string[]; letters: string[]; state: Map<string, number> } {
  const state = new Map<string, number>();
  const outputs: string[][] = [[], []];
  const letters: string[] = [];
  const ends = [0, 0];
  for (const { key, value } of records) {
    const partition = partitionOf(key);
    const offset = ends[partition] ?? 0;
    ends[partition] = offset + 1;
    if (value === "poison") letters.push(`${partition}/${offset}`);
    else {
      const count = (state.get(key) ?? 0) + 1;
      state.set(key, count);
      outputs[partition]?.push(`${partition}:${key}=${count}`);
    }
  }
  return { outputs: outputs.flat(), letters: letters.sort(), state };
}

/** Produces each record at its time. */
class Sender {
  readonly #log: Log;
  #left: readonly Sent[];

  constructor(log: Log, records: readonly Sent[]) {
    this.#log = log;
    this.#left = records;
  }

  readonly nextDueAt = (): number => this.#left[0]?.at ?? Infinity;

  async run(now: number): Promise<void> {
    const due = this.#left.filter(({ at }) => at <= now);
    this.#left = this.#left.slice(due.length);
    await produce(
      this.#log,
      words,
      due.map(({ key, value, at }) => [key, value, at]),
    );
  }
}

async function letters(log: Log): Promise<string[]> {
  const reader = log.reader();
  reader.assign([{ topic: deadLetterTopic("app"), partition: 0, offset: 0, outOfRange: "fail" }]);
  const cursor = new RecordBatchCursor();
  const found: string[] = [];
  for (let batches = reader.poll(); batches.length > 0; batches = reader.poll())
    for (const { bytes, baseOffset } of batches) {
      cursor.reset(bytes, baseOffset);
      while (cursor.next()) {
        const texts = new Map(cursor.headers().map(({ key, value }) => [key, Buffer.from(value ?? []).toString()]));
        found.push(`${texts.get("__streams.errors.partition")}/${texts.get("__streams.errors.offset")}`);
      }
    }
  await reader.close();
  return found.sort();
}

async function expectExactlyOnce(application: VirtualApplication, records: readonly Sent[]): Promise<void> {
  const expected = model(records);
  const outputs = await consume(application.log, counts);
  expect(outputs.map(({ partition, key, value }) => `${partition}:${key}=${value}`)).toEqual(expected.outputs);
  expect(await letters(application.log)).toEqual(expected.letters);
  const tasks = application.threads.flatMap(({ tasks }) => tasks);
  for (const [key, count] of expected.state)
    expect(tasks.find(({ id }) => id.partition === partitionOf(key))?.state.committed("count", key)).toBe(count);
  const partitions = [0, 1].map((partition) => ({ topic: words.name, partition }));
  const committed = await application.log.offsets.committed("app", partitions);
  for (const [index, partition] of partitions.entries())
    expect(committed[index]?.offset ?? 0).toBe(await application.log.offsets.bound(partition, "stable"));
}

/** Faults end after so many commits, so that everything has to come to an end. */
const FAULTY_COMMITS = 40;

function unreliable(seed: number): Parameters<typeof openApplication>[0] {
  const plan = seededPlan(seed, { trouble: 0.4, delayMsMax: 60 });
  return {
    topology: countingTopology(),
    threads: 1 + (seed % 2),
    config: { bufferRecordsMax: 4, commitIntervalMs: 10, idleCommitMs: seed % 3, ...(seed % 5 === 0 ? { commitBytesMax: 50 } : {}) },
    wrapLog: (log, clock) =>
      new DelayingLog(log, {
        now: clock.now,
        plan: (commit) => (commit < FAULTY_COMMITS ? plan(commit) : COMMIT_AT_ONCE),
        initializeFails: (writer) => writer % 4 === 2 && writer < FAULTY_COMMITS,
      }),
  };
}

test("whatever becomes of commits, each record has its effect exactly once", async () => {
  const property = fc.asyncProperty(fc.array(sent, { maxLength: 60 }), fc.nat(1_000_000), async (unsorted, seed) => {
    const records = unsorted.toSorted((a, b) => a.at - b.at);
    const application = await openApplication(unreliable(seed));
    await application.run(DAY, [new Sender(application.log, records)]);
    await expectExactlyOnce(application, records);
    await application.stop();
  });
  await fc.assert(property, { seed: 20_01, numRuns: 150, timeout: 5000 });
});

test("threads that die at any moment lose and double nothing", async () => {
  const crashes = fc.array(fc.nat(500), { maxLength: 6 });
  const property = fc.asyncProperty(fc.array(sent, { maxLength: 40 }), fc.nat(1_000_000), crashes, async (unsorted, seed, times) => {
    const records = unsorted.toSorted((a, b) => a.at - b.at);
    const application = await openApplication(unreliable(seed));
    const sender = new Sender(application.log, records);
    for (const at of times.toSorted((a, b) => a - b)) {
      if (at > application.clock.now()) await application.run(at, [sender]);
      if (at % 3 === 0) await application.restart();
      else application.crash();
    }
    await application.run(DAY, [sender]);
    await expectExactlyOnce(application, records);
    await application.stop();
  });
  await fc.assert(property, { seed: 20_02, numRuns: 100, timeout: 5000 });
});

test("commits in the middle of a block go on in the middle of it, whatever became of them", async () => {
  const burst = Array.from({ length: 500 }, (_, index): Sent => ({
    at: 0,
    key: "abcde".charAt(index % 5),
    value: index % 97 === 0 ? "poison" : "x",
  }));
  const property = fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
    let clock = 0;
    const options = unreliable(seed);
    const config = { ...options.config, stepMs: 2, commitIntervalMs: 0, bufferRecordsMax: 1_000 };
    const application = await openApplication({ ...options, config, stepClock: () => clock++ });
    const sender = new Sender(application.log, burst);
    await application.run(30 + (seed % 50), [sender]);
    application.crash();
    await application.run(DAY, [sender]);
    await expectExactlyOnce(application, burst);
    await application.stop();
  });
  await fc.assert(property, { seed: 20_03, numRuns: 30 });
});

test("while a commit is in flight the next records are processed, and nothing of them is sent before it is acknowledged", async () => {
  let faults: DelayingLog | undefined;
  const application = await openApplication({
    topology: countingTopology(),
    wrapLog: (log, clock) => {
      faults = new DelayingLog(log, { now: clock.now, plan: () => ({ kind: "commit", delayMs: 50 }) });
      return faults;
    },
  });
  await produce(application.log, words, [["a", "x"]]);
  await application.run(10);
  expect(faults?.commits).toBe(1);
  await produce(application.log, words, [["a", "x"]]);
  await application.run(20);
  // Processed into the active overlay, on top of what is being committed, but neither committed nor sealed.
  expect(application.threads[0]?.tasks.map(({ counts }) => counts.recordsProcessed).reduce((a, b) => a + b, 0)).toBe(2);
  expect(faults?.commits).toBe(1);
  expect(await consume(application.log, counts)).toEqual([]);
  await application.run(60);
  expect((await consume(application.log, counts)).map(({ value }) => value)).toEqual([1]);
  expect(faults?.commits).toBe(2);
  await application.run(200);
  expect((await consume(application.log, counts)).map(({ value }) => value)).toEqual([1, 2]);
  await application.stop();
});
