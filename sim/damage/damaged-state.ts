/** A seed's directory on one of the two paths, and what comes of each damage to it. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { markDamaged, type Disk, type DiskKind, type OwnedDisk } from "#disk";
import { openEmbeddedLog, type Log } from "#log";
import { between, seededRandom, SimulatedCluster, VirtualScheduler, type Random } from "#log/kafka/simulated";
import { CommittedPartition } from "#proof";
import { topicConfigs, type Topology } from "#streams";
import { refusal, type Answer } from "./answer.ts";
import type { Damage } from "./damages.ts";
import { compareWithChangelog, compareWithModel, readAll, Wrong, type ReadTopic } from "./evidence.ts";
import { addWords, copyAlive, copyOf, openSmall } from "./image.ts";
import { digestOf, History, recorded } from "./recorded-disk.ts";
import { settleOver, TallyLife } from "./tally-life.ts";
import { APPLICATION, tallyTopology } from "./tally-topology.ts";

/** Where records are kept: beside the rows, or with brokers that a changelog goes to as well. */
export type LogPath = "embedded" | "kafka";
export type RealKind = Exclude<DiskKind, "memory">;

export interface StateOptions {
  readonly path: LogPath;
  readonly kind: RealKind;
  readonly seed: number;
  /** A folder of its own. */
  readonly directory: string;
}

/** What runs over the directory: the same application, an older version of it, another one. */
export interface Run {
  readonly topology: Topology;
  readonly applicationId: string;
}

const LIVES = 4;
const FILLING_ROUNDS = 60;
const WORDS_PER_LIFE = 90;
const START = 1_700_000_000_000;

export class DamagedState {
  readonly topology: Topology = tallyTopology();
  readonly scheduler: VirtualScheduler;
  readonly options: StateOptions;
  readonly random: Random;
  readonly #history = new History();
  readonly #cluster: SimulatedCluster;
  readonly #image: string;
  readonly #work: string;
  #clients = 0;

  private constructor(options: StateOptions) {
    this.options = options;
    this.random = seededRandom(options.seed * 7919 + (options.path === "kafka" ? 1 : 0) + (options.kind === "rocksdb" ? 0 : 2));
    this.scheduler = new VirtualScheduler(options.seed, START);
    this.#cluster = new SimulatedCluster({ surroundings: this.scheduler });
    this.#image = join(options.directory, "image");
    this.#work = join(options.directory, "work");
  }

  /** Several lives of the application, of which the last was killed. */
  static async make(options: StateOptions): Promise<DamagedState> {
    rmSync(options.directory, { recursive: true, force: true });
    mkdirSync(options.directory, { recursive: true });
    const state = new DamagedState(options);
    const location = join(options.directory, "origin");
    for (let life = 1; life <= LIVES; life++) await state.#live(location, life);
    rmSync(location, { recursive: true });
    return state;
  }

  /** A copy of the directory, damaged; or why there is nothing to be damaged. */
  damaged(damage: Damage, random: Random): { readonly location: string; readonly did: string | undefined } {
    copyOf(this.#image, this.#work);
    return { location: this.#work, did: damage.apply(this.#work, random) };
  }

  /** A copy of the directory as the killed process left it. */
  copyTo(location: string): void {
    copyOf(this.#image, location);
  }

  /** Never rejects. On the Kafka path the application goes on meanwhile, as it does on other machines. */
  async answerTo(location: string, run: Run = { topology: this.topology, applicationId: APPLICATION }): Promise<Answer> {
    const answer = await this.#open(location, run, this.#history);
    return answer.kind === "refused" && this.options.path === "kafka" ? ((await this.#putRight(location, answer)) ?? answer) : answer;
  }

  /** The same without putting anything right. */
  answerAlone(location: string): Promise<Answer> {
    return this.#open(location, { topology: this.topology, applicationId: APPLICATION }, this.#history);
  }

  /** On a volume that fills up while it runs: what was written before is there when there is room again. */
  async answerToFullVolume(location: string, makeRoom: () => void): Promise<Answer> {
    const since = this.#history.fork();
    const before = await this.#fill(location, since);
    makeRoom();
    if (before.kind !== "refused") return before;
    const after = await this.#open(location, { topology: this.topology, applicationId: APPLICATION }, since);
    if (after.kind === "wrong") return after;
    if (after.kind === "refused") return { kind: "wrong", what: `There is room again, and it says ${after.code}: ${after.message}` };
    if (after.kind === "earlier") return { kind: "wrong", what: `${after.lost} batches are lost that were acknowledged.` };
    return before;
  }

  async #open(location: string, run: Run, history: History): Promise<Answer> {
    let disk: OwnedDisk;
    try {
      disk = await openSmall(location, this.options.kind);
    } catch (error) {
      return refusal(error, "open");
    }
    try {
      return await this.#goOn(disk, run, history);
    } catch (error) {
      return refusal(error, "read");
    } finally {
      await disk.close().catch(() => undefined);
    }
  }

  /** Until it does not get on. */
  async #fill(location: string, history: History): Promise<Answer> {
    let disk: OwnedDisk | undefined;
    try {
      disk = await openSmall(location, this.options.kind);
      const kept = recorded(disk, history);
      for (let round = 0; round < FILLING_ROUNDS; round++)
        await this.#run({ disk: kept, topology: this.topology, applicationId: APPLICATION });
      return { kind: "skipped", why: "the volume did not fill up" };
    } catch (error) {
      return refusal(error, disk === undefined ? "open" : "read");
    } finally {
      await disk?.close().catch(() => undefined);
    }
  }

  async #live(location: string, life: number): Promise<void> {
    const disk = await openSmall(location, this.options.kind);
    const kept = recorded(disk, this.#history);
    const log = await this.#openLog(kept);
    const { scheduler, random, topology } = this;
    await settleOver(scheduler, log.topics.ensure(topicConfigs(topology, APPLICATION, log.capabilities)));
    const running = new TallyLife({ disk: kept, log, topology, scheduler, applicationId: APPLICATION });
    for (let part = 0; part < 3; part++) {
      await addWords({ log, scheduler, random }, between(random, 1, WORDS_PER_LIFE / 2));
      await running.catchUp();
    }
    if (life === LIVES) await copyAlive(location, this.#image);
    await running.stop();
    await settleOver(scheduler, log.close());
    await disk.close();
  }

  #openLog(disk: Disk): Promise<Log> {
    if (this.options.path === "embedded") return openEmbeddedLog({ disk, durability: "process", reserveBytes: 0 });
    return settleOver(this.scheduler, this.#cluster.open({ clientId: `client-${this.#clients++}`, transactionMsMax: 4_000 }));
  }

  /** What is there, then the application over it to the end of its input, then what is there again. */
  async #goOn(disk: OwnedDisk, run: Run, history: History): Promise<Answer> {
    const found = this.#look(disk, history);
    await this.#run({ disk, ...run });
    if (found.error !== undefined) throw found.error;
    const lost = history.batches - found.after;
    return lost === 0 ? { kind: "same" } : { kind: "earlier", lost, batches: history.batches };
  }

  /** Some words more, and all of them taken; then everything is compared. */
  async #run({ disk, topology, applicationId }: Run & { readonly disk: Disk }): Promise<void> {
    const { scheduler, random } = this;
    const log = await this.#openLog(disk);
    const life = new TallyLife({ disk, log, topology, scheduler, applicationId });
    try {
      await settleOver(scheduler, log.topics.ensure(topicConfigs(topology, applicationId, log.capabilities)));
      await addWords({ log, scheduler, random }, between(random, 1, 30));
      await life.catchUp();
      await life.stop();
      await this.#compare(log, disk);
    } finally {
      life.thread.abandon();
      await settleOver(scheduler, log.close());
    }
  }

  /** A row that cannot be read is refused; whether the application needs it is another question. */
  #look(disk: OwnedDisk, history: History): { readonly after: number; readonly error: unknown } {
    let digest: string;
    try {
      digest = digestOf(disk);
    } catch (error) {
      return { after: 0, error };
    }
    const after = history.find(digest);
    if (after === undefined) throw new Wrong("The directory holds what it has never held after any of its batches.");
    return { after, error: undefined };
  }

  async #compare(log: Log, disk: Disk): Promise<void> {
    const read: ReadTopic =
      this.options.path === "embedded"
        ? (topic, partition) => readAll(log, topic, partition)
        : async (topic, partition) => this.#committed(topic, partition);
    await compareWithModel(read, disk);
    if (this.options.path === "kafka") await compareWithChangelog(read, disk);
  }

  #committed(topic: string, partition: number): ReturnType<ReadTopic> {
    const committed = new CommittedPartition();
    for (const batch of this.#cluster.batches(topic, partition, 0)) committed.add(batch);
    return Promise.resolve(
      committed.records.map(({ key, value }) => ({ key: key?.toString() ?? "", value: value?.toString() ?? undefined })),
    );
  }

  /** As `run` does where brokers have everything: what is damaged is set aside, and all of it comes from the changelogs again. */
  async #putRight(location: string, { code, message, at }: Extract<Answer, { readonly kind: "refused" }>): Promise<Answer | undefined> {
    if (code !== "DISK_CORRUPT") return undefined;
    if (at === "read") markDamaged(location, message);
    let disk: OwnedDisk | undefined;
    try {
      disk = await openSmall(location, this.options.kind, "set-aside");
      if (disk.damage === undefined) return { kind: "wrong", what: `It was refused, and opened the next time: ${message}` };
      await this.#run({ disk, topology: this.topology, applicationId: APPLICATION });
      return undefined;
    } catch (error) {
      return { kind: "wrong", what: `Made anew: ${error instanceof Error ? error.message : String(error)}` };
    } finally {
      await disk?.close();
    }
  }
}
