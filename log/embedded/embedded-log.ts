/** The log of one process: blocks, offsets and store rows in one database, shared by its threads. */
import { threadId } from "node:worker_threads";
import type { Worker } from "node:worker_threads";
import type { Disk } from "#disk";
import { LogError } from "../errors.ts";
import type {
  Log,
  LogCapabilities,
  LogShare,
  Membership,
  MembershipOptions,
  Offsets,
  Producer,
  Reader,
  ReaderOptions,
  Topics,
  Writer,
  WriterOptions,
} from "../log.ts";
import { CommitLock } from "./commit/commit-lock.ts";
import { Committer } from "./commit/committer.ts";
import { SpaceReserve } from "./commit/space-reserve.ts";
import { RESERVE_BYTES } from "./defaults.ts";
import { EmbeddedOffsets } from "./embedded-offsets.ts";
import { EmbeddedProducer } from "./embedded-producer.ts";
import { EmbeddedReader } from "./embedded-reader.ts";
import { EmbeddedTopics } from "./embedded-topics.ts";
import { EmbeddedWriter } from "./embedded-writer.ts";
import { HotBlocks } from "./hot-blocks.ts";
import { FORMAT_KEY } from "./keys.ts";
import { EmbeddedMembership } from "./membership/embedded-membership.ts";
import { GroupBus } from "./membership/group-bus.ts";
import { SharedControl } from "./shared-control.ts";
import { TopicCatalog } from "./topic-catalog.ts";
import { Upkeep } from "./upkeep/upkeep.ts";

/** `power`: a commit survives the loss of power. `process`: it survives the death of the process. */
export type Durability = "power" | "process";

export interface EmbeddedLogOptions {
  /** Stays the caller's: opened before and closed after the log. */
  readonly disk: Disk;
  /** Default "power". */
  readonly durability?: Durability;
  /** Bytes of the volume that commits leave free; default 256 MiB, 0 for none. Below it they wait, and go on once there is room. */
  readonly reserveBytes?: number;
}

/** The log as its owner, the thread that opened it, has it. */
export interface EmbeddedLog extends Log {
  /**
   * A thread has exited: the commit lock is taken back from it and its members leave their groups. Called by itself for
   * workers that the owner's thread starts after it has called `share`; whoever starts others calls it.
   */
  releaseThread(threadId: number): void;
}

interface EmbeddedShare {
  readonly control: SharedArrayBuffer;
  readonly durability: Durability;
  readonly channel: string;
  readonly reserveBytes: number;
}

let logsOpened = 0;
const FORMAT_VERSION = 1;

/** Opens the log that the disk holds, or a new one. Throws `LOG_FORMAT_UNKNOWN` when a newer Slackline wrote it. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const durability = options.durability ?? "power";
  checkFormat(options.disk, durability === "power");
  const channel = `slackline-log-${threadId}-${++logsOpened}`;
  const reserveBytes = options.reserveBytes ?? RESERVE_BYTES;
  const log = new SharedLog(options.disk, { control: new SharedControl().buffer, durability, channel, reserveBytes }, true);
  log.publishBounds();
  return log;
}

/** The same log in another thread of the process, over that thread's attached disk. */
export function attachEmbeddedLog(share: LogShare, disk: Disk): Log {
  // Only `share()` below makes LogShares.
  return new SharedLog(disk, share as EmbeddedShare, false);
}

class SharedLog implements EmbeddedLog {
  readonly name: string = "embedded";
  readonly capabilities: LogCapabilities = { atomicRows: true };
  readonly topics: Topics;
  readonly offsets: Offsets;
  readonly #disk: Disk;
  readonly #share: EmbeddedShare;
  readonly #owner: boolean;
  readonly #control: SharedControl;
  readonly #catalog: TopicCatalog;
  readonly #lock: CommitLock;
  readonly #committer: Committer;
  readonly #hot = new HotBlocks();
  readonly #upkeep: Upkeep;
  readonly #bus: GroupBus;
  #closed = false;

  constructor(disk: Disk, share: EmbeddedShare, owner: boolean) {
    this.#disk = disk;
    this.#share = share;
    this.#owner = owner;
    const control = new SharedControl(share.control);
    const catalog = new TopicCatalog(disk, control);
    this.#control = control;
    this.#catalog = catalog;
    this.#lock = new CommitLock({ control, threadId, recover: () => this.#recover() });
    const reserve = new SpaceReserve(disk, share.reserveBytes);
    this.#committer = new Committer({ disk, control, lock: this.#lock, hot: this.#hot, sync: share.durability === "power", reserve });
    this.#upkeep = new Upkeep(catalog, { disk, control, committer: this.#committer });
    this.#bus = new GroupBus({ channel: share.channel, threadId, owner });
    this.topics = new EmbeddedTopics(this.#committer, control, catalog);
    this.offsets = new EmbeddedOffsets(disk, control, catalog);
  }

  publishBounds(): void {
    this.#catalog.publishBounds();
  }

  reader(options: ReaderOptions = {}): Reader {
    this.#refuseClosed();
    return new EmbeddedReader(options, { disk: this.#disk, control: this.#control, catalog: this.#catalog, hot: this.#hot });
  }

  writer(options: WriterOptions): Writer {
    this.#refuseClosed();
    return new EmbeddedWriter(options, { disk: this.#disk, control: this.#control, catalog: this.#catalog, committer: this.#committer });
  }

  producer(): Producer {
    this.#refuseClosed();
    return new EmbeddedProducer(this.#committer, this.#catalog);
  }

  membership(options: MembershipOptions): Membership {
    this.#refuseClosed();
    return new EmbeddedMembership(options, this.#bus, threadId, () => this.#control.bumpVersion());
  }

  version(): number {
    return this.#control.version();
  }

  changed(since: number): Promise<void> {
    return this.#control.changed(since);
  }

  /** The owner alone does it: in another thread it is nothing. */
  maintain(now: number): Promise<void> {
    return this.#owner ? this.#upkeep.run(now) : Promise.resolve();
  }

  share(): LogShare | undefined {
    if (this.#disk.share() === undefined) return undefined;
    if (this.#owner) {
      this.#bus.open();
      process.off("worker", this.#watchWorker).on("worker", this.#watchWorker);
    }
    return this.#share;
  }

  releaseThread(id: number): void {
    this.#lock.releaseThread(id);
    this.#bus.threadGone(id);
  }

  /** The owner closes the log for all threads; an attached thread only leaves. */
  close(): Promise<void> {
    this.#closed = true;
    this.#bus.close();
    if (this.#owner) {
      process.off("worker", this.#watchWorker);
      this.#control.markClosed();
    }
    this.#control.bumpVersion();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #watchWorker = (worker: Worker): void => {
    // Taken now: an exited worker has no id any more.
    const id = worker.threadId;
    worker.once("exit", () => this.releaseThread(id));
  };

  /** What a holder of the lock that died may have written without telling: topics, fences and bounds. */
  #recover(): void {
    this.#control.catalogChanged();
    this.#control.fenced();
    this.#catalog.publishBounds();
    this.#control.bumpVersion();
  }

  #refuseClosed(): void {
    if (this.#closed || this.#control.closed) throw new LogError("LOG_UNAVAILABLE", "The log is closed. Open it again.");
  }
}

function checkFormat(disk: Disk, sync: boolean): void {
  const row = disk.get("log", FORMAT_KEY);
  if (row === undefined) {
    const batch = disk.batch();
    batch.put("log", FORMAT_KEY, Buffer.from([FORMAT_VERSION]));
    disk.write(batch, { sync });
    return;
  }
  if (row[0] !== FORMAT_VERSION)
    throw new LogError(
      "LOG_FORMAT_UNKNOWN",
      `The log in ${disk.location} has format ${row[0]}, this program knows ${FORMAT_VERSION}. Run the version that wrote it.`,
    );
}
