/** The database on LevelDB, for machines without a RocksDB binary: correct, and several times slower. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { statfsSync } from "node:fs";
import { threadId, Worker } from "node:worker_threads";
import { isEmptyRange } from "../byte-range.ts";
import type { Disk, DiskBatch, DiskEntry, DiskShare, Family, KeyRange } from "../disk.ts";
import { DiskError } from "../errors.ts";
import { toDiskError } from "../native-error.ts";
import { USERS_MAX, type SharedUsers } from "../shared-users.ts";
import type { LevelAnswer, LevelChunk, LevelOperation, LevelRequest, LevelThreadData, LevelThreadMessage } from "./level-request.ts";
import { MailboxClient, mailboxMemory } from "./mailbox.ts";

/** How long a call waits for the disk thread. */
const ANSWER_MS_MAX = 60_000;
const OWNER_MAILBOX = 0;
const MAILBOXES = USERS_MAX + 1;

export interface LevelOpenOptions {
  readonly location: string;
  /** Where the database files are. */
  readonly directory: string;
  readonly create: boolean;
  readonly users: SharedUsers;
  readonly onClose: (disk: LevelDisk) => Promise<void>;
}

/** Starts the disk thread, which opens the database files. Rejects with DISK_LOCKED, DISK_CORRUPT, DISK_FULL or DISK_FAILED. */
export async function openLevelDatabase(options: LevelOpenOptions): Promise<LevelDisk> {
  const { location, users, onClose } = options;
  const memory = mailboxMemory(MAILBOXES);
  const data: LevelThreadData = { directory: options.directory, create: options.create, memory, mailboxes: MAILBOXES };
  const worker = new Worker(new URL("./level-thread.ts", import.meta.url), { workerData: data, name: "disk" });
  // Only level-thread.ts answers here, and it says this first.
  const [message] = (await once(worker, "message")) as [LevelThreadMessage];
  if (!message.opened) {
    await once(worker, "exit");
    throw toDiskError(coded(message.code, message.text), location);
  }
  worker.unref();
  // Should it ever die, the next call says so.
  worker.on("error", () => undefined);
  return new LevelDisk({ location, memory, mailbox: OWNER_MAILBOX, users, worker, onClose });
}

/** The same database in another thread; `slot` is that thread's. */
export function attachLevelDatabase(share: DiskShare, users: SharedUsers, slot: number, onClose: () => Promise<void>): LevelDisk {
  // Only `share()` below makes such a handle.
  const memory = share.handle as SharedArrayBuffer;
  return new LevelDisk({ location: share.location, memory, mailbox: slot + 1, users, worker: undefined, onClose });
}

class LevelBatch implements DiskBatch {
  readonly list: LevelOperation[] = [];
  written = false;
  bytes = 0;

  get operations(): number {
    return this.list.length;
  }

  put(family: Family, key: Uint8Array, value: Uint8Array): void {
    this.list.push({ family, key, value });
    this.bytes += key.length + value.length;
  }

  delete(family: Family, key: Uint8Array): void {
    this.list.push({ family, key, value: null });
    this.bytes += key.length;
  }
}

export interface LevelParts {
  readonly location: string;
  readonly memory: SharedArrayBuffer;
  readonly mailbox: number;
  readonly users: SharedUsers;
  /** The disk thread, in the thread that started it. */
  readonly worker: Worker | undefined;
  readonly onClose: (disk: LevelDisk) => Promise<void>;
}

/** One thread's view of the database. */
export class LevelDisk implements Disk {
  readonly kind = "classic-level";
  readonly location: string;
  readonly #memory: SharedArrayBuffer;
  readonly #client: MailboxClient;
  readonly #users: SharedUsers;
  readonly #worker: Worker | undefined;
  readonly #onClose: (disk: LevelDisk) => Promise<void>;
  #open = true;
  #closing: Promise<void> | undefined;

  constructor(parts: LevelParts) {
    this.location = parts.location;
    this.#memory = parts.memory;
    this.#client = new MailboxClient(parts.memory, parts.mailbox, ANSWER_MS_MAX);
    this.#users = parts.users;
    this.#worker = parts.worker;
    this.#onClose = parts.onClose;
  }

  get(family: Family, key: Uint8Array): Buffer | undefined {
    return this.getMany(family, [key])[0];
  }

  getMany(family: Family, keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    this.refuseClosed();
    return this.#ask({ op: "get-many", family, keys }) as (Buffer | undefined)[];
  }

  entries(family: Family, range: KeyRange): IterableIterator<DiskEntry> {
    this.refuseClosed();
    if (isEmptyRange(range)) return [][Symbol.iterator]();
    const first = this.#ask({ op: "open-entries", family, range }) as LevelChunk;
    return new LevelEntries(first, {
      refuseClosed: () => this.refuseClosed(),
      next: (iterator) => this.#ask({ op: "next-entries", iterator }) as LevelChunk,
      close: (iterator) => {
        if (this.#open) this.#ask({ op: "close-entries", iterator });
      },
    });
  }

  batch(): DiskBatch {
    this.refuseClosed();
    return new LevelBatch();
  }

  write(batch: DiskBatch, options: { readonly sync: boolean }): void {
    this.refuseClosed();
    assert(batch instanceof LevelBatch, "a batch is written to the disk that made it");
    assert(!batch.written, "a batch is written at most once");
    batch.written = true;
    this.#ask({ op: "write", operations: batch.list, sync: options.sync });
  }

  deleteRange(family: Family, from: Uint8Array, to: Uint8Array): void {
    this.refuseClosed();
    if (!isEmptyRange({ from, to })) this.#ask({ op: "delete-range", family, from, to });
  }

  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.location);
    return bavail * bsize;
  }

  share(): DiskShare {
    this.refuseClosed();
    return { kind: this.kind, location: this.location, handle: this.#memory, control: this.#users.buffer };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Closes the database and ends the disk thread; only the owner does this, after all others have gone. */
  async closeDatabase(): Promise<void> {
    const worker = this.#worker;
    assert(worker !== undefined, "only the owner closes the database");
    worker.ref();
    const exited = once(worker, "exit");
    this.#ask({ op: "close" });
    await exited;
  }

  async #close(): Promise<void> {
    this.#open = false;
    try {
      await this.#onClose(this);
    } catch (error) {
      this.#open = !this.#users.closed;
      this.#closing = undefined;
      throw error;
    }
  }

  refuseClosed(): void {
    if (this.#open && !this.#users.closed) return;
    throw new DiskError("DISK_CLOSED", `The database in ${this.location} is closed in thread ${threadId}. Open it or attach again.`, {
      location: this.location,
    });
  }

  #ask(request: LevelRequest): unknown {
    let answer: LevelAnswer;
    try {
      answer = this.#client.call(request) as LevelAnswer;
    } catch (error) {
      throw toDiskError(error, this.location);
    }
    if (!answer.ok) throw toDiskError(coded(answer.code, answer.text), this.location);
    return answer.value;
  }
}

function coded(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}

interface EntriesSource {
  refuseClosed(): void;
  next(iterator: number): LevelChunk;
  close(iterator: number): void;
}

/** Asks for the next chunk when the present one is used up; the disk thread closes what has given everything. */
class LevelEntries implements IterableIterator<DiskEntry> {
  readonly #source: EntriesSource;
  #chunk: LevelChunk;
  #position = 0;

  constructor(first: LevelChunk, source: EntriesSource) {
    this.#chunk = first;
    this.#source = source;
  }

  next(): IteratorResult<DiskEntry> {
    this.#source.refuseClosed();
    for (;;) {
      const entry = this.#chunk.entries[this.#position++];
      if (entry !== undefined) return { done: false, value: entry };
      if (this.#chunk.iterator === 0) return { done: true, value: undefined };
      this.#chunk = this.#source.next(this.#chunk.iterator);
      this.#position = 0;
    }
  }

  return(): IteratorResult<DiskEntry> {
    const { iterator } = this.#chunk;
    this.#chunk = { iterator: 0, entries: [] };
    if (iterator !== 0) this.#source.close(iterator);
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
