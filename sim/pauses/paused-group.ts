/**
 * How long tasks stand still when instances come, go and die, by the protocol alone: a group on simulated brokers whose requests take
 * two milliseconds and whose work takes none. What a machine adds comes on top.
 */
import { memoryDisk, type Disk } from "#disk";
import type { Log, Producer, Reader } from "#log";
import { SimulatedCluster, VirtualScheduler } from "#log/kafka/simulated";
import { createGroupThread, silentLogger, STREAM_THREAD_DEFAULTS, topicConfigs, type AbandonableStreamThread } from "#streams";
import { ProcessTime } from "../process-time.ts";
import { countedWords, counts, PARTITIONS, routed, words } from "./counted-words.ts";

const START = 1_700_000_000_000;
const REQUEST = { requestMs: 1, replyMs: 1 };
const MARKER_MS = 2;
const LOAD_MS = 20;
const APPLICATION = "paused";

interface Member {
  readonly time: ProcessTime;
  readonly log: Log;
  readonly thread: AbandonableStreamThread;
  dueAt: number;
}

interface Owing {
  taken: number;
  given: number;
  since: number;
}

export class PausedGroup {
  readonly #scheduler: VirtualScheduler;
  readonly #cluster: SimulatedCluster;
  readonly #members = new Map<string, Member>();
  readonly #rows = new Map<string, Disk>();
  readonly #owing = [0, 1].map(() => Array.from({ length: PARTITIONS }, (): Owing => ({ taken: 0, given: 0, since: Infinity })));
  readonly #sessionMs: number;
  #reader: Reader | undefined;
  #producer: Producer | undefined;
  #longest = 0;
  #lives = 0;

  constructor(seed: number, sessionMs: number) {
    this.#sessionMs = sessionMs;
    this.#scheduler = new VirtualScheduler(seed, START);
    const network = { fate: () => REQUEST };
    this.#cluster = new SimulatedCluster({ surroundings: this.#scheduler, network, markerMs: () => MARKER_MS });
  }

  /** Topics are there, and a word comes into each partition every 20 ms. */
  async open(): Promise<void> {
    const log = await this.#settled(this.#cluster.open({ clientId: "load" }));
    await this.#settled(log.topics.ensure(topicConfigs(countedWords(), APPLICATION, log.capabilities)));
    this.#reader = log.reader();
    this.#reader.assign(
      [words, routed, counts].flatMap(({ name: topic }) =>
        Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset: 0, outOfRange: "start" as const })),
      ),
    );
    this.#producer = log.producer();
    this.#load();
  }

  /** By the name of an instance: the rows of its earlier lives are there. */
  async start(instanceId: string): Promise<void> {
    const time = new ProcessTime(this.#scheduler, ++this.#lives);
    const log = await this.#settled(
      this.#cluster.open({ clientId: instanceId, surroundings: time, sessionMsMax: this.#sessionMs, transactionMsMax: this.#sessionMs }),
    );
    const disk = this.#rows.get(instanceId) ?? memoryDisk();
    this.#rows.set(instanceId, disk);
    const config = { ...STREAM_THREAD_DEFAULTS, applicationId: APPLICATION, instanceId, thread: 0 };
    const dependencies = { topology: countedWords(), log, disk, stepClock: () => 0, logger: silentLogger };
    const thread = createGroupThread({ config, dependencies, group: {} });
    this.#members.set(instanceId, { time, log, thread, dueAt: -Infinity });
  }

  /** SIGTERM. */
  async stop(instanceId: string): Promise<void> {
    const member = this.#members.get(instanceId);
    await this.#settled(member?.thread.stop() ?? Promise.resolve());
    await this.#settled(member?.log.close() ?? Promise.resolve());
    this.#members.delete(instanceId);
  }

  /** kill -9. */
  kill(instanceId: string): void {
    this.#members.get(instanceId)?.time.kill();
    this.#members.delete(instanceId);
  }

  async run(ms: number): Promise<void> {
    const until = this.#scheduler.now() + ms;
    while (this.#scheduler.now() < until) await this.#instant(until);
  }

  /** The longest time in ms, since the last call, in which a task had something to do and gave nothing. */
  longestPauseMs(): number {
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }

  /** Tasks by instance. */
  get running(): readonly string[] {
    return [...this.#members].map(([name, { thread }]) => `${name} ${thread.tasks.length}`);
  }

  get aborts(): number {
    return [...this.#members.values()].reduce((sum, { thread }) => sum + thread.metrics().aborts, 0);
  }

  get restoredRecords(): number {
    return [...this.#members.values()].reduce((sum, { thread }) => sum + (thread.metrics().restoredRecords ?? 0), 0);
  }

  #load(): void {
    const producer = this.#producer;
    if (producer === undefined) return;
    for (let partition = 0; partition < PARTITIONS; partition++)
      producer.append(words.name, partition, this.#scheduler.now(), Buffer.from(`word-${partition}`), Buffer.from("x"));
    void producer.flush();
    this.#scheduler.after(LOAD_MS, () => this.#load());
  }

  async #settled<T>(promise: Promise<T>): Promise<T> {
    const state = { over: false };
    const over = promise.finally(() => {
      state.over = true;
    });
    // Heard below.
    over.catch(() => undefined);
    while (!state.over) await this.#instant(this.#scheduler.now() + 1_000);
    return over;
  }

  /** Everything that is to be done now, then on to what is due next. */
  async #instant(until: number): Promise<void> {
    for (let worked = true; worked;) {
      worked = false;
      while (this.#scheduler.runOne()) {
        worked = true;
        await turn();
      }
      for (const member of this.#members.values()) {
        const { worked: did, nextDueAt } = member.thread.step(this.#scheduler.now());
        member.dueAt = nextDueAt;
        worked ||= did;
      }
      await turn();
    }
    this.#look();
    const due = [...this.#members.values()].map(({ dueAt }) => (dueAt > this.#scheduler.now() ? dueAt : Infinity));
    this.#scheduler.advanceTo(Math.min(until, Math.max(this.#scheduler.now(), Math.min(this.#scheduler.nextDueAt(), ...due))));
  }

  #look(): void {
    const now = this.#scheduler.now();
    const stages = [words.name, routed.name, counts.name];
    for (const { topic, partition, recordCount } of this.#reader?.poll() ?? []) {
      const stage = stages.indexOf(topic);
      const [before, after] = [this.#owing[stage - 1]?.[partition], this.#owing[stage]?.[partition]];
      if (after !== undefined) after.taken += recordCount;
      if (before === undefined) continue;
      before.given += recordCount;
      if (before.since !== Infinity) this.#longest = Math.max(this.#longest, now - before.since);
      before.since = Infinity;
    }
    for (const owing of this.#owing.flat()) owing.since = owing.taken > owing.given ? Math.min(owing.since, now) : Infinity;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
