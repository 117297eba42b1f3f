import type { DiskEntry } from "../disk.ts";
import type { Native, RocksBinding } from "./rocks-binding.ts";

const FIRST_CHUNK_ENTRIES = 16;
const CHUNK_ENTRIES_MAX = 1_024;

/** What an iteration needs of its database. */
export interface EntriesSource {
  readonly binding: RocksBinding;
  /** Throws DISK_CLOSED: an iterator dies with its database. */
  refuseClosed(): void;
  toError(error: unknown): Error;
}

/**
 * Entries read in growing chunks. The first chunk is read at once, and the native iterator is closed as soon as it has given
 * everything: a short range never holds one.
 */
export class RocksEntries implements IterableIterator<DiskEntry> {
  readonly #source: EntriesSource;
  #iterator: Native | undefined;
  #rows: readonly Buffer[] = [];
  #position = 0;
  #chunkEntries = FIRST_CHUNK_ENTRIES;

  constructor(source: EntriesSource, iterator: Native) {
    this.#source = source;
    this.#iterator = iterator;
    this.#fetch();
  }

  next(): IteratorResult<DiskEntry> {
    this.#source.refuseClosed();
    if (this.#position >= this.#rows.length) this.#fetch();
    const key = this.#rows[this.#position];
    const value = this.#rows[this.#position + 1];
    if (key === undefined || value === undefined) return this.return();
    this.#position += 2;
    return { done: false, value: [key, value] };
  }

  return(): IteratorResult<DiskEntry> {
    this.#rows = [];
    this.#position = 0;
    this.#close();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  #fetch(): void {
    this.#rows = [];
    this.#position = 0;
    if (this.#iterator === undefined) return;
    try {
      const { rows, finished } = this.#source.binding.iterator_nextv_sync(this.#iterator, this.#chunkEntries);
      this.#rows = rows;
      this.#chunkEntries = Math.min(this.#chunkEntries * 4, CHUNK_ENTRIES_MAX);
      if (finished) this.#close();
    } catch (error) {
      this.#close();
      throw this.#source.toError(error);
    }
  }

  #close(): void {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    if (iterator !== undefined) this.#source.binding.iterator_close(iterator);
  }
}
