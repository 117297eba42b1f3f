/**
 * The database on RocksDB. The thread that opens it owns it; other threads of the process attach to the same native database
 * by its address and only ever detach. Reads and writes of all threads are synchronous calls into it.
 */
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { threadId } from "node:worker_threads";
import { isEmptyRange } from "../byte-range.ts";
import type { Disk, DiskBatch, DiskEntry, DiskShare, Family, KeyRange } from "../disk.ts";
import { DiskError } from "../errors.ts";
import { toDiskError } from "../native-error.ts";
import { findSequenceGap } from "../inspection/sequence-gap.ts";
import type { SharedUsers } from "../shared-users.ts";
import { loadRocksBinding, type ColumnOptions, type Columns, type Native, type OpenOptions, type RocksBinding } from "./rocks-binding.ts";
import { RocksEntries } from "./rocks-entries.ts";

/** Bytes that one fetch of an iterator brings at most, but for the entry that exceeds it. */
const CHUNK_BYTES_MAX = 256 * 1024;
/** Native batches that wait to be used again: a thread fills one at a time. */
const SPARE_BATCHES_MAX = 2;
/** A cleared batch keeps its room: one that was larger is not kept. */
const SPARE_BATCH_BYTES_MAX = 1024 * 1024;

export interface RocksOpenOptions {
  readonly location: string;
  /** Where the database files are. */
  readonly directory: string;
  readonly create: boolean;
  readonly users: SharedUsers;
  /** Block caches of both families together. */
  readonly cacheBytesMax: number;
  /** Write buffers of each family; what a start after a crash reads again at most is about this twice. */
  readonly memtableBytesMax: number;
  readonly onClose: (disk: RocksDisk) => Promise<void>;
}

/** Opens the database files and owns them. Rejects with DISK_LOCKED, DISK_CORRUPT, DISK_FULL or DISK_FAILED. */
export async function openRocksDatabase(options: RocksOpenOptions): Promise<RocksDisk> {
  const binding = loadRocksBinding();
  const log = column(options.memtableBytesMax, options.cacheBytesMax / 4);
  // Store rows are read one by one and in any order, as records come; blocks of the log by range.
  const rows: ColumnOptions = { ...column(options.memtableBytesMax, (options.cacheBytesMax * 3) / 4), optimize: "point-lookup" };
  const openOptions = {
    ...column(options.memtableBytesMax, 0),
    createIfMissing: options.create,
    walCompression: false,
    // RocksDB insists on `default`; nothing is ever put there.
    columns: { default: column(1024 * 1024, 0), log, rows },
  };
  const open = (more: Partial<OpenOptions>): Promise<Opened> => openNative(binding, options, { ...openOptions, ...more });
  if (findSequenceGap(options.directory) !== undefined) await refuseGap(options, () => open({ errorIfExists: true }));
  const { database, columns } = await open({});
  return new RocksDisk({ binding, database, columns, location: options.location, users: options.users, onClose: options.onClose });
}

interface Opened {
  readonly database: Native;
  readonly columns: Columns;
}

function openNative(binding: RocksBinding, { directory, location }: RocksOpenOptions, openOptions: OpenOptions): Promise<Opened> {
  const database = binding.db_init(directory);
  return new Promise((resolve, reject) => {
    binding.db_open(database, openOptions, (error, columns) => {
      if (error !== null || columns === undefined) reject(toDiskError(error, location));
      else resolve({ database, columns });
    });
  });
}

/** Files that somebody writes do not fit together at every moment: an opening that has to fail takes the lock before it does. */
async function refuseGap({ directory, location }: RocksOpenOptions, probe: () => Promise<Opened>): Promise<void> {
  const error: unknown = await probe().catch((cause: unknown) => cause);
  if (error instanceof DiskError && error.code === "DISK_LOCKED") throw error;
  const gap = findSequenceGap(directory);
  if (gap !== undefined) throw toDiskError(Object.assign(new Error(gap), { code: "LEVEL_CORRUPTION" }), location);
}

function column(memtableMemoryBudget: number, cacheBytes: number): ColumnOptions {
  return { compaction: "level", memtableMemoryBudget, cacheSize: Math.floor(cacheBytes) };
}

/** The same database in another thread. Throws DISK_CLOSED when the owner is closing it. */
export function attachRocksDatabase(share: DiskShare, users: SharedUsers, onClose: () => Promise<void>): RocksDisk {
  const binding = loadRocksBinding();
  // Only `share()` below makes such a handle, and the slot that the caller took keeps the database open.
  const database = binding.db_init(share.handle as bigint);
  const columns = binding.db_open(database, {}, () => undefined);
  assert(columns !== undefined, "an open database gives its families at once");
  return new RocksDisk({ binding, database, columns, location: share.location, users, onClose });
}

class RocksBatch implements DiskBatch {
  readonly native: Native;
  readonly #disk: { readonly binding: RocksBinding; readonly log: { column: Native }; readonly rows: { column: Native } };
  written = false;
  bytes = 0;
  operations = 0;

  constructor(
    disk: { readonly binding: RocksBinding; readonly log: { column: Native }; readonly rows: { column: Native } },
    native: Native,
  ) {
    this.#disk = disk;
    this.native = native;
  }

  put(family: Family, key: Uint8Array, value: Uint8Array): void {
    // Its native batch may be another's by now.
    assert(!this.written, "a written batch takes nothing more");
    this.#disk.binding.batch_put(this.native, key, value, this.#disk[family]);
    this.bytes += key.length + value.length;
    this.operations++;
  }

  delete(family: Family, key: Uint8Array): void {
    assert(!this.written, "a written batch takes nothing more");
    this.#disk.binding.batch_del(this.native, key, this.#disk[family]);
    this.bytes += key.length;
    this.operations++;
  }
}

export interface RocksParts {
  readonly binding: RocksBinding;
  readonly database: Native;
  readonly columns: Columns;
  readonly location: string;
  readonly users: SharedUsers;
  /** Detaching in an attached thread, waiting and closing in the owner. */
  readonly onClose: (disk: RocksDisk) => Promise<void>;
}

/** One thread's view of the database. */
export class RocksDisk implements Disk {
  readonly kind = "rocksdb";
  readonly location: string;
  readonly binding: RocksBinding;
  readonly log: { readonly column: Native };
  readonly rows: { readonly column: Native };
  readonly #database: Native;
  readonly #users: SharedUsers;
  readonly #key: Uint8Array[] = [];
  readonly #spareBatches: Native[] = [];
  readonly #onClose: (disk: RocksDisk) => Promise<void>;
  #open = true;
  #closing: Promise<void> | undefined;

  constructor(parts: RocksParts) {
    this.binding = parts.binding;
    this.location = parts.location;
    this.log = { column: parts.columns.log };
    this.rows = { column: parts.columns.rows };
    this.#database = parts.database;
    this.#users = parts.users;
    this.#onClose = parts.onClose;
  }

  get(family: Family, key: Uint8Array): Buffer | undefined {
    this.#key[0] = key;
    return this.getMany(family, this.#key)[0];
  }

  getMany(family: Family, keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    this.refuseClosed();
    try {
      const values = this.binding.db_get_many_sync(this.#database, keys, this[family]);
      // Null stands for a read that was given up; without a time limit none is.
      assert(!values.includes(null), "RocksDB gave up a read");
      return values as (Buffer | undefined)[];
    } catch (error) {
      throw this.toError(error);
    }
  }

  entries(family: Family, range: KeyRange): IterableIterator<DiskEntry> {
    this.refuseClosed();
    if (isEmptyRange(range)) return [][Symbol.iterator]();
    const { from, to, reverse, limit } = range;
    try {
      const iterator = this.binding.iterator_init(this.#database, {
        column: this[family].column,
        gte: from,
        lt: to,
        reverse,
        limit: limit === undefined || limit === Infinity ? undefined : limit,
        keyEncoding: "buffer",
        valueEncoding: "buffer",
        highWaterMarkBytes: CHUNK_BYTES_MAX,
      });
      return new RocksEntries(this, iterator);
    } catch (error) {
      throw this.toError(error);
    }
  }

  batch(): DiskBatch {
    this.refuseClosed();
    return new RocksBatch(this, this.#spareBatches.pop() ?? this.binding.batch_init());
  }

  write(batch: DiskBatch, options: { readonly sync: boolean }): void {
    this.refuseClosed();
    assert(batch instanceof RocksBatch, "a batch is written to the disk that made it");
    assert(!batch.written, "a batch is written at most once");
    batch.written = true;
    try {
      this.binding.batch_write(this.#database, batch.native, options);
    } catch (error) {
      throw this.toError(error);
    } finally {
      // Its memory is RocksDB's. The collector does not see it, and frees what it found only when the event loop turns, which
      // it never does in virtual time: native batches are used again.
      this.binding.batch_clear(batch.native);
      if (batch.bytes <= SPARE_BATCH_BYTES_MAX && this.#spareBatches.length < SPARE_BATCHES_MAX) this.#spareBatches.push(batch.native);
    }
  }

  deleteRange(family: Family, from: Uint8Array, to: Uint8Array): void {
    this.refuseClosed();
    if (isEmptyRange({ from, to })) return;
    try {
      this.binding.db_clear(this.#database, { column: this[family].column, gte: from, lt: to });
    } catch (error) {
      throw this.toError(error);
    }
  }

  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.location);
    return bavail * bsize;
  }

  share(): DiskShare {
    this.refuseClosed();
    return {
      kind: this.kind,
      location: this.location,
      handle: this.binding.db_get_handle(this.#database),
      control: this.#users.buffer,
    };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#open = false;
    try {
      await this.#onClose(this);
    } catch (error) {
      // Still there, as are the threads that would not go.
      this.#open = !this.#users.closed;
      this.#closing = undefined;
      throw error;
    }
  }

  /**
   * Closes the native database; only the owner does this, after all others have gone. What fails now was said to whoever
   * wrote when the volume filled up; the database is closed all the same, and what was acknowledged is in its log.
   */
  async closeDatabase(): Promise<void> {
    await new Promise((resolve) => {
      this.binding.db_close(this.#database, resolve);
    });
  }

  refuseClosed(): void {
    if (this.#open && !this.#users.closed) return;
    throw new DiskError("DISK_CLOSED", `The database in ${this.location} is closed in thread ${threadId}. Open it or attach again.`, {
      location: this.location,
    });
  }

  toError(error: unknown): DiskError {
    return toDiskError(error, this.location);
  }
}
