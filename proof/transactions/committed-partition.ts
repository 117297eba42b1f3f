/**
 * What of a partition is committed, from its batches and markers alone: the truth that readers are compared with. It uses no list of
 * aborted transactions and no stable offset of a broker.
 */
import { readRawBatch } from "./raw-batch.ts";
import type { RawBatch, RawRecord } from "./raw-batch.ts";

interface Open {
  readonly firstOffset: number;
  readonly batches: RawBatch[];
}

export class CommittedPartition {
  /** In offset order, up to the first offset that is still open. */
  readonly records: RawRecord[] = [];
  /** Records of transactions that were aborted. */
  aborted = 0;
  nextOffset = 0;
  readonly #open = new Map<bigint, Open>();
  /** Decided, but behind something that is open. */
  #waiting: RawRecord[] = [];

  /** Everything below is decided. */
  get stableOffset(): number {
    let stable = this.nextOffset;
    for (const { firstOffset } of this.#open.values()) stable = Math.min(stable, firstOffset);
    return stable;
  }

  /** The next batch of the partition. */
  add(bytes: Buffer): void {
    const batch = readRawBatch(bytes);
    if (batch.baseOffset < this.nextOffset) return;
    this.nextOffset = batch.nextOffset;
    if (batch.marker !== undefined) this.#end(batch);
    else if (batch.transactional) this.#enter(batch);
    else this.#waiting.push(...batch.records);
    this.#release();
  }

  #enter(batch: RawBatch): void {
    const open = this.#open.get(batch.producerId);
    if (open === undefined) this.#open.set(batch.producerId, { firstOffset: batch.baseOffset, batches: [batch] });
    else open.batches.push(batch);
  }

  #end({ producerId, marker }: RawBatch): void {
    const open = this.#open.get(producerId);
    if (open === undefined) return;
    this.#open.delete(producerId);
    for (const { records } of open.batches)
      if (marker === "commit") this.#waiting.push(...records);
      else this.aborted += records.length;
  }

  #release(): void {
    if (this.#waiting.length === 0) return;
    const stable = this.stableOffset;
    this.#waiting.sort((one, other) => one.offset - other.offset);
    const ready = this.#waiting.findIndex(({ offset }) => offset >= stable);
    this.records.push(...this.#waiting.splice(0, ready < 0 ? this.#waiting.length : ready));
  }
}
