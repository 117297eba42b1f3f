/**
 * The contract of the embedded database: two families of ordered byte rows, synchronous reads, atomic batches.
 * Everything that Slackline keeps on this machine goes through it; implementations stand beside this file.
 */

/** `log` holds record batches and their bookkeeping, `rows` holds store rows. Fixed for ever: families cannot be added later. */
export type Family = "log" | "rows";

export type DiskKind = "rocksdb" | "classic-level" | "memory";

/** Keys are compared as unsigned bytes. `from` is inclusive, `to` exclusive; an absent bound is open. */
export interface KeyRange {
  readonly from?: Uint8Array;
  readonly to?: Uint8Array;
  readonly reverse?: boolean;
  /** At most this many entries; unlimited by default, since the caller can stop pulling. */
  readonly limit?: number;
}

export type DiskEntry = readonly [key: Buffer, value: Buffer];

/**
 * Writes that become visible and durable together. Key and value bytes are copied or kept as they are until the batch is
 * written: the caller does not change them before that. A batch is written at most once.
 */
export interface DiskBatch {
  put(family: Family, key: Uint8Array, value: Uint8Array): void;
  delete(family: Family, key: Uint8Array): void;
  /** Sum of key and value bytes so far: what the caller's byte bound is checked against. */
  readonly bytes: number;
  readonly operations: number;
}

/** What a worker thread needs to attach to a database that its parent thread owns: goes through `workerData`. */
export interface DiskShare {
  readonly kind: DiskKind;
  readonly location: string;
  /** Opaque to all but the implementation of `kind`; structured-cloneable. */
  readonly handle: unknown;
  /** Closed flag and user count; each call of each thread checks it, since a call after close is a segmentation fault. */
  readonly control: SharedArrayBuffer;
}

/**
 * An open database. All calls but `close` are synchronous; each throws DiskError (`DISK_CLOSED`, `DISK_FULL`,
 * `DISK_CORRUPT`, `DISK_FAILED`). Returned buffers belong to the caller.
 */
export interface Disk extends AsyncDisposable {
  readonly kind: DiskKind;
  readonly location: string;
  get(family: Family, key: Uint8Array): Buffer | undefined;
  getMany(family: Family, keys: readonly Uint8Array[]): (Buffer | undefined)[];
  /** Entries in key order, a consistent view as of the call. Must be consumed or returned (`break`) within one synchronous call. */
  entries(family: Family, range: KeyRange): IterableIterator<DiskEntry>;
  batch(): DiskBatch;
  /** Atomic. With `sync` it survives power loss, without it survives the death of the process. */
  write(batch: DiskBatch, options: { readonly sync: boolean }): void;
  /** Deletes all keys of [from, to) of a family, in bounded batches; not atomic. */
  deleteRange(family: Family, from: Uint8Array, to: Uint8Array): void;
  /** Bytes free on the volume; Infinity in memory. */
  freeBytes(): number;
  /** For worker threads; undefined where the kind cannot be shared. */
  share(): DiskShare | undefined;
  /** The owner waits until all attached threads have detached or exited, then closes; an attached thread only detaches. */
  close(): Promise<void>;
}
