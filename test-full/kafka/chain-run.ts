/**
 * One run of the chain application on a cluster: foreign producers upstream, instances, whatever the caller does to them meanwhile,
 * a foreign reader downstream, and at the end the proof from the committed topics alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openKafkaLog, type Log } from "#log";
import { checkChains } from "#proof";
import { deadLetterTopic, topicConfigs } from "#streams";
import { chainNames, chainTopology, isPoison, PARTITIONS, type ChainNames } from "./chain-topology.ts";
import { committedTopic } from "./committed-records.ts";
import { foreignLoad, type ForeignLoad, type ForeignLoadOptions } from "./foreign-producers.ts";
import { ForeignReader } from "./foreign-reader.ts";
import { InstanceProcess, type InstanceOptions } from "./instance-process.ts";

export interface ChainRunOptions {
  readonly name: string;
  /** Of producers, readers and the proof. */
  readonly brokers: readonly string[];
  readonly instances: number;
  /** Where each instance finds the brokers; default `brokers`. */
  readonly brokersOf?: (instance: number) => readonly string[];
  readonly instance?: Partial<InstanceOptions>;
  readonly load: Omit<ForeignLoadOptions, "brokers" | "topic">;
  /** Foreign reader in a JVM beside it; default true. */
  readonly foreignReader?: boolean;
}

export interface ChainOutcome {
  /** What the topics prove to be wrong; empty is right. */
  readonly wrong: readonly string[];
  readonly events: number;
  readonly links: number;
  readonly deadLetters: number;
  readonly load: ForeignLoad;
  /** From the end of load and faults until everything was committed. */
  readonly drainMs: number;
}

export const SESSION_MS = 6_000;
const DRAIN_MS_MAX = 180_000;
const LOOK_MS = 50;

export class ChainRun implements AsyncDisposable {
  readonly instances: readonly InstanceProcess[];
  readonly names: ChainNames;
  readonly log: Log;
  readonly #options: ChainRunOptions;
  readonly #applicationId: string;
  readonly #directory: string;
  readonly #reader: ForeignReader | undefined;
  readonly #loading: Promise<ForeignLoad>;
  #loaded = false;
  #hurried = false;
  #progress = 0;

  /** Topics made, producers and reader at work; instances are there and not started. */
  static async begin(options: ChainRunOptions): Promise<ChainRun> {
    const applicationId = `${options.name}-${Date.now().toString(36)}`;
    const log = await openKafkaLog({ brokers: options.brokers, clientId: "test" });
    const names = chainNames(applicationId);
    await log.topics.ensure(topicConfigs(chainTopology(names), applicationId, log.capabilities));
    const reader = options.foreignReader === false ? undefined : await ForeignReader.start(options.brokers, [names.events, names.links]);
    return new ChainRun(options, applicationId, log, reader);
  }

  private constructor(options: ChainRunOptions, applicationId: string, log: Log, reader: ForeignReader | undefined) {
    this.#options = options;
    this.#applicationId = applicationId;
    this.log = log;
    this.names = chainNames(applicationId);
    this.#reader = reader;
    this.#directory = mkdtempSync(join(tmpdir(), `slackline-${options.name}-`));
    this.instances = Array.from({ length: options.instances }, (_, index) => new InstanceProcess(this.#instanceOptions(index)));
    this.#loading = foreignLoad({
      ...options.load,
      brokers: options.brokers,
      topic: this.names.events,
      isHurried: () => this.#hurried,
      onProgress: (committed) => {
        this.#progress = committed;
        options.load.onProgress?.(committed);
      },
    }).finally(() => (this.#loaded = true));
    // Heard at the end; until then a failure must not end the process.
    this.#loading.catch(() => {});
  }

  /** Events that producers have committed so far. */
  get loaded(): { readonly events: number; readonly all: boolean } {
    return { events: this.#progress, all: this.#loaded };
  }

  get applicationId(): string {
    return this.#applicationId;
  }

  directoryOf(instance: number): string {
    return join(this.#directory, `instance-${instance}`);
  }

  /** Records in the output, committed. */
  async linksNow(): Promise<number> {
    const bounds = Array.from({ length: PARTITIONS }, (_, partition) =>
      this.log.offsets.bound({ topic: this.names.links, partition }, "stable"),
    );
    return (await Promise.all(bounds)).reduce((sum, bound) => sum + bound, 0);
  }

  /** Resolves with the ms until the output had grown. */
  async untilOutputGrows(msMax = 60_000): Promise<number> {
    const before = await this.linksNow();
    const begun = performance.now();
    while ((await this.linksNow()) <= before) {
      if (performance.now() - begun > msMax) throw new Error(`no output within ${msMax} ms: ${this.#lastWords()}`);
      await sleep(LOOK_MS);
    }
    return performance.now() - begun;
  }

  /** Resolves when the output of every partition had grown. */
  async untilAllOutputsGrow(msMax = 60_000): Promise<void> {
    const ends = (): Promise<number[]> =>
      Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) => this.log.offsets.bound({ topic: this.names.links, partition }, "stable")),
      );
    const before = await ends();
    const until = performance.now() + msMax;
    while ((await ends()).some((end, partition) => end <= (before[partition] ?? 0))) {
      if (performance.now() > until) throw new Error(`not every output has grown within ${msMax} ms: ${this.#lastWords()}`);
      await sleep(LOOK_MS);
    }
  }

  /** True when the output has not grown for so long. */
  async untilOutputStops(quietMs: number, msMax: number): Promise<boolean> {
    const until = performance.now() + msMax;
    let last = { links: -1, at: performance.now() };
    while (performance.now() < until) {
      const links = await this.linksNow();
      if (links !== last.links) last = { links, at: performance.now() };
      else if (performance.now() - last.at > quietMs) return true;
      await sleep(LOOK_MS);
    }
    return false;
  }

  /** The load that it began with is sent and done. */
  async settled(): Promise<void> {
    this.#hurried = true;
    await this.#loading;
    await this.untilDrained();
  }

  /** More events by others. */
  async more(load: ChainRunOptions["load"]): Promise<void> {
    await foreignLoad({ ...load, brokers: this.#options.brokers, topic: this.names.events });
  }

  /** Producers send the rest as fast as they can, until they are done and everything is committed; then the instances are stopped and the topics are read and judged. */
  async end(): Promise<ChainOutcome> {
    this.#hurried = true;
    const load = await this.#loading;
    const begun = performance.now();
    await this.untilDrained();
    const drainMs = performance.now() - begun;
    await Promise.all(this.instances.map((instance) => instance.stop()));
    const [events, links] = [await committedTopic(this.log, this.names.events), await committedTopic(this.log, this.names.links)];
    const { origins } = await committedTopic(this.log, deadLetterTopic(this.#applicationId));
    const wrong = [...checkChains({ events: events.records, links: links.records, deadLetters: origins, isBad: isPoison })];
    for (const each of events.records)
      if (each.value.startsWith("aborted")) wrong.push(`an aborted event was read: ${each.partition}/${each.offset}`);
    const foreign = await this.#reader?.finish();
    for (const [place, seen] of [...events.reading, ...links.reading])
      if (foreign !== undefined && foreign.get(place) !== seen)
        wrong.push(`the foreign reader saw ${foreign.get(place)} of ${place}, ours ${seen}`);
    return { wrong, events: events.records.length, links: links.records.length, deadLetters: origins.length, load, drainMs };
  }

  /** Everything that is in the source topics is committed by the group. */
  async untilDrained(msMax = DRAIN_MS_MAX): Promise<void> {
    const topics = [this.names.events, this.names.routed];
    const until = performance.now() + msMax;
    for (let quiet = 0; quiet < 2;) {
      const lag = (await Promise.all(topics.map((topic) => this.#lag(topic)))).reduce((sum, each) => sum + each, 0);
      quiet = lag === 0 ? quiet + 1 : 0;
      if (performance.now() > until) throw new Error(`${lag} offsets are not committed after ${msMax} ms: ${this.#lastWords()}`);
      await sleep(LOOK_MS);
    }
  }

  async #lag(topic: string): Promise<number> {
    const places = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
    const committed = await this.log.offsets.committed(this.#applicationId, places);
    const ends = await Promise.all(places.map((place) => this.log.offsets.bound(place, "high-watermark")));
    // Trailing transaction markers may stay uncommitted: nobody has read a record behind them.
    const trailing = await Promise.all(
      places.map((place, index) => this.#hasRecords(place, committed[index]?.offset ?? 0, ends[index] ?? 0)),
    );
    return trailing.reduce((sum, each) => sum + each, 0);
  }

  async #hasRecords(place: { readonly topic: string; readonly partition: number }, from: number, end: number): Promise<number> {
    if (from >= end) return 0;
    const reader = this.log.reader();
    reader.assign([{ ...place, offset: from, outOfRange: "fail" }]);
    const until = performance.now() + 2_000;
    try {
      for (;;) {
        if (reader.poll().length > 0) return end - from;
        if (reader.position(place) >= end) return 0;
        if (performance.now() > until) return end - from;
        await sleep(5);
      }
    } finally {
      await reader.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.instances) {
      instance.resume();
      await instance.kill();
    }
    this.#reader?.kill();
    await this.log.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #instanceOptions(index: number): InstanceOptions {
    const { brokers, brokersOf, instance } = this.#options;
    return {
      applicationId: this.#applicationId,
      instanceId: `i${index}`,
      brokers: brokersOf?.(index) ?? brokers,
      directory: this.directoryOf(index),
      sessionMs: SESSION_MS,
      transactionMs: SESSION_MS,
      workers: false,
      ...instance,
    };
  }

  #lastWords(): string {
    return this.instances
      .map((each) => `${each.options.instanceId}${each.over ? " (ended)" : ""}: ${each.lines.slice(-5).join(" | ")}`)
      .join("\n");
  }
}
