/** One seed: brokers, processes, load and faults in virtual time, the invariants each virtual second, and then the time to come to rest. */
import { between, seededRandom, SimulatedCluster, VirtualScheduler } from "#log/kafka/simulated";
import type { Random } from "#log/kafka/simulated";
import type { Log } from "#log";
import { splitTasks } from "#streams";
import type { ApplicationCheck, SimulatedApplication, Traffic } from "./application.ts";
import { applicationOf } from "./application-of.ts";
import type { SeedOptions } from "./faults/fault-plan.ts";
import { FaultyNetwork } from "./faults/faulty-network.ts";
import { Hits } from "./faults/hits.ts";
import type { Planted, PlantedBug } from "./planted/planted.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import { ProcessFleet } from "./process-fleet.ts";
import { scheduleFaults } from "./faults/schedule-faults.ts";
import { START } from "./start.ts";
import { turn } from "./turn.ts";
import { Queries } from "./checks/queries.ts";
import { Violation } from "./checks/violation.ts";
import { Watcher } from "./checks/watcher.ts";

export interface Outcome {
  readonly options: SeedOptions;
  readonly violation: Violation | undefined;
  /** Where virtual time stood then. */
  readonly atMs: number;
  readonly virtualMs: number;
  readonly hits: Hits;
  readonly records: number;
  readonly hash: string;
}

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
const ROWS_EVERY_SECONDS = 7;
const ASK_EVERY_LOOKS = 3;
/** At one time, before it counts as standing. */
const INSTANTS_MAX = 100_000;
const STOP_MS_MAX = 60_000;

export async function runSeed(options: SeedOptions, bug?: PlantedBug): Promise<Outcome> {
  const run = new SeedRun(options, bug);
  let violation: Violation | undefined;
  const unhandled = (reason: unknown): void => run.failed(reason);
  process.on("unhandledRejection", unhandled);
  try {
    await run.whole();
  } catch (error) {
    violation =
      error instanceof Violation ? error : new Violation("I11", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  process.off("unhandledRejection", unhandled);
  const atMs = run.now - START;
  run.end();
  return { options, violation, atMs, virtualMs: atMs, hits: run.hits, records: run.records, hash: run.hits.hash };
}

class SeedRun {
  readonly hits = new Hits();
  readonly #options: SeedOptions;
  readonly #planted: Planted;
  readonly #scheduler: VirtualScheduler;
  readonly #network: FaultyNetwork;
  readonly #cluster: SimulatedCluster;
  readonly #application: SimulatedApplication;
  readonly #check: ApplicationCheck;
  readonly #queries: Queries | undefined;
  readonly #fleet: ProcessFleet;
  readonly #random: Random;
  #watcher: Watcher | undefined;
  #watching: Log | undefined;
  #looks = 0;
  #failure: Error | undefined;
  #traffic: Traffic | undefined;

  constructor(options: SeedOptions, bug: PlantedBug | undefined) {
    this.#options = options;
    const scheduler = new VirtualScheduler(options.seed, START);
    this.#scheduler = scheduler;
    this.#random = seededRandom(options.seed + 0xfa17);
    this.#network = new FaultyNetwork({
      options,
      scheduler,
      hits: this.hits,
      quiet: (client) => client.startsWith("load"),
      mortal: (client) => client !== "watcher",
      isDead: (client) => this.#fleet.isDead(client),
      kill: (client) => this.#fleet.kill(client),
    });
    this.#cluster = new SimulatedCluster({
      surroundings: scheduler,
      brokers: options.brokers,
      transactionVersion: options.transactionVersion,
      network: this.#network,
      markerMs: () => this.#markerMs(),
      firstEpoch: options.firstEpoch,
    });
    this.#planted = bug?.plant(this.#cluster) ?? {};
    this.#application = applicationOf({ options, hits: this.hits });
    this.#fleet = new ProcessFleet({
      assignments: splitTasks(this.#application.topology, options.instances),
      application: this.#application,
      changed: (process) => this.#ask(process),
      options,
      scheduler,
      planted: this.#planted,
      cluster: this.#cluster,
      network: this.#network,
      hits: this.hits,
    });
    const { queried } = this.#application;
    const check = this.#application.check(this.#cluster);
    this.#check = check;
    this.#queries = queried === undefined ? undefined : new Queries(queried, (topic, partition) => check.partition(topic, partition));
  }

  get now(): number {
    return this.#scheduler.now();
  }

  get records(): number {
    return this.#check.checkedRecords;
  }

  async whole(): Promise<void> {
    await this.#open();
    scheduleFaults({
      options: this.#options,
      scheduler: this.#scheduler,
      cluster: this.#cluster,
      fleet: this.#fleet,
      application: this.#application,
      hits: this.hits,
      random: this.#random,
      active: () => this.#network.faulty,
      beforeCompaction: () => this.#check.read(),
      quiet: (ms) => this.#traffic?.quietUntil?.(this.now + ms),
      lateHeartbeats: (client, ms) => this.#network.lateHeartbeats(client, ms),
    });
    const seconds = Math.round((this.#options.minutes * MINUTE_MS) / SECOND_MS);
    for (let second = 1; second <= seconds; second++) {
      await this.#runUntil(START + second * SECOND_MS);
      await this.#look(second % ROWS_EVERY_SECONDS === 0);
    }
    await this.#comeToRest();
    await this.#stop();
  }

  /** A promise that nobody looked after. */
  failed(reason: unknown): void {
    this.#failure ??= reason instanceof Error ? reason : new Error(String(reason));
  }

  end(): void {
    this.#fleet.killAll();
  }

  async #open(): Promise<void> {
    this.#network.faulty = false;
    this.#openClients().catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    });
    while (this.#watcher === undefined) await this.#runUntil(this.#scheduler.now() + 10);
    this.#network.faulty = true;
    this.#fleet.start();
  }

  async #openClients(): Promise<void> {
    const { topics, traffic } = this.#application;
    const log = await this.#cluster.open({ clientId: "load" });
    await log.topics.ensure(topics);
    const opened = await traffic({
      log,
      open: (clientId, wrapWire) => this.#cluster.open({ clientId, wrapWire }),
      after: (ms, then) => this.#scheduler.after(ms, then),
    });
    this.#traffic = opened;
    const step = (): void => {
      const next = opened.step(this.#scheduler.now());
      if (next !== Infinity) this.#scheduler.after(next - this.#scheduler.now(), step);
    };
    this.#scheduler.after(1, step);
    const watching = await this.#cluster.open({
      clientId: "watcher",
      ...(this.#planted.wrapWire === undefined ? {} : { wrapWire: this.#planted.wrapWire }),
    });
    this.#watching = watching;
    this.#watcher = this.#watch(watching);
  }

  #watch(log: Log): Watcher {
    const { topics, watched: names } = this.#application;
    const watched = topics
      .filter(({ name }) => names.includes(name))
      .flatMap(({ name: topic, partitions }) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
    return new Watcher(log, watched, (topic, partition) => this.#check.partition(topic, partition));
  }

  async #look(rows: boolean): Promise<void> {
    this.#check.read();
    await this.#check.check();
    this.#watcher?.look();
    this.#fleet.check();
    if (this.#looks++ % ASK_EVERY_LOOKS === 0) for (const process of this.#fleet.all) this.#ask(process);
    if (rows) for (const { rows: disk, client } of this.#fleet.all) this.#check.checkRows(disk, client);
    this.hits.event(`${this.#scheduler.now()} ${this.#check.checkedRecords}\n`);
  }

  /** I9. Whoever stands still does not answer. */
  #ask(asked: SimulatedProcess): void {
    if (this.#queries === undefined || asked.time.still) return;
    this.#check.read();
    this.#queries.ask(asked, this.now);
  }

  /** Faults are over: within bounded time all is done, and all of it is right. */
  async #comeToRest(): Promise<void> {
    this.#traffic?.stopAsking();
    this.#network.faulty = false;
    for (let node = 1; node <= this.#options.brokers; node++) this.#cluster.startBroker(node);
    this.#fleet.recover();
    await this.#untilNothing(() => this.#check.missing());
    this.#traffic?.stop();
    await this.#untilNothing(() => this.#check.unread());
    await this.#look(true);
    await this.#check.checkAtRest();
    this.#queries?.checkAtRest(this.now);
    await this.#readAgain();
  }

  /** Three looks in a row find nothing. */
  async #untilNothing(left: () => string | undefined): Promise<void> {
    const { restMsMax } = this.#application;
    const until = this.#scheduler.now() + restMsMax;
    for (let quiet = 0; quiet < 3;) {
      await this.#runUntil(this.#scheduler.now() + SECOND_MS);
      await this.#look(false);
      quiet = left() === undefined ? quiet + 1 : 0;
      if (this.#scheduler.now() > until)
        throw new Violation("I12", `${left()} ${restMsMax / SECOND_MS} s after the last fault. ${this.#fleet.describe()}`);
    }
  }

  /** From the first offset, with all that was aborted in a few fetches. */
  async #readAgain(): Promise<void> {
    if (this.#watching === undefined) return;
    this.#watcher = this.#watch(this.#watching);
    const until = this.#scheduler.now() + this.#application.restMsMax;
    while (!this.#watcher.seenAll) {
      await this.#runUntil(this.#scheduler.now() + SECOND_MS);
      await this.#look(false);
      if (this.#scheduler.now() > until) throw new Violation("I12", "A reader does not come to the end.");
    }
  }

  async #stop(): Promise<void> {
    this.#fleet.stopAll();
    await turn();
    const until = this.#scheduler.now() + STOP_MS_MAX;
    while (this.#fleet.running > 0) {
      await this.#runUntil(this.#scheduler.now() + 100);
      if (this.#scheduler.now() > until)
        throw new Violation("I11", `${this.#fleet.running} processes do not stop. ${this.#fleet.describe()}`);
    }
    await this.#look(true);
    // Something may have come of itself meanwhile: a driver who fell silent.
    if (this.#check.unread() === undefined) await this.#check.checkAtRest();
  }

  /** Works through every instant up to and at `until`. */
  async #runUntil(until: number): Promise<void> {
    for (let stands = 0; ;) {
      await this.#instant();
      if (this.#failure !== undefined) throw this.#failure;
      const next = Math.min(this.#scheduler.nextDueAt(), this.#fleet.nextDueAt());
      stands = next > this.#scheduler.now() ? 0 : stands + 1;
      if (stands > INSTANTS_MAX) throw this.#standing();
      if (next > until) {
        this.#scheduler.advanceTo(until);
        return;
      }
      this.#scheduler.advanceTo(Math.max(next, this.#scheduler.now()));
    }
  }

  /** Until nobody has anything to do at this time. */
  async #instant(): Promise<void> {
    for (let rounds = 0; ; rounds++) {
      if (rounds > INSTANTS_MAX) throw this.#standing();
      while (this.#scheduler.runOne()) await turn();
      if (!this.#fleet.step()) return;
      await turn();
    }
  }

  #standing(): Violation {
    return new Violation("I12", `Virtual time stands at ${this.#scheduler.now() - START} ms. ${this.#fleet.describe()}`);
  }

  #markerMs(): number {
    const often = this.#network.faulty ? this.#options.faults["slow-markers"] : 0;
    if (this.#random() >= 0.3 * often) return between(this.#random, 1, 10);
    this.hits.fault("slow-markers");
    // Now and then longer than two generations of the group take.
    return between(this.#random, 50, this.#random() < 0.3 ? 9_000 : 2_500);
  }
}
