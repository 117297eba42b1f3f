/** Three instances on a real broker: they share, take over, survive a storm, and one that slept is fenced. Each word is counted once. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKafkaLog, RecordBatchCursor, type Log } from "#log";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { changelogTopic } from "../changelog/changelog.ts";
import { produce } from "../runtime/fixtures/counting.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { MemberProcess } from "./testing/members.ts";
import { countingTopology, WORD_PARTITIONS, wordTopics } from "./testing/word-counts.ts";

const SESSION_MS = 4_000;
/** A new member has to follow a task whose changelog is longer before it is given it. */
const ACCEPTABLE_LAG = 150;
const KEYS = Array.from({ length: 48 }, (_, index) => `word-${index}`);
const missing = whyNoBroker();

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** For whoever reads the output; what must hold is asserted. */
function note(what: string, ms: number): void {
  process.stdout.write(`    ${what}: ${Math.round(ms)} ms\n`);
}

function areCopied(members: readonly MemberProcess[]): boolean {
  const all = members.flatMap(({ following }) => following);
  const beside = members.every(({ running, following }) => !following.some((task) => running.includes(task)));
  return beside && all.length === WORD_PARTITIONS && new Set(all).size === WORD_PARTITIONS;
}

describe.skipIf(missing !== undefined)(`members on a real broker${missing === undefined ? "" : `: ${missing}`}`, () => {
  const applicationId = `members-${process.pid}`;
  const topics = wordTopics(applicationId);
  const root = mkdtempSync(join(tmpdir(), "members-"));
  const members = new Map<string, MemberProcess>();
  let broker: TestBroker;
  let log: Log;
  let produced = 0;
  const producing = new AbortController();
  let production: Promise<void>;

  beforeAll(async () => {
    broker = await startTestBroker();
    log = await openKafkaLog({ brokers: broker.brokers, clientId: "test" });
    await log.topics.ensure(topicConfigs(countingTopology(topics), applicationId, log.capabilities));
    production = (async () => {
      while (!producing.signal.aborted) {
        await produce(
          log,
          topics.words,
          KEYS.map((key) => [key, "x"] as const),
        );
        produced += 1;
        await sleep(50);
      }
    })();
  }, 120_000);

  afterAll(async () => {
    producing.abort();
    await production;
    for (const member of members.values()) await member.kill();
    await log.close();
    await broker.stop();
    rmSync(root, { recursive: true, force: true });
  }, 60_000);

  function comes(instanceId: string, workers = 0): MemberProcess {
    const life = { brokers: broker.brokers, applicationId, instanceId, directory: join(root, instanceId) };
    const times = { sessionMsMax: SESSION_MS, acceptableLagRecords: ACCEPTABLE_LAG };
    const member = new MemberProcess({ ...life, ...times, threads: Math.max(1, workers), workers: workers > 0 });
    members.set(instanceId, member);
    return member;
  }

  async function gone(instanceId: string, how: "stop" | "kill"): Promise<void> {
    const member = members.get(instanceId);
    members.delete(instanceId);
    if (how === "kill") await member?.kill();
    // Who was stopped before it had begun heard the signal itself.
    else {
      const code = await member?.stop();
      if (member?.history.length !== 0) expect(code).toBe(0);
    }
  }

  /** Every task with one living member, evenly; how long that took. */
  async function shared(msMax: number, among: readonly MemberProcess[] = [...members.values()]): Promise<number> {
    const begun = performance.now();
    for (;;) {
      const all = among.flatMap(({ running }) => running);
      const sizes = among.map(({ running }) => running.length);
      const even = Math.max(...sizes) - Math.min(...sizes) <= 1;
      if (all.length === WORD_PARTITIONS && new Set(all).size === WORD_PARTITIONS && even) return performance.now() - begun;
      if (performance.now() - begun > msMax)
        throw new Error(`not shared: ${JSON.stringify(among.map(({ instanceId, running, warnings }) => [instanceId, running, warnings]))}`);
      await sleep(20);
    }
  }

  async function longChangelogs(): Promise<void> {
    const topic = changelogTopic(applicationId, "count");
    for (let partition = 0; partition < WORD_PARTITIONS; partition++)
      while ((await log.offsets.bound({ topic, partition }, "stable")) < 2 * ACCEPTABLE_LAG) await sleep(100);
  }

  /** Each task is followed by one instance that does not run it. */
  async function copied(msMax: number): Promise<void> {
    const begun = performance.now();
    while (!areCopied([...members.values()])) {
      if (performance.now() - begun > msMax)
        throw new Error(`no copies: ${JSON.stringify([...members.values()].map(({ running, following }) => [running, following]))}`);
      await sleep(20);
    }
  }

  /** What is counted of what was written until now; throws when a count is missing or there twice. */
  async function counted(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const cursor = new RecordBatchCursor();
    const reader = log.reader();
    for (let partition = 0; partition < WORD_PARTITIONS; partition++) {
      const at = { topic: topics.counts.name, partition };
      const end = await log.offsets.bound(at, "stable");
      reader.assign([{ ...at, offset: 0, outOfRange: "fail" }]);
      while (reader.position(at) < end) {
        const version = log.version();
        const batches = reader.poll();
        for (const { bytes, baseOffset } of batches) {
          cursor.reset(bytes, baseOffset);
          while (cursor.next()) {
            const key = topics.counts.key.decode(bytes, cursor.keyStart, cursor.keyEnd);
            const count = topics.counts.value.decode(bytes, cursor.valueStart, cursor.valueEnd);
            expect(count, `count of ${key} in partition ${partition}`).toBe((counts.get(key) ?? 0) + 1);
            counts.set(key, count);
          }
        }
        if (batches.length === 0 && reader.position(at) < end) await log.changed(version);
      }
    }
    await reader.close();
    return counts;
  }

  /** Everything written before the call is counted, once; how long that took. */
  async function caughtUp(msMax: number): Promise<number> {
    const wanted = produced;
    const begun = performance.now();
    for (;;) {
      const counts = await counted();
      if (KEYS.every((key) => (counts.get(key) ?? 0) >= wanted)) return performance.now() - begun;
      if (performance.now() - begun > msMax) throw new Error(`of ${wanted} rounds only ${Math.min(...counts.values())} are counted`);
      await sleep(100);
    }
  }

  test("three instances share all tasks, and give them up and take them over by the hands of one generation and the next", async () => {
    comes("a");
    note("first member runs everything", await shared(60_000));
    await longChangelogs();
    const [b, c] = [comes("b"), comes("c")];
    note("three members share", await shared(90_000));
    for (const member of [b, c])
      for (const task of member.running) {
        const ran = member.history.findIndex(({ running }) => running.includes(task));
        const followed = member.history.findIndex(({ following }) => following.includes(task));
        expect(followed, `${member.instanceId} ran ${task} without having followed it`).toBeGreaterThanOrEqual(0);
        expect(followed).toBeLessThan(ran);
      }
    await copied(60_000);
    note("caught up", await caughtUp(60_000));
    const leaving = performance.now();
    await gone("b", "stop");
    await shared(60_000);
    note("one left by SIGTERM, two share", performance.now() - leaving);
    note("caught up", await caughtUp(60_000));
  }, 300_000);

  test("who is killed is missed after its session; who comes back shares again", async () => {
    const killed = performance.now();
    await gone("c", "kill");
    const a = members.get("a") as MemberProcess;
    await shared(SESSION_MS + 40_000, [a]);
    note(`killed, taken over (session ${SESSION_MS} ms)`, performance.now() - killed);
    note("caught up", await caughtUp(60_000));
    comes("b");
    comes("c");
    note("both back", await shared(90_000));
    note("caught up", await caughtUp(60_000));
  }, 300_000);

  test("an instance that slept for two sessions is fenced at its first write, joins again, and nothing of it is committed", async () => {
    const zombie = members.get("b") as MemberProcess;
    zombie.signal("SIGSTOP");
    const others = [...members.values()].filter((member) => member !== zombie);
    await shared(SESSION_MS + 40_000, others);
    await sleep(SESSION_MS);
    await caughtUp(60_000);
    const before = zombie.warnings.length;
    zombie.signal("SIGCONT");
    note("slept, shares again", await shared(90_000));
    expect(zombie.warnings.slice(before).join("\n")).toMatch(/put out of its group|uncommitted work is dropped/);
    note("caught up", await caughtUp(60_000));
  }, 300_000);

  test("ten joins and leaves within a minute end with every task at one member, and processing goes on", async () => {
    const begun = performance.now();
    const storm: readonly (readonly [string, "join" | "stop" | "kill"])[] = [
      ["d", "join"],
      ["b", "stop"],
      ["e", "join"],
      ["c", "kill"],
      ["b", "join"],
      ["d", "stop"],
      ["a", "kill"],
      ["c", "join"],
      ["e", "stop"],
      ["a", "join"],
    ];
    for (const [instanceId, what] of storm) {
      if (what === "join") comes(instanceId);
      else await gone(instanceId, what);
      await sleep(2_500);
    }
    expect(performance.now() - begun).toBeLessThan(60_000);
    note("after the storm, shared", await shared(90_000));
    note("caught up", await caughtUp(60_000));
    expect([...members.keys()].sort()).toEqual(["a", "b", "c"]);
  }, 300_000);

  test("an instance with two workers is two members, and takes two shares", async () => {
    await gone("b", "stop");
    await gone("c", "stop");
    const a = members.get("a") as MemberProcess;
    const w = comes("w", 2);
    const begun = performance.now();
    while (a.running.length !== 2 || w.running.length !== 4) {
      if (performance.now() - begun > 120_000) throw new Error(JSON.stringify([a.running, w.running, w.warnings]));
      await sleep(20);
    }
    note("one thread and two workers share", performance.now() - begun);
    await copied(60_000);
    await caughtUp(60_000);
    await gone("w", "stop");
    await shared(60_000);
    await caughtUp(60_000);
  }, 300_000);
});
