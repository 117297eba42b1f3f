/** The database in memory: for tests and virtual time. Same contract, nothing kept, not shareable. */
import assert from "node:assert/strict";
import type { Disk, DiskBatch, DiskEntry, DiskShare, Family, KeyRange } from "../disk.ts";
import { DiskError } from "../errors.ts";
import { OrderedRows, type RowCursor } from "./ordered-rows.ts";

const LOCATION = "memory";

/** A new, empty database in memory. */
export function memoryDisk(): Disk {
  return new MemoryDisk();
}

function latin1(bytes: Uint8Array): string {
  return Buffer.isBuffer(bytes)
    ? bytes.toString("latin1")
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

class MemoryBatch implements DiskBatch {
  readonly families: Family[] = [];
  readonly keys: string[] = [];
  /** Undefined deletes. */
  readonly values: (string | undefined)[] = [];
  written = false;
  bytes = 0;

  get operations(): number {
    return this.keys.length;
  }

  put(family: Family, key: Uint8Array, value: Uint8Array): void {
    this.families.push(family);
    this.keys.push(latin1(key));
    this.values.push(latin1(value));
    this.bytes += key.length + value.length;
  }

  delete(family: Family, key: Uint8Array): void {
    this.families.push(family);
    this.keys.push(latin1(key));
    this.values.push(undefined);
    this.bytes += key.length;
  }
}

class MemoryDisk implements Disk {
  readonly kind = "memory";
  readonly location: string = LOCATION;
  readonly #log = new OrderedRows();
  readonly #rows = new OrderedRows();
  #closed = false;

  get(family: Family, key: Uint8Array): Buffer | undefined {
    const value = this.#family(family).get(latin1(key));
    return value === undefined ? undefined : Buffer.from(value, "latin1");
  }

  getMany(family: Family, keys: readonly Uint8Array[]): (Buffer | undefined)[] {
    return keys.map((key) => this.get(family, key));
  }

  entries(family: Family, range: KeyRange): IterableIterator<DiskEntry> {
    const from = range.from === undefined ? undefined : latin1(range.from);
    const to = range.to === undefined ? undefined : latin1(range.to);
    const cursor = this.#family(family).view({ from, to, reverse: range.reverse === true });
    return new MemoryEntries(cursor, range.limit ?? Infinity, () => this.#refuseClosed());
  }

  batch(): DiskBatch {
    this.#refuseClosed();
    return new MemoryBatch();
  }

  write(batch: DiskBatch, _options: { readonly sync: boolean }): void {
    this.#refuseClosed();
    assert(batch instanceof MemoryBatch, "a batch is written to the disk that made it");
    assert(!batch.written, "a batch is written at most once");
    batch.written = true;
    for (let index = 0; index < batch.keys.length; index++) {
      const rows = batch.families[index] === "log" ? this.#log : this.#rows;
      const value = batch.values[index];
      if (value === undefined) rows.delete(batch.keys[index] ?? "");
      else rows.set(batch.keys[index] ?? "", value);
    }
  }

  deleteRange(family: Family, from: Uint8Array, to: Uint8Array): void {
    const rows = this.#family(family);
    const cursor = rows.view({ from: latin1(from), to: latin1(to), reverse: false });
    while (cursor.advance()) rows.delete(cursor.key);
  }

  freeBytes(): number {
    return Infinity;
  }

  share(): DiskShare | undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #family(family: Family): OrderedRows {
    this.#refuseClosed();
    return family === "log" ? this.#log : this.#rows;
  }

  #refuseClosed(): void {
    if (this.#closed) throw new DiskError("DISK_CLOSED", "The database in memory is closed. Open a new one.", { location: LOCATION });
  }
}

class MemoryEntries implements IterableIterator<DiskEntry> {
  readonly #cursor: RowCursor;
  readonly #refuseClosed: () => void;
  #left: number;

  constructor(cursor: RowCursor, limit: number, refuseClosed: () => void) {
    this.#cursor = cursor;
    this.#left = limit;
    this.#refuseClosed = refuseClosed;
  }

  next(): IteratorResult<DiskEntry> {
    this.#refuseClosed();
    if (this.#left <= 0 || !this.#cursor.advance()) return this.return();
    this.#left--;
    return { done: false, value: [Buffer.from(this.#cursor.key, "latin1"), Buffer.from(this.#cursor.value, "latin1")] };
  }

  return(): IteratorResult<DiskEntry> {
    this.#left = 0;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
