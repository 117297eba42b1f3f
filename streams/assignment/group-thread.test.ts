/** Members of a group as they are, on a log in memory that has groups: nothing is run twice or by two, whoever comes and goes. */
import { afterEach, describe, expect, test } from "vitest";
import { memoryDisk, type Disk } from "#disk";
import { openEmbeddedLog, type Log } from "#log";
import { keyValueStore, numberSerde, stringKey, stringSerde } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { StreamsBuilder } from "../dsl/streams-builder.ts";
import { consume, produce } from "../runtime/fixtures/counting.ts";
import { prepareState } from "../runtime/prepare-state.ts";
import { silentLogger, STREAM_THREAD_DEFAULTS, turnOfLoop } from "../runtime/defaults.ts";
import type { AbandonableStreamThread } from "../runtime/stream-thread.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { countByKey } from "../testing/count-by-key.ts";
import { topic } from "../topic.ts";
import { createGroupThread, type GroupStatus } from "./group-thread.ts";

const words = topic({ name: "words", key: stringKey, value: stringSerde, partitions: 6 });
const counts = topic({ name: "counts", key: stringKey, value: numberSerde, partitions: 6 });
const countStore = keyValueStore({ name: "count", key: stringKey, value: numberSerde });
const TASKS = words.partitions;
const KEYS = Array.from({ length: 24 }, (_, index) => `word-${index}`);

function countingTopology(): Topology {
  const builder = new StreamsBuilder();
  builder.stream(words).process(countByKey(countStore)).to(counts);
  return builder.build();
}

/** Threads of several instances over one log and one database, stepped in turn. */
class Group {
  readonly threads = new Map<string, AbandonableStreamThread>();
  readonly statuses = new Map<string, GroupStatus>();
  readonly topology = countingTopology();
  produced = 0;
  /** By which tasks were seen at two members at once. */
  readonly overlaps: string[] = [];
  readonly #log: Log;
  readonly #own: { readonly topology: Topology; readonly disk: Disk };
  #now = 0;

  private constructor(log: Log, disk: Disk) {
    this.#log = log;
    this.#own = { topology: this.topology, disk };
  }

  static async open(): Promise<Group> {
    const disk = memoryDisk();
    const log = await openEmbeddedLog({ disk });
    const group = new Group(log, disk);
    await log.topics.ensure(topicConfigs(group.topology, "app"));
    prepareState({ disk, topology: group.topology, applicationId: "app" });
    return group;
  }

  join(instanceId: string, thread = 0, { topology, disk }: { topology: Topology; disk: Disk } = this.#own): void {
    const name = `${instanceId}-${thread}`;
    const member = createGroupThread({
      config: { ...STREAM_THREAD_DEFAULTS, applicationId: "app", instanceId, thread, commitIntervalMs: 5, idleCommitMs: 1 },
      dependencies: { topology, log: this.#log, disk, stepClock: () => 0, logger: silentLogger },
      group: { endpoint: { host: instanceId, port: 7400 } },
      onStatus: (status) => this.statuses.set(name, status),
    });
    this.threads.set(name, member);
  }

  async leave(name: string): Promise<void> {
    const thread = this.threads.get(name);
    this.threads.delete(name);
    await thread?.stop();
  }

  async produce(): Promise<void> {
    await produce(
      this.#log,
      words,
      KEYS.map((key) => [key, "x"]),
    );
    this.produced += 1;
  }

  async step(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      this.#now += 1;
      for (const thread of this.threads.values()) {
        thread.step(this.#now);
        if (thread.state === "failed") throw thread.error ?? new Error("a thread failed");
      }
      this.#look();
      await turnOfLoop();
    }
  }

  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let rounds = 0; !(await holds()); rounds++) {
      if (rounds > 2_000) throw new Error(`it never came true: ${JSON.stringify(Object.fromEntries(this.running()))}`);
      await this.step(1);
    }
  }

  /** As others do who take a member for dead, and as another process of the same name does. */
  fence(name: string): Promise<void> {
    return this.#log.writer({ group: "app", transactionalId: `app-${name}` }).initialize();
  }

  running(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.threads].map(([name, { tasks }]) => [name, tasks.map((task) => task.name)]));
  }

  get shared(): boolean {
    const sizes = [...this.running().values()].map((tasks) => tasks.length);
    return sizes.reduce((sum, size) => sum + size, 0) === TASKS && Math.max(...sizes) - Math.min(...sizes) <= 1;
  }

  /** Every count of every key, in order: none twice, none missing. */
  async exactlyCounted(): Promise<boolean> {
    const records = await consume(this.#log, counts);
    if (records.length < this.produced * KEYS.length) return false;
    for (const key of KEYS) {
      const seen = records.filter((record) => record.key === key).map(({ value }) => value);
      expect(seen).toEqual(Array.from({ length: this.produced }, (_, index) => index + 1));
    }
    return true;
  }

  async close(): Promise<void> {
    for (const name of this.threads.keys()) await this.leave(name);
    await this.#log.close();
  }

  #look(): void {
    const all = [...this.running().values()].flat();
    const twice = all.filter((name, index) => all.indexOf(name) !== index);
    this.overlaps.push(...twice);
  }
}

let group: Group | undefined;
afterEach(async () => {
  await group?.close();
  group = undefined;
});

describe("members of a group", () => {
  test("share all tasks, hand them over to who joins, take back those of who leaves, and count each word once", async () => {
    const it = (group = await Group.open());
    it.join("a");
    await it.until(() => it.shared);
    expect(it.threads.get("a-0")?.state).toBe("running");
    await it.produce();
    it.join("b");
    it.join("c");
    await it.until(() => it.shared && it.threads.size === 3);
    await it.produce();
    await it.step(5);
    await it.leave("b-0");
    await it.produce();
    await it.until(() => it.shared);
    await it.until(() => it.exactlyCounted());
    expect(it.overlaps).toEqual([]);
  });

  test("through a storm of joins and leaves under load, each word is counted once and no task is at two members", async () => {
    const it = (group = await Group.open());
    it.join("a");
    for (let round = 0; round < 30; round++) {
      await it.produce();
      const name = `i${round % 5}`;
      if (it.threads.has(`${name}-0`)) await it.leave(`${name}-0`);
      else it.join(name);
      await it.step(1 + (round % 7) * 3);
    }
    await it.until(() => it.shared);
    await it.until(() => it.exactlyCounted());
    expect(it.overlaps).toEqual([]);
  });

  test("tell who runs what: all the same, with addresses, and what runs here", async () => {
    const it = (group = await Group.open());
    it.join("a");
    it.join("b");
    await it.until(() => it.shared && [...it.statuses.values()].every(({ restoring }) => restoring.length === 0));
    await it.step(5);
    const [a, b] = [it.statuses.get("a-0"), it.statuses.get("b-0")];
    expect(a?.owners).toEqual(b?.owners);
    expect(a?.owners.instances.map(({ endpoint }) => endpoint?.host)).toEqual(["a", "b"]);
    expect([...(a?.running ?? []), ...(b?.running ?? [])]).toHaveLength(TASKS);
    await it.leave("a-0");
    expect(it.statuses.get("a-0")).toMatchObject({ generation: -1, running: [] });
  });

  test("who comes with another topology fails with the remedy, and the others go on", async () => {
    const it = (group = await Group.open());
    it.join("a");
    await it.until(() => it.shared);
    const builder = new StreamsBuilder();
    builder.stream(words).to(topic({ name: "echo", key: stringKey, value: stringSerde, partitions: 6 }));
    it.join("other", 0, { topology: builder.build(), disk: memoryDisk() });
    const stranger = it.threads.get("other-0") as AbandonableStreamThread;
    await expect(it.until(() => stranger.state === "failed")).rejects.toMatchObject({ code: "GROUP_DATA_INVALID" });
    await it.leave("other-0");
    await it.produce();
    await it.until(() => it.exactlyCounted());
    expect(it.shared).toBe(true);
  });

  test("who is fenced while it is a member writes anew, and fails when that goes on", async () => {
    const it = (group = await Group.open());
    it.join("a");
    await it.until(() => it.shared);
    const thread = it.threads.get("a-0") as AbandonableStreamThread;
    for (let times = 0; times < 3; times++) {
      await it.fence("a-0");
      await it.produce();
      await it.until(() => it.exactlyCounted());
      expect(thread.metrics().aborts).toBe(times + 1);
    }
    await it.fence("a-0");
    await it.produce();
    await expect(it.until(() => thread.state === "failed")).rejects.toMatchObject({ code: "WRITER_FENCED" });
    await it.leave("a-0");
  });

  test("a paused thread takes nothing and stays a member; resumed, it goes on", async () => {
    const it = (group = await Group.open());
    it.join("a");
    await it.until(() => it.shared);
    const thread = it.threads.get("a-0") as AbandonableStreamThread;
    thread.paused = true;
    await it.produce();
    await it.step(30);
    expect(thread.metrics().recordsProcessed).toBe(0);
    it.join("b");
    await it.until(() => it.shared);
    thread.paused = false;
    await it.until(() => it.exactlyCounted());
  });
});
