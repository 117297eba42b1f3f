/**
 * What all threads of the process share about one log: the commit lock, a version that grows with each commit, and the
 * bounds of every partition. Readers load bounds from here and never touch the disk to learn that nothing is new.
 */
import assert from "node:assert/strict";
import { PARTITIONS_MAX } from "./defaults.ts";

const LOCK = 0;
const CATALOG_VERSION = 1;
const FENCES = 2;
const CLOSED = 3;
/** In 64-bit words: the first two hold the four 32-bit ones above. */
const VERSION = 2;
const FIRST_SLOT = 4;
const SLOT_WORDS = 3;

/** Slots are given to partitions by the catalog and kept for ever. */
export class SharedControl {
  readonly buffer: SharedArrayBuffer;
  /** For the lock alone. */
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly lockIndex: number = LOCK;
  readonly #longs: BigInt64Array<SharedArrayBuffer>;
  #waiting: { readonly since: number; readonly promise: Promise<void> } | undefined;

  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer((FIRST_SLOT + PARTITIONS_MAX * SLOT_WORDS) * 8);
    this.words = new Int32Array(this.buffer, 0, 4);
    this.#longs = new BigInt64Array(this.buffer);
  }

  /** Grows when a topic is created or changed. */
  get catalogVersion(): number {
    return Atomics.load(this.words, CATALOG_VERSION);
  }

  catalogChanged(): void {
    Atomics.add(this.words, CATALOG_VERSION, 1);
  }

  /** Grows when any writer is initialised: whoever saw the same number before need not look for a fence. */
  get fences(): number {
    return Atomics.load(this.words, FENCES);
  }

  fenced(): void {
    Atomics.add(this.words, FENCES, 1);
  }

  /** The owner closed the log: for good. */
  get closed(): boolean {
    return Atomics.load(this.words, CLOSED) !== 0;
  }

  markClosed(): void {
    Atomics.store(this.words, CLOSED, 1);
  }

  start(slot: number): number {
    return this.#load(slot, 0);
  }

  end(slot: number): number {
    return this.#load(slot, 1);
  }

  /** Bytes of the blocks held. */
  bytes(slot: number): number {
    return this.#load(slot, 2);
  }

  publishStart(slot: number, start: number): void {
    Atomics.store(this.#longs, FIRST_SLOT + slot * SLOT_WORDS, BigInt(start));
  }

  publishEnd(slot: number, end: number): void {
    Atomics.store(this.#longs, FIRST_SLOT + slot * SLOT_WORDS + 1, BigInt(end));
  }

  publishBytes(slot: number, bytes: number): void {
    Atomics.store(this.#longs, FIRST_SLOT + slot * SLOT_WORDS + 2, BigInt(bytes));
  }

  version(): number {
    return Number(Atomics.load(this.#longs, VERSION));
  }

  /** Wakes everybody who waits for a change, in all threads. */
  bumpVersion(): void {
    Atomics.add(this.#longs, VERSION, 1n);
    Atomics.notify(this.#longs, VERSION);
  }

  /** One waiter per thread and version, however often it is asked: an idle host asks again and again. */
  changed(since: number): Promise<void> {
    if (this.version() > since) return Promise.resolve();
    if (this.#waiting?.since === since) return this.#waiting.promise;
    const promise = this.#wait(since);
    this.#waiting = { since, promise };
    return promise;
  }

  async #wait(since: number): Promise<void> {
    while (this.version() <= since && !this.closed) {
      const waiting = Atomics.waitAsync(this.#longs, VERSION, BigInt(since));
      if (waiting.async) await waiting.value;
    }
  }

  #load(slot: number, word: number): number {
    assert(slot >= 0 && slot < PARTITIONS_MAX, `slot ${slot} of the table of partitions`);
    return Number(Atomics.load(this.#longs, FIRST_SLOT + slot * SLOT_WORDS + word));
  }
}
