/**
 * One key-value store of one task: two overlays, the committed entries in memory, the rows. All kinds of store are this with another codec.
 *
 *     get: active → committing → committed → rows      put: active, with the entry before it in the journal
 *          └───────── one slot ─────────┘
 */
import assert from "node:assert/strict";
import { deepFreeze } from "./deep-freeze.ts";
import type { EntryCodec } from "./entry-codec.ts";
import { EntrySlots, type EntrySlot } from "./entry-slots.ts";
import { SerdeError } from "../errors.ts";
import { KeyOrder, mergeOrdered, type OrderedKey } from "./key-order.ts";
import { prefixEnd, ROW_PREFIX_BYTES, type RowWrite } from "../row-key.ts";
import type { SealBuffer } from "./seal-buffer.ts";
import type { KeySerde } from "../serde.ts";
import type { KeyValueStore, RangeOptions, RowStore, StoreKey } from "../store.ts";
import type { Undoable, WriteJournal } from "./write-journal.ts";

/** In an overlay: deleted. As committed entry: known not to be in the rows. */
const ABSENT = Symbol("absent");
type Entry<V> = V | typeof ABSENT;

/** What a row is taken to weigh before the first was encoded. */
const FIRST_ROW_BYTES = 128;
/** The weight of the newest generation in the running average. */
const NEWEST_SHARE = 0.25;

export interface EntryTableOptions<K extends StoreKey, V> {
  readonly name: string;
  readonly keySerde: KeySerde<K>;
  readonly codec: EntryCodec<V>;
  readonly prefix: Buffer;
  readonly rows: RowStore;
  readonly journal: WriteJournal;
  readonly cacheEntriesMax: number;
  readonly freeze: boolean;
}

export class EntryTable<K extends StoreKey, V> implements KeyValueStore<K, V>, Undoable {
  readonly name: string;
  readonly keySerde: KeySerde<K>;
  readonly codec: EntryCodec<V>;
  readonly prefix: Buffer;
  /** Told of each key that a rollback put back; set by the stores that keep an index. */
  restored: ((key: K) => void) | undefined;
  readonly #rows: RowStore;
  readonly #journal: WriteJournal;
  readonly #freeze: boolean;
  readonly #slots: EntrySlots<K, Entry<V>>;
  readonly #prefixEnd: Buffer;
  readonly #rememberedMax: number;
  /** Slots with an active entry. */
  #dirtyCount = 0;
  /** Made by the first range of a generation. */
  #activeOrder: KeyOrder<K> | undefined;
  #committingOrder: KeyOrder<K> | undefined;
  #scratch: Buffer;
  #averageRowBytes = FIRST_ROW_BYTES;

  constructor(options: EntryTableOptions<K, V>) {
    this.name = options.name;
    this.keySerde = options.keySerde;
    this.codec = options.codec;
    this.prefix = options.prefix;
    this.#prefixEnd = prefixEnd(options.prefix);
    this.#rows = options.rows;
    this.#journal = options.journal;
    this.#freeze = options.freeze;
    this.#slots = new EntrySlots(options.cacheEntriesMax);
    this.#rememberedMax = (options.cacheEntriesMax >>> 1) - 1;
    this.#scratch = Buffer.allocUnsafeSlow(256);
    this.#scratch.set(options.prefix);
  }

  get(key: K): V | undefined {
    const slot = this.#slots.findOrAdd(key);
    const entry = slot.active ?? slot.committing ?? slot.committed ?? this.#load(slot);
    return entry === ABSENT ? undefined : entry;
  }

  put(key: K, value: V): void {
    assert(value !== undefined, "a value is never undefined: delete the key instead");
    if (this.#freeze) deepFreeze(value);
    this.#write(key, value);
  }

  delete(key: K): void {
    this.#write(key, ABSENT);
  }

  *range(options: RangeOptions<K> = {}): IterableIterator<readonly [K, V]> {
    const reverse = options.reverse === true;
    let left = options.limit ?? Infinity;
    if (left <= 0) return;
    const from = options.from === undefined ? this.prefix : Buffer.from(this.#rowKey(options.from));
    const to = options.to === undefined ? this.#prefixEnd : Buffer.from(this.#rowKey(options.to));
    const overlay = this.#overlayKeys(options.from === undefined ? undefined : from, options.to === undefined ? undefined : to);
    if (reverse) overlay.reverse();
    const rows = this.#rows.entries({ from, to, reverse });
    try {
      let next = 0;
      let row = nextRow(rows);
      while (left > 0) {
        const own = overlay[next];
        if (own === undefined && row === undefined) return;
        const takesRow = row !== undefined && (own === undefined || own.bytes === row.bytes || row.bytes < own.bytes !== reverse);
        const takesOwn = own !== undefined && (row === undefined || !takesRow || own.bytes === row.bytes);
        const key = takesOwn ? own.key : this.keySerde.decode(row?.key ?? this.prefix, ROW_PREFIX_BYTES, row?.key.length ?? 0);
        const value = this.#resolve(key, takesRow ? row?.value : undefined);
        if (value !== undefined) {
          left--;
          yield [key, value];
        }
        if (takesOwn) next++;
        if (takesRow) row = nextRow(rows);
      }
    } finally {
      rows.return?.();
    }
  }

  /** What was committed, from memory or the rows; never the overlays. */
  committed(key: K): V | undefined {
    const slot = this.#slots.findOrAdd(key);
    const entry = slot.committed ?? this.#load(slot);
    return entry === ABSENT ? undefined : entry;
  }

  /** Keeps a row that was read anyway, if there is room without dropping another. */
  remember(key: K, row: Buffer): void {
    if (this.#slots.spare < this.#rememberedMax) this.#slots.findOrAdd(key).committed ??= this.#decode(key, row);
  }

  /** Raw rows of the store, keys without the prefix: what an index is rebuilt from. */
  *committedRows(): Generator<readonly [key: K, value: Buffer]> {
    for (const [key, value] of this.#rows.entries({ from: this.prefix, to: this.#prefixEnd }))
      yield [this.keySerde.decode(key, ROW_PREFIX_BYTES, key.length), value];
  }

  restore(written: unknown, previous: unknown): void {
    // The journal gives back what this table gave it.
    const slot = written as EntrySlot<K, Entry<V>>;
    slot.active = previous as Entry<V> | undefined;
    if (previous === undefined) {
      this.#dirtyCount--;
      this.#activeOrder = undefined;
    }
    this.restored?.(slot.key);
  }

  get dirty(): boolean {
    return this.#dirtyCount > 0;
  }

  get dirtyBytes(): number {
    return this.#dirtyCount * this.#averageRowBytes;
  }

  /** Encodes the active overlay into `rows`, and the timestamps that belong to them; changes nothing. */
  encode(buffer: SealBuffer, rows: RowWrite[], timestamps: number[], streamTime: number): void {
    const before = buffer.bytes;
    const { active } = this.#slots;
    // By index, here and wherever a commit goes over its rows: an iterator makes an object for each.
    for (let index = 0; index < active.length; index++) {
      const { key, active: value } = active[index] as EntrySlot<K, Entry<V>>; // in bounds
      if (value === undefined) continue;
      try {
        if (value === ABSENT) {
          rows.push(buffer.delete(this, key));
          timestamps.push(streamTime);
        } else {
          rows.push(buffer.put(this, key, value));
          const own = this.codec.timestamp(value);
          timestamps.push(own < 0 ? streamTime : own);
        }
      } catch (cause) {
        throw this.#serdeError("VALUE_UNENCODABLE", key, cause);
      }
    }
    const count = this.#dirtyCount;
    if (count > 0) this.#averageRowBytes += ((buffer.bytes - before) / count - this.#averageRowBytes) * NEWEST_SHARE;
  }

  sealed(): void {
    this.#slots.seal();
    this.#dirtyCount = 0;
    this.#committingOrder = this.#activeOrder;
    this.#activeOrder = undefined;
  }

  acknowledged(): void {
    this.#slots.acknowledge();
    this.#committingOrder = undefined;
  }

  /** Drops everything in memory: nobody knows any more what the rows hold. */
  discarded(): void {
    this.#slots.clear();
    this.#dirtyCount = 0;
    this.#activeOrder = undefined;
    this.#committingOrder = undefined;
  }

  #write(key: K, entry: Entry<V>): void {
    const slot = this.#slots.findOrAdd(key);
    const previous = slot.active;
    this.#journal.record(this, slot, previous);
    slot.active = entry;
    if (previous !== undefined) return;
    this.#dirtyCount++;
    if (!slot.listed) this.#slots.list(slot);
    if (this.#activeOrder !== undefined) this.#activeOrder.add(key);
  }

  #load(slot: EntrySlot<K, Entry<V>>): Entry<V> {
    const bytes = this.#rows.get(this.#rowKey(slot.key));
    const entry = bytes === undefined ? ABSENT : this.#decode(slot.key, bytes);
    slot.committed = entry;
    return entry;
  }

  /** The value that a range gives for a key of the overlays or the rows, as of the moment it is given. */
  #resolve(key: K, row: Buffer | undefined): V | undefined {
    const slot = this.#slots.peek(key);
    const own = slot?.active ?? slot?.committing;
    if (own !== undefined) return own === ABSENT ? undefined : own;
    if (row === undefined) return this.committed(key);
    const committed = slot?.committed;
    return committed === undefined || committed === ABSENT ? this.#decode(key, row) : committed;
  }

  #overlayKeys(from: Buffer | undefined, to: Buffer | undefined): OrderedKey<K>[] {
    const encode = (key: K): string => this.#rowKey(key).toString("latin1", ROW_PREFIX_BYTES);
    const { active, committing } = this.#slots;
    if (this.#dirtyCount > 0) this.#activeOrder ??= new KeyOrder(encode, keysOf(active, "active"));
    if (committing.length > 0) this.#committingOrder ??= new KeyOrder(encode, keysOf(committing, "committing"));
    const low = from?.toString("latin1", ROW_PREFIX_BYTES);
    const high = to?.toString("latin1", ROW_PREFIX_BYTES);
    return mergeOrdered(this.#activeOrder?.slice(low, high) ?? [], this.#committingOrder?.slice(low, high) ?? []);
  }

  /** In scratch memory: valid until the next call. */
  #rowKey(key: K): Buffer {
    for (;;) {
      const end = this.#encodeKey(key);
      if (end <= this.#scratch.length) return this.#scratch.subarray(0, end);
      this.#scratch = Buffer.allocUnsafeSlow(end * 2);
      this.#scratch.set(this.prefix);
    }
  }

  #encodeKey(key: K): number {
    try {
      return this.keySerde.encode(key, this.#scratch, ROW_PREFIX_BYTES);
    } catch (cause) {
      throw this.#serdeError("KEY_UNENCODABLE", key, cause);
    }
  }

  #decode(key: K, bytes: Buffer): V {
    try {
      const value = this.codec.decode(bytes, 0, bytes.length, key);
      return this.#freeze ? deepFreeze(value) : value;
    } catch (cause) {
      throw this.#serdeError("ROW_UNDECODABLE", key, cause);
    }
  }

  #serdeError(fallback: "KEY_UNENCODABLE" | "VALUE_UNENCODABLE" | "ROW_UNDECODABLE", key: K, cause: unknown): SerdeError {
    const code = cause instanceof SerdeError ? cause.code : fallback;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new SerdeError(code, `Store ${this.name}, key ${JSON.stringify(key)}: ${reason}`, { store: this.name, key, cause });
  }
}

function keysOf<K>(slots: readonly EntrySlot<K, unknown>[], overlay: "active" | "committing"): K[] {
  return slots.filter((slot) => slot[overlay] !== undefined).map(({ key }) => key);
}

interface Row {
  readonly bytes: string;
  readonly key: Buffer;
  readonly value: Buffer;
}

function nextRow(rows: IterableIterator<readonly [Buffer, Buffer]>): Row | undefined {
  const next = rows.next();
  if (next.done === true) return undefined;
  const [key, value] = next.value;
  return { bytes: key.toString("latin1", ROW_PREFIX_BYTES), key, value };
}
