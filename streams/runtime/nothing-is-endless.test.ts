/** Whatever goes wrong comes to an end: no thread hangs, spins or tries for ever. */
import { expect, test } from "vitest";
import { rowPrefix, loadStoreIds, stringKey, stringSerde, timerStore } from "#state";
import { COMMIT_AT_ONCE, DelayingLog, openApplication } from "#streams/testing";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import type { Topology } from "../dsl/builder.ts";
import { topic, type Topic } from "../topic.ts";
import { deadLetterTopic } from "../task/dead-letter.ts";
import { RETRY_BUDGET_MS } from "./defaults.ts";
import { benchOf, consume, counts, countingTopology, produce, settle, threadOn, words } from "./fixtures/counting.ts";
import { RetryBackoff } from "./retry-backoff.ts";

const alarms = timerStore({ name: "alarms", clock: "wall" });
const one = topic({ name: "one", key: stringKey, value: stringSerde, partitions: 1 });

test("a thread whose processors cannot be built fails, says why, and can be stopped", async () => {
  const builder = new StreamsBuilder();
  builder.stream(one).process({
    name: "broken",
    processor: () => {
      throw new Error("no configuration");
    },
  });
  const thread = threadOn(await benchOf(builder.build()));
  await expect(settle(thread, 0)).rejects.toThrow("no configuration");
  await thread.stop();
  expect(thread.state).toBe("failed");
});

function reminding(): Topology {
  const builder = new StreamsBuilder();
  builder.stream(one).process({
    name: "remind",
    stores: [alarms],
    processor: (context) => {
      context.onTimer(alarms, () => {});
      return { process() {} };
    },
  });
  return builder.build();
}

test("a thread whose state cannot be read fails and names the store, instead of opening it again and again", async () => {
  const bench = await benchOf(reminding());
  const id = loadStoreIds(bench.disk, [alarms.name]).get(alarms.name) ?? 0;
  const batch = bench.disk.batch();
  batch.put("rows", Buffer.concat([rowPrefix(id, 0), Buffer.from("key")]), Buffer.from("short"));
  bench.disk.write(batch, { sync: false });
  const thread = threadOn(bench);
  for (let steps = 0; steps < 100 && thread.state !== "failed"; steps++) {
    thread.step(steps);
    await thread.settled();
  }
  expect(thread.error).toMatchObject({ code: "TASK_FAILED", cause: { code: "ROW_UNDECODABLE" } });
  await thread.stop();
});

test("a task that waited for an empty input and went on has nothing more to do by the clock", async () => {
  const other = topic({ ...one, name: "other" });
  const seen: string[] = [];
  const builder = new StreamsBuilder();
  const merged = builder.stream(one).merge(builder.stream(other));
  merged.process({ name: "see", processor: () => ({ process: ({ value }) => void seen.push(value) }) });
  const bench = await benchOf(builder.build());
  await produce(bench.log, one, [["k", "first"]]);
  const thread = threadOn(bench, { taskIdleMs: 50 });
  expect(await settle(thread, 0, 49)).toBe(0);
  expect(seen).toEqual([]);
  await settle(thread, 50, 100);
  expect(seen).toEqual(["first"]);
  expect(thread.step(100).nextDueAt).toBe(Infinity);
  await thread.stop();
});

const picky: Topic<string, string> = topic({
  ...one,
  name: "picky",
  value: {
    ...stringSerde,
    decode() {
      throw new Error("never decodes");
    },
  },
});

test("a record that cannot be read and whose dead letter is refused fails the thread", async () => {
  const builder = new StreamsBuilder();
  builder.stream(picky).process({ name: "see", processor: () => ({ process() {} }) });
  const letters = deadLetterTopic("app");
  let refused = 0;
  const application = await openApplication({
    topology: builder.build(),
    wrapLog: (log, clock) =>
      new DelayingLog(log, {
        now: clock.now,
        plan: () => COMMIT_AT_ONCE,
        refuses: (records) => records.some(({ topic: name }) => name === letters) && ++refused < 100,
      }),
  });
  await produce(application.log, picky, [["k", "x"]]);
  await expect(application.run(1_000)).rejects.toMatchObject({ code: "TASK_FAILED" });
  expect(refused).toBeLessThan(5);
});

test("failures far apart are not one long failure, although nothing had to be committed between them", () => {
  const backoff = new RetryBackoff(1);
  expect(backoff.next(0, false)).toBeLessThan(100);
  const later = 2 * RETRY_BUDGET_MS;
  expect(backoff.next(later, false)).toBeLessThan(later + 100);
  let at = later;
  for (let next = backoff.next(at, false); next !== undefined; next = backoff.next(at, false)) at = next;
  expect(at - later).toBeGreaterThan(RETRY_BUDGET_MS);
  expect(at - later).toBeLessThan(RETRY_BUDGET_MS + 10_000);
});

test("a commit whose answer was lost is forgotten by the next failure long after, which is tried again", async () => {
  const application = await openApplication({
    topology: countingTopology(),
    wrapLog: (log, clock) =>
      new DelayingLog(log, {
        now: clock.now,
        plan: (commit) =>
          commit === 0 ? { kind: "unknown-written", delayMs: 0 } : commit === 1 ? { kind: "failed", delayMs: 0 } : COMMIT_AT_ONCE,
      }),
  });
  await produce(application.log, words, [["a", "x"]]);
  await application.run(1_000);
  const later = 2 * RETRY_BUDGET_MS;
  const sender = {
    sent: false,
    nextDueAt: () => (sender.sent ? Infinity : later),
    run: async () => {
      sender.sent = true;
      await produce(application.log, words, [["a", "x"]]);
    },
  };
  await application.run(later + 10_000, [sender]);
  expect((await consume(application.log, counts)).map(({ value }) => value)).toEqual([1, 2]);
  await application.stop();
});

test("what is due while a full commit is under way waits for its answer, and time goes on", async () => {
  const builder = new StreamsBuilder();
  const due: number[] = [];
  builder
    .stream(one)
    .process<string, string>({
      name: "pass",
      processor: (context) => {
        context.punctuate({ name: "look", clock: "wall", intervalMs: 10 }, (at) => void due.push(at));
        return { process: (record) => context.forward(record) };
      },
    })
    .to(topic({ ...one, name: "passed" }));
  const application = await openApplication({
    topology: builder.build(),
    config: { commitBytesMax: 1 },
    wrapLog: (log, clock) => new DelayingLog(log, { now: clock.now, plan: () => ({ kind: "commit", delayMs: 45 }) }),
  });
  await produce(application.log, one, [["a", "x"]]);
  await application.run(2);
  await produce(application.log, one, [["a", "x"]]);
  // The second record fills what may wait behind the commit of the first; only then the punctuation is due.
  const instants: number[] = [];
  await application.run(60, [], () => instants.push(application.clock.now()) > 1_000);
  expect(instants.length).toBeLessThan(100);
  expect(due).toEqual([45, 50, 60]);
  await application.stop();
});
