/**
 * The dispatch application on a cluster as it is run: instances of `slackline run`, brisk people upstream, Kafka's own client
 * downstream, whatever the caller does to them meanwhile, and at the end the proof from the committed topics alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkEvents, openLogAlone, prove, readSettings, type LogAlone } from "#cli";
import { CommandProcess } from "#cli/testing";
import { committedTopic } from "../committed-records.ts";
import { ForeignReader } from "../foreign-reader.ts";
import { ABORTED_PREFIX, BriskPeople, type BriskTotals } from "./brisk-people.ts";

export interface DispatchRunOptions {
  readonly brokers: readonly string[];
  readonly instances: number;
  readonly drivers: number;
  readonly ordersPerSecond: number;
  readonly seed: number;
}

export interface DispatchOutcome {
  /** What the topics prove to be wrong; empty is right. */
  readonly wrong: readonly string[];
  readonly people: BriskTotals;
  /** Facts that the invariants were checked on. */
  readonly checked: number;
  readonly inputs: number;
  /** Inputs that were said again, each refused. */
  readonly saidAgain: number;
  readonly bills: number;
  /** From the last order until each job had ended. */
  readonly drainMs: number;
  /** Instances that gave up while their broker was down, and were started again. */
  readonly startedAgain: number;
}

const SESSION_MS = 6_000;
const PARTITIONS = 4;
const READY_MS_MAX = 180_000;
const LOOK_MS = 200;
/** Exit status. */
const CANNOT_REACH = 3;

export class DispatchRun implements AsyncDisposable {
  readonly people: BriskPeople;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #directory: string;
  readonly #dispatch: LogAlone;
  readonly #reader: ForeignReader;
  readonly #instances: (CommandProcess | undefined)[];
  #startedAgain = 0;
  #closing = false;

  /** Topics made by the command, the reader at work, instances ready, people alive. */
  static async begin(options: DispatchRunOptions): Promise<DispatchRun> {
    const environment = {
      KAFKA_BROKERS: options.brokers.join(","),
      SCHEMA_REGISTRY_URL: "topic",
      SLACKLINE_PARTITIONS: String(PARTITIONS),
      KAFKA_SESSION_TIMEOUT_MS: String(SESSION_MS),
      KAFKA_TRANSACTION_TIMEOUT_MS: String(SESSION_MS),
    };
    const { code, err } = await new CommandProcess(["topics", "create"], environment).ended;
    if (code !== 0) throw new Error(`topics create ended with ${code}: ${err}`);
    const dispatch = await openLogAlone(readSettings({}, environment));
    const { assignments, trips, bills } = dispatch.topics;
    const reader = await ForeignReader.start(
      options.brokers,
      [assignments, trips, bills].map(({ name }) => name),
    );
    const run = new DispatchRun(options, environment, dispatch, reader);
    try {
      for (let instance = 0; instance < options.instances; instance++) run.start(instance);
      await run.untilReady();
      run.people.begin();
      return run;
    } catch (error) {
      await run[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(
    options: DispatchRunOptions,
    environment: Readonly<Record<string, string>>,
    dispatch: LogAlone,
    reader: ForeignReader,
  ) {
    this.#environment = environment;
    this.#dispatch = dispatch;
    this.#reader = reader;
    this.#directory = mkdtempSync(join(tmpdir(), "slackline-dispatch-"));
    this.#instances = Array.from({ length: options.instances }, () => undefined);
    this.people = new BriskPeople({ ...options, dispatch });
  }

  /** In the directory that it had before; whatever supervises services starts it again where it could not reach its brokers. */
  start(instance: number): void {
    const words = ["run", "--dir", join(this.#directory, `instance-${instance}`), "--port", "0"];
    const started = new CommandProcess(words, this.#environment);
    this.#instances[instance] = started;
    void started.ended.then(({ code }) => {
      if (code !== CANNOT_REACH || this.#closing) return;
      this.#startedAgain++;
      this.start(instance);
    });
  }

  /** kill -9. Throws when it was dead already: it ended by itself. */
  async kill(instance: number): Promise<void> {
    const process = this.#instances[instance];
    if (process === undefined || process.over) throw new Error(`instance ${instance} has ended by itself: ${this.#lastWords(instance)}`);
    await process.kill();
  }

  /** SIGTERM. Throws unless it drains. */
  async stop(instance: number): Promise<void> {
    const process = this.#instances[instance];
    if (process === undefined || process.over) throw new Error(`instance ${instance} has ended by itself: ${this.#lastWords(instance)}`);
    const { code } = await process.stop();
    if (code !== 0) throw new Error(`instance ${instance} ended with ${code}: ${this.#lastWords(instance)}`);
  }

  /** Every instance says that all its tasks run. */
  async untilReady(): Promise<void> {
    const until = performance.now() + READY_MS_MAX;
    for (const [instance, process] of [...this.#instances].entries()) {
      const url = await process?.url();
      while ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok !== true) {
        if (performance.now() > until || process?.over === true) throw new Error(`instance ${instance}: ${this.#lastWords(instance)}`);
        await sleep(LOOK_MS);
      }
    }
  }

  /** Resolves with the ms until one more job was completed. */
  async untilOneIsDone(msMax = READY_MS_MAX): Promise<number> {
    const [before, begun] = [this.people.completed, performance.now()];
    while (this.people.completed <= before) {
      if (performance.now() - begun > msMax)
        throw new Error(`no job was completed in ${msMax} ms: ${this.#instances.map((_, each) => this.#lastWords(each)).join("\n")}`);
      await sleep(LOOK_MS);
    }
    return performance.now() - begun;
  }

  /** Nobody orders any more; each job ends; the instances drain; then the topics are read and judged. */
  async end(): Promise<DispatchOutcome> {
    const begun = performance.now();
    const people = await this.people.end(READY_MS_MAX);
    const drainMs = performance.now() - begun;
    await this.#untilNothingWaits();
    for (const instance of this.#instances.keys()) await this.stop(instance);
    const { log, topics } = this.#dispatch;
    const { unfinished } = people;
    const verdicts = await prove(log, topics, { quiescent: unfinished.length === 0 });
    const events = await checkEvents({ log, topics });
    const foreign = await this.#reader.finish();
    const wrong = [
      ...verdicts.flatMap(({ invariant, violations }) => violations.map((each) => `${invariant} ${each}`)),
      ...events.violations,
    ];
    let bills = 0;
    for (const { name } of [topics.assignments, topics.trips, topics.bills]) {
      const { reading, records } = await committedTopic(log, name);
      if (name === topics.bills.name) bills = records.length;
      for (const { key, partition, offset } of records)
        if (key.startsWith(ABORTED_PREFIX))
          wrong.push(`${name}-${partition}@${offset}: ${key} was aborted by its customer, and has an effect`);
      for (const [place, seen] of reading)
        if (foreign.get(place) !== seen) wrong.push(`the foreign reader saw ${foreign.get(place)} of ${place}, ours ${seen}`);
    }
    if (bills < people.completed) wrong.push(`${people.completed} jobs were completed, ${bills} were billed`);
    const checked = verdicts.reduce((sum, each) => sum + each.checked, 0);
    return {
      wrong,
      people,
      checked,
      inputs: events.checked,
      saidAgain: events.saidAgain,
      bills,
      drainMs,
      startedAgain: this.#startedAgain,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#instances.map(async (process) => process?.kill()));
    await this.people[Symbol.asyncDispose]();
    this.#reader.kill();
    await this.#dispatch[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Of the last records of devices and customers too, as the command sees it; ticks go on for ever. */
  async #untilNothingWaits(): Promise<void> {
    const { orders, rides, driverEvents, driverLocations, jobUpdates, driverCommands } = this.#dispatch.topics;
    const judged = new Set([orders, rides, driverEvents, driverLocations, jobUpdates, driverCommands].map(({ name }) => name));
    for (const until = performance.now() + READY_MS_MAX; ;) {
      const { out, err } = await new CommandProcess(["lag", "--json"], this.#environment).ended;
      // A broker that was just killed answers later: nothing is known then, and asked again.
      const rows = out === "" ? undefined : (JSON.parse(out) as readonly { readonly topic: string; readonly seconds: number }[]);
      if (rows?.every(({ topic, seconds }) => seconds === 0 || !judged.has(topic)) === true) return;
      if (performance.now() > until) throw new Error(`inputs still wait after ${READY_MS_MAX} ms: ${out} ${err}`);
    }
  }

  #lastWords(instance: number): string {
    return `instance ${instance}: ${this.#instances[instance]?.err.slice(-2_000) ?? "never started"}`;
  }
}
