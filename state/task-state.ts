/** All stores of one task behind one journal, one seal and one life: what the engine's task holds. */
import assert from "node:assert/strict";
import { CACHE_ENTRIES_MAX, INDEX_ENTRIES_MAX } from "./defaults.ts";
import { plainCodec, priorityCodec, timerCodec, timestampedCodec, type EntryCodec } from "./entries/entry-codec.ts";
import { EntryTable } from "./entries/entry-table.ts";
import { StateError } from "./errors.ts";
import { IndexedPriorityQueueStore } from "./indexed/priority-queue-store.ts";
import { rowPrefix, type RowWrite } from "./row-key.ts";
import { SealBuffer } from "./entries/seal-buffer.ts";
import { SealedGeneration, type SealedSpan } from "./entries/sealed-generation.ts";
import type { KeySerde } from "./serde.ts";
import { stringKey } from "./serdes.ts";
import type { SealedState, StoreDescriptor, StoreKey, StoreOf, TaskState, TaskStateOptions, TimerStore } from "./store.ts";
import { IndexedTimerStore } from "./indexed/timer-store.ts";
import { WriteJournal } from "./entries/write-journal.ts";

/** Opens the stores of one task over its rows; priority queues and timers read theirs to rebuild the order. */
export function openTaskState(options: TaskStateOptions): TaskState {
  return new OverlaidTaskState(options);
}

/** One table per store, whatever its kind; keys and values are the descriptor's. */
type AnyTable = EntryTable<StoreKey, unknown>;

interface OpenStore {
  readonly descriptor: StoreDescriptor;
  readonly table: AnyTable;
  readonly store: unknown;
  readonly rebuild: (() => void) | undefined;
}

class OverlaidTaskState implements TaskState {
  readonly timers: readonly TimerStore[];
  readonly #options: TaskStateOptions;
  readonly #journal = new WriteJournal();
  readonly #buffer = new SealBuffer();
  readonly #stores = new Map<string, OpenStore>();
  readonly #tables: readonly AnyTable[];
  #committing = false;
  #closed = false;

  constructor(options: TaskStateOptions) {
    this.#options = options;
    const timers: TimerStore[] = [];
    for (const descriptor of options.descriptors) {
      assert(!this.#stores.has(descriptor.name), `the store name ${descriptor.name} is given twice`);
      const open = this.#open(descriptor);
      this.#stores.set(descriptor.name, open);
      if (open.store instanceof IndexedTimerStore) timers.push(open.store);
    }
    this.timers = timers.sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#tables = [...this.#stores.values()].map(({ table }) => table);
  }

  store<D extends StoreDescriptor>(descriptor: D): StoreOf<D> {
    const open = this.#find(descriptor.name);
    assert(open.descriptor.kind === descriptor.kind, `store ${descriptor.name} is a ${open.descriptor.kind} store`);
    // The kinds agree, and the kind decides the type.
    return open.store as StoreOf<D>;
  }

  savepoint(): void {
    this.#journal.mark();
  }

  rollback(): void {
    this.#journal.undo();
  }

  get dirtyBytes(): number {
    let bytes = 0;
    for (const table of this.#tables) bytes += table.dirtyBytes;
    return bytes;
  }

  get dirty(): boolean {
    return this.#tables.some((table) => table.dirty);
  }

  seal(streamTime = 0): SealedState {
    assert(!this.#closed, "the state is closed");
    assert(!this.#committing, "a generation is committing already");
    const rows: RowWrite[] = [];
    const timestamps: number[] = [];
    const spans: SealedSpan[] = [];
    this.#buffer.restart();
    for (const table of this.#tables) {
      const start = rows.length;
      table.encode(this.#buffer, rows, timestamps, streamTime);
      if (rows.length > start) spans.push({ store: table.name, localPrefixBytes: table.codec.localPrefixBytes, end: rows.length });
    }
    // Nothing was changed so far: an encoder that throws leaves everything as it was.
    for (const table of this.#tables) table.sealed();
    this.#journal.mark();
    this.#committing = true;
    return new SealedGeneration({ rows, timestamps, spans, bytes: this.#buffer.bytes });
  }

  acknowledge(): void {
    assert(this.#committing, "nothing is committing");
    for (const table of this.#tables) table.acknowledged();
    this.#committing = false;
  }

  discard(): void {
    for (const table of this.#tables) table.discarded();
    // Whoever was given the sealed rows may still be reading them.
    if (this.#committing) this.#buffer.abandon();
    this.#journal.mark();
    this.#committing = false;
    for (const { rebuild } of this.#stores.values()) rebuild?.();
  }

  committed<K extends StoreKey, V>(store: string, key: K): V | undefined {
    // The caller names key and value type by the store it asks.
    return this.#find(store).table.committed(key) as V | undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const table of this.#tables) table.discarded();
    this.#journal.mark();
  }

  #find(name: string): OpenStore {
    const open = this.#stores.get(name);
    if (open === undefined)
      throw new StateError("STORE_UNKNOWN", `There is no store ${name}; there are ${[...this.#stores.keys()].join(", ")}.`, {
        store: name,
      });
    return open;
  }

  #open(descriptor: StoreDescriptor): OpenStore {
    if (descriptor.kind === "key-value") {
      const table = this.#table(descriptor, descriptor.key, plainCodec(descriptor.value));
      return { descriptor, table, store: table, rebuild: undefined };
    }
    if (descriptor.kind === "timestamped") {
      const table = this.#table(descriptor, descriptor.key, timestampedCodec(descriptor.value));
      return { descriptor, table: table, store: table, rebuild: undefined };
    }
    const entriesMax = descriptor.entriesMax ?? INDEX_ENTRIES_MAX;
    if (descriptor.kind === "priority-queue") {
      const table = this.#table(descriptor, stringKey, priorityCodec(descriptor.value));
      const store = new IndexedPriorityQueueStore(table, entriesMax);
      return { descriptor, table: table as unknown as AnyTable, store, rebuild: () => store.rebuild() };
    }
    const table = this.#table(descriptor, stringKey, timerCodec);
    const store = new IndexedTimerStore(table, { clock: descriptor.clock, entriesMax });
    return { descriptor, table: table as unknown as AnyTable, store, rebuild: () => store.rebuild() };
  }

  #table<K extends StoreKey, V>(descriptor: StoreDescriptor, keySerde: KeySerde<K>, codec: EntryCodec<V>): EntryTable<K, V> {
    const { storeIds, partition, rows, freeze } = this.#options;
    const storeId = storeIds.get(descriptor.name);
    assert(storeId !== undefined, `store ${descriptor.name} has no id: load the store ids first`);
    return new EntryTable({
      name: descriptor.name,
      keySerde,
      codec,
      prefix: rowPrefix(storeId, partition),
      rows,
      journal: this.#journal,
      cacheEntriesMax: descriptor.cacheEntriesMax ?? CACHE_ENTRIES_MAX,
      freeze: freeze === true,
    });
  }
}
