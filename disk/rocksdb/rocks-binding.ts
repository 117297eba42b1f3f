/**
 * The functions of RocksDB's addon that are used, typed. They are not a public interface: the version is pinned, the tests of
 * this folder are the contract. They are called directly because the package's own classes register each batch and iterator
 * with the database and let go of them only in asynchronous calls.
 */
import { createRequire } from "node:module";

/** An opaque pointer. */
export type Native = object;

export interface ColumnOptions {
  readonly compaction: "level";
  /** Four write buffers; two of them are flushed together. */
  readonly memtableMemoryBudget: number;
  /** Block cache; 0 for none. */
  readonly cacheSize: number;
  /** A hash index in each block and filters for memtables: for families that are read key by key. Ranges work as before. */
  readonly optimize?: "point-lookup";
}

export interface OpenOptions extends ColumnOptions {
  readonly createIfMissing: boolean;
  /** Fails where there is a database, and after it has taken the lock. */
  readonly errorIfExists?: boolean;
  readonly walCompression: boolean;
  readonly columns: Readonly<Record<"default" | "log" | "rows", ColumnOptions>>;
}

export type Columns = Readonly<Record<"log" | "rows", Native>>;

export interface IteratorOptions {
  readonly column: Native;
  readonly gte?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
  readonly reverse?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly keyEncoding: "buffer";
  readonly valueEncoding: "buffer";
  readonly highWaterMarkBytes: number;
}

export interface RocksBinding {
  /** By directory, or by the handle of a database that another thread has open. */
  db_init(locationOrHandle: string | bigint): Native;
  /** With a handle of an open database the columns come back at once and the callback is never called. */
  db_open(database: Native, options: OpenOptions | object, callback: (error: Error | null, columns?: Columns) => void): Columns | undefined;
  db_get_handle(database: Native): bigint;
  db_close(database: Native, callback: (error: Error | null) => void): void;
  db_get_many_sync(database: Native, keys: readonly Uint8Array[], options: { readonly column: Native }): (Buffer | undefined | null)[];
  /** Without a limit: one range tombstone. */
  db_clear(database: Native, options: { readonly column: Native; readonly gte: Uint8Array; readonly lt: Uint8Array }): void;
  iterator_init(database: Native, options: IteratorOptions): Native;
  /** Key, value, key, value, …; at most `count` pairs. */
  iterator_nextv_sync(iterator: Native, count: number): { readonly rows: readonly Buffer[]; readonly finished: boolean };
  iterator_close(iterator: Native): void;
  batch_init(): Native;
  batch_put(batch: Native, key: Uint8Array, value: Uint8Array, options: { readonly column: Native }): void;
  batch_del(batch: Native, key: Uint8Array, options: { readonly column: Native }): void;
  batch_clear(batch: Native): void;
  batch_write(database: Native, batch: Native, options: { readonly sync: boolean }): void;
}

const require = createRequire(import.meta.url);

/** Where the addon is loaded from. Throws where the package is not installed. */
export function rocksModulePath(): string {
  return require.resolve("@nxtedition/rocksdb/binding.js");
}

/** Loads the addon. On a processor that it was not built for this ends the process: probe first. */
export function loadRocksBinding(): RocksBinding {
  // The shape of a native module is this file's word.
  return require("@nxtedition/rocksdb/binding.js") as RocksBinding;
}
