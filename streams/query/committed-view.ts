/** Interactive queries: committed rows of this process's database, read past the tasks that own them. */
import assert from "node:assert/strict";
import type { Disk } from "#disk";
import type { CommittedOffset, Log, TopicPartition } from "#log";
import { diskRowStore, loadStoreIds, openTaskState, type RangeOptions, type StoreDescriptor, type StoreKey } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { StreamsError } from "../errors.ts";
import { encodeKey, partitionFor } from "../partition-for.ts";
import type { Subtopology } from "../topology/node.ts";
import { storeTopicsOf, type StoreTopics } from "../topology/store-topics.ts";
import { committedRowOf, committedRowsOf } from "./committed-rows.ts";
import { isPlain, plainRange, plainRows, type PlainDescriptor } from "./plain-rows.ts";

export interface CommittedRow {
  readonly key: StoreKey;
  /** Decoded by the store's serde; `{ value, timestamp }` of a timestamped store, the entry of a queue, the due time of a timer. */
  readonly value: unknown;
  readonly partition: number;
}

export interface CommittedRange {
  /** Default: all, one after the other. */
  readonly partition?: number;
  /** Inclusive. */
  readonly from?: StoreKey;
  /** Exclusive. */
  readonly to?: StoreKey;
  /** Default 100. */
  readonly limit?: number;
}

/** How far the inputs of a store's task were processed when its rows were committed; undefined: never. */
export interface InputPosition extends TopicPartition {
  readonly committed: CommittedOffset | undefined;
}

export interface CommittedViewOptions {
  readonly topology: Topology;
  readonly disk: Disk;
  /** For `position` only. */
  readonly log?: Log;
  /** The application id, whose offsets are the positions. */
  readonly group?: string;
}

const limitDefault = 100;

/**
 * Every call reads anew what is committed at that moment and throws StreamsError (`STORE_UNKNOWN`, `PARTITION_INVALID`) or
 * what the store's serde throws. A queue or a timer store is ordered in memory first: the call costs as much as the
 * partition has entries.
 */
export interface CommittedView {
  /** Looks where the source topic's partitioner puts the key; a store under other keys than its topic's is searched in all partitions. */
  get(store: string, key: StoreKey): CommittedRow | undefined;
  /** One read for all keys of a key-value store, each looked for where the source topic's partitioner puts it; one by one otherwise. */
  getMany(store: string, keys: readonly StoreKey[]): readonly (CommittedRow | undefined)[];
  /** In the order of keys, priorities or due times within each partition. */
  range(store: string, range?: CommittedRange): readonly CommittedRow[];
  /** Ask before reading rows: they are then at least as new as this position. Needs `log` and `group`. */
  position(store: string, partition: number): Promise<readonly InputPosition[]>;
}

class DiskCommittedView implements CommittedView {
  readonly #options: CommittedViewOptions;
  readonly #stores = new Map<string, { readonly descriptor: StoreDescriptor; readonly subtopology: Subtopology }>();
  readonly #topics: StoreTopics;
  #ids: ReadonlyMap<string, number> = new Map();

  constructor(options: CommittedViewOptions) {
    this.#options = options;
    const { subtopologies } = options.topology;
    for (const subtopology of subtopologies) {
      for (const descriptor of subtopology.stores) this.#stores.set(descriptor.name, { descriptor, subtopology });
    }
    this.#topics = storeTopicsOf(subtopologies);
  }

  get(store: string, key: StoreKey): CommittedRow | undefined {
    const { descriptor, subtopology } = this.#find(store);
    const likely = this.#partitionOf(store, key);
    const others = partitionsOf(subtopology).filter((partition) => partition !== likely);
    const storeId = this.#idOf(descriptor);
    if (isPlain(descriptor) && storeId !== undefined) {
      const place = { storeId, key };
      try {
        return this.#plainRow(descriptor, place, likely === undefined ? [] : [likely]) ?? this.#plainRow(descriptor, place, others);
      } catch {
        // The same read through a state names store and key in its error.
      }
    }
    for (const partition of likely === undefined ? others : [likely, ...others]) {
      const value = this.#read(descriptor, partition, (state) => committedRowOf(state, descriptor, key));
      if (value !== undefined) return { key, value, partition };
    }
    return undefined;
  }

  getMany(store: string, keys: readonly StoreKey[]): readonly (CommittedRow | undefined)[] {
    const { descriptor } = this.#find(store);
    const storeId = this.#idOf(descriptor);
    const partitions = keys.map((key) => this.#partitionOf(store, key));
    if (!isPlain(descriptor) || storeId === undefined || partitions.includes(undefined)) return keys.map((key) => this.get(store, key));
    // None is undefined: it was looked at in the line before.
    const places = keys.map((key, index) => ({ storeId, key, partition: partitions[index] as number }));
    const values = plainRows(this.#options.disk, descriptor, places);
    return places.map(({ key, partition }, index) => {
      const value = values[index];
      return value === undefined ? undefined : { key, value, partition };
    });
  }

  range(store: string, { partition, from, to, limit = limitDefault }: CommittedRange = {}): readonly CommittedRow[] {
    const { descriptor, subtopology } = this.#find(store);
    const all = partitionsOf(subtopology);
    if (partition !== undefined && !all.includes(partition))
      throw new StreamsError("PARTITION_INVALID", `store ${store} has partitions 0 to ${all.length - 1}, not ${partition}`, { store });
    const rows: CommittedRow[] = [];
    for (const index of partition === undefined ? all : [partition]) {
      if (rows.length >= limit) break;
      const range = { limit: limit - rows.length, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
      const found =
        this.#plainRange(descriptor, index, range) ??
        this.#read(descriptor, index, (state) => committedRowsOf(state, descriptor, range)) ??
        [];
      for (const [key, value] of found) rows.push({ key, value, partition: index });
    }
    return rows;
  }

  async position(store: string, partition: number): Promise<readonly InputPosition[]> {
    const { log, group } = this.#options;
    assert(log !== undefined && group !== undefined, "positions need `log` and `group`: give both to openCommittedView");
    const sources = this.#find(store).subtopology.sources.filter(({ topic }) => partition < topic.partitions);
    const inputs = sources.map(({ topic }) => ({ topic: topic.name, partition }));
    const committed = await log.offsets.committed(group, inputs);
    return inputs.map((input, index) => ({ ...input, committed: committed[index] }));
  }

  #find(store: string): { readonly descriptor: StoreDescriptor; readonly subtopology: Subtopology } {
    const found = this.#stores.get(store);
    if (found !== undefined) return found;
    const names = [...this.#stores.keys()].sort().join(", ");
    throw new StreamsError("STORE_UNKNOWN", `the topology has no store ${store}; it has ${names === "" ? "none" : names}`, { store });
  }

  #partitionOf(store: string, key: StoreKey): number | undefined {
    const topic = this.#topics.get(store)?.[0];
    if (topic === undefined) return undefined;
    try {
      return partitionFor(topic, key, encodeKey(topic.key, key));
    } catch {
      // The store's keys need not be keys of the topic: then its serde or partitioner may refuse them.
      return undefined;
    }
  }

  /** One read for all of these partitions. */
  #plainRow(
    descriptor: PlainDescriptor,
    { storeId, key }: { readonly storeId: number; readonly key: StoreKey },
    partitions: readonly number[],
  ): CommittedRow | undefined {
    if (partitions.length === 0) return undefined;
    const places = partitions.map((partition) => ({ storeId, partition, key }));
    for (const [at, value] of plainRows(this.#options.disk, descriptor, places).entries()) {
      const partition = partitions[at];
      if (value !== undefined && partition !== undefined) return { key, value, partition };
    }
    return undefined;
  }

  /** Undefined for stores of another kind, and for what a state has to explain. */
  #plainRange(
    descriptor: StoreDescriptor,
    partition: number,
    range: RangeOptions<StoreKey> & { readonly limit: number },
  ): readonly (readonly [StoreKey, unknown])[] | undefined {
    const storeId = this.#idOf(descriptor);
    if (!isPlain(descriptor) || storeId === undefined) return undefined;
    try {
      return plainRange(this.#options.disk, descriptor, { storeId, partition }, range);
    } catch {
      // The same read through a state names store and key in its error.
      return undefined;
    }
  }

  /** Given when an application with that store starts for the first time. */
  #idOf({ name }: StoreDescriptor): number | undefined {
    if (!this.#ids.has(name)) this.#ids = loadStoreIds(this.#options.disk, []);
    return this.#ids.get(name);
  }

  /** Undefined while the store has no id. */
  #read<R>(descriptor: StoreDescriptor, partition: number, read: (state: ReturnType<typeof openTaskState>) => R): R | undefined {
    const { disk } = this.#options;
    if (this.#idOf(descriptor) === undefined) return undefined;
    // A state of its own that nobody writes to sees rows only, and its cache dies with it.
    const state = openTaskState({ rows: diskRowStore(disk), partition, descriptors: [descriptor], storeIds: this.#ids });
    try {
      return read(state);
    } finally {
      state.close();
    }
  }
}

/** Committed content of all stores of a topology over the database of this process. */
export function openCommittedView(options: CommittedViewOptions): CommittedView {
  return new DiskCommittedView(options);
}

function partitionsOf({ partitions }: Subtopology): readonly number[] {
  return Array.from({ length: partitions }, (_, partition) => partition);
}
