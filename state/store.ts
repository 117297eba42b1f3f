/**
 * The contract of state: what a processor sees of a store, and what the engine's task does with all stores of a task.
 * Every store kind and layer passes `state/conformance/`.
 */
import type { RowWrite } from "./row-key.ts";
import type { KeySerde, Serde } from "./serde.ts";

export type StoreKey = string | number;

export interface RangeOptions<K> {
  /** Inclusive. */
  readonly from?: K;
  /** Exclusive. */
  readonly to?: K;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** Values are immutable: what was put or got must never be changed (deep-frozen in tests and simulation). */
export interface KeyValueStore<K extends StoreKey, V> {
  readonly name: string;
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  delete(key: K): void;
  /**
   * In the order of the encoded key; sees this task's own uncommitted writes. Must be consumed within one call of the
   * processor, which may put and delete meanwhile: keys still to come show it, keys that are new since the call are not seen.
   */
  range(options?: RangeOptions<K>): IterableIterator<readonly [K, V]>;
}

export interface Timestamped<V> {
  readonly value: V;
  readonly timestamp: number;
}

export interface TimestampedKeyValueStore<K extends StoreKey, V> extends KeyValueStore<K, Timestamped<V>> {}

export interface PriorityEntry<V> {
  readonly id: string;
  /** Finite; lower comes first, ties by id. */
  readonly priority: number;
  readonly value: V;
}

/**
 * Rows and changelog keyed by id; the order is an index in memory, rebuilt when the task opens and bounded by
 * `entriesMax` (`STORE_FULL`).
 */
export interface PriorityQueueStore<V> {
  readonly name: string;
  readonly size: number;
  get(id: string): PriorityEntry<V> | undefined;
  /** Inserts or replaces (also with another priority). */
  put(id: string, priority: number, value: V): void;
  delete(id: string): void;
  peek(): PriorityEntry<V> | undefined;
  /** In order, without removing; stops when the caller stops. Entries changed while iterating are seen or not, never twice. */
  entries(): IterableIterator<PriorityEntry<V>>;
}

export type TimerClock = "stream" | "wall";

export interface TimerEntry {
  readonly key: string;
  readonly at: number;
}

/**
 * Durable keyed timers: at most one per key; they fire between records in the order (at, name, key), with `at` as
 * argument. A timer set for a time already reached fires before the next record.
 */
export interface TimerStore {
  readonly name: string;
  readonly clock: TimerClock;
  /** Sets or moves. `at` is a whole millisecond ≥ 0. */
  set(key: string, at: number): void;
  cancel(key: string): void;
  at(key: string): number | undefined;
  readonly size: number;
  /** Earliest entry; the task asks, fires and removes. */
  peek(): TimerEntry | undefined;
}

export type StoreDescriptor<K extends StoreKey = StoreKey, V = unknown> =
  | KeyValueDescriptor<K, V>
  | TimestampedDescriptor<K, V>
  | PriorityQueueDescriptor<V>
  | TimersDescriptor;

interface DescriptorBase {
  /** Mandatory and unique in the application; binds rows and changelog. */
  readonly name: string;
  /** Decoded committed values kept in memory, least recently used dropped first; default 100,000 entries. */
  readonly cacheEntriesMax?: number;
}
export interface KeyValueDescriptor<K extends StoreKey, V> extends DescriptorBase {
  readonly kind: "key-value";
  readonly key: KeySerde<K>;
  readonly value: Serde<V>;
}
export interface TimestampedDescriptor<K extends StoreKey, V> extends DescriptorBase {
  readonly kind: "timestamped";
  readonly key: KeySerde<K>;
  readonly value: Serde<V>;
}
export interface PriorityQueueDescriptor<V> extends DescriptorBase {
  readonly kind: "priority-queue";
  readonly value: Serde<V>;
  /** Default 1,000,000. */
  readonly entriesMax?: number;
}
export interface TimersDescriptor extends DescriptorBase {
  readonly kind: "timers";
  readonly clock: TimerClock;
  /** Default 1,000,000. */
  readonly entriesMax?: number;
}

/** The store a processor gets for a descriptor. */
export type StoreOf<D> =
  D extends KeyValueDescriptor<infer K, infer V>
    ? KeyValueStore<K, V>
    : D extends TimestampedDescriptor<infer K, infer V>
      ? TimestampedKeyValueStore<K, V>
      : D extends PriorityQueueDescriptor<infer V>
        ? PriorityQueueStore<V>
        : D extends TimersDescriptor
          ? TimerStore
          : never;

/** One changed key of a sealed generation, encoded once: what the row batch takes and, later, what the changelog takes. */
export interface SealedChange {
  readonly store: string;
  /** The encoded key without the row prefix. */
  readonly key: Buffer;
  /** Null deletes. */
  readonly value: Buffer | null;
  /** For the changelog record; the largest record timestamp that touched the key, or the commit's stream time. */
  readonly timestamp: number;
}

/**
 * A generation that left the processor's hands. It encodes each dirty key exactly once, here. The bytes are slices of one
 * buffer that is used again: they stay as they are until `acknowledge` (for ever, after `discard`).
 */
export interface SealedState {
  /** Full row keys. */
  readonly rows: readonly RowWrite[];
  readonly changes: readonly SealedChange[];
  readonly bytes: number;
}

/**
 * All stores of one task: overlay with two generations, journal, cache, rows.
 * Read path: active overlay → committing overlay → cache of decoded committed values → rows.
 */
export interface TaskState {
  store<D extends StoreDescriptor>(descriptor: D): StoreOf<D>;
  /** Timer stores in the order of their names. */
  readonly timers: readonly TimerStore[];
  /** Start of a record, timer or punctuation: what `rollback` returns to. O(1). */
  savepoint(): void;
  /** Undoes every write since the savepoint, in all stores, indexes included. */
  rollback(): void;
  /** Estimated bytes of the active generation. */
  readonly dirtyBytes: number;
  readonly dirty: boolean;
  /**
   * Active generation → committing generation, encoded. Throws SerdeError naming store and key, leaving everything as it
   * was. Only when nothing is committing. `streamTime` (default 0) becomes the timestamp of changes whose value has none.
   */
  seal(streamTime?: number): SealedState;
  /** The sealed generation is in the rows: it moves into the cache. */
  acknowledge(): void;
  /** Nothing sealed or active remains; values and indexes are as the rows are now, whoever wrote them. */
  discard(): void;
  /** Committed content only, for queries: rows and cache, never the overlays. */
  committed<K extends StoreKey, V>(store: string, key: K): V | undefined;
  /** Closes; unsealed writes are lost. */
  close(): void;
}

/** Rows below the task: the database of this process, or memory in tests. Implemented over `#disk`. */
export interface RowStore {
  get(key: Buffer): Buffer | undefined;
  getMany(keys: readonly Buffer[]): (Buffer | undefined)[];
  entries(range: { readonly from: Buffer; readonly to: Buffer; readonly reverse?: boolean }): IterableIterator<readonly [Buffer, Buffer]>;
}

export interface TaskStateOptions {
  readonly rows: RowStore;
  readonly partition: number;
  readonly descriptors: readonly StoreDescriptor[];
  /** Store name → the id given once and kept (a row of its own). */
  readonly storeIds: ReadonlyMap<string, number>;
  /** Deep-freeze on put and get: on in tests and simulation. */
  readonly freeze?: boolean;
}
