/** The log of one partition as its leader keeps it: batches with markers between them, and what of them is stable. */
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  COMPRESSION_MASK,
  CONTROL_BIT,
  maxTimestampOf,
  nextOffsetOf,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  recordCountOf,
  stampBaseOffset,
  TRANSACTIONAL_BIT,
} from "../../record-batch/batch-layout.ts";
import { filterBatch } from "../../record-batch/filter-batch.ts";
import { RecordBatchCursor } from "../../record-batch/record-batch-cursor.ts";
import type { ProducerIdentity } from "../client/wire-contract.ts";
import type { AbortedTransaction } from "../fetch/fetch-response.ts";
import { controlBatch } from "./control-batch.ts";
import { ProducerStates } from "./producer-states.ts";

interface LogBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  bytes: Buffer;
}

/** In the order in which the transactions ended. */
interface AbortedEntry extends AbortedTransaction {
  readonly markerOffset: number;
}

export interface ReadRequest {
  readonly offset: number;
  readonly bytesMax: number;
  /** Only up to what is stable. */
  readonly committed: boolean;
}

const NONE = 0;

export class PartitionLog {
  readonly producers = new ProducerStates();
  /** Called once, whenever a reader may see more. */
  readonly waiting = new Set<() => void>();
  #batches: LogBatch[] = [];
  #aborted: AbortedEntry[] = [];
  #startOffset = 0;
  #endOffset = 0;

  get startOffset(): number {
    return this.#startOffset;
  }

  get highWatermark(): number {
    return this.#endOffset;
  }

  get stableOffset(): number {
    return this.producers.firstUnstable ?? this.#endOffset;
  }

  /** The batch is copied. Its content was checked by the caller. */
  append(batch: Buffer): { readonly code: number; readonly baseOffset: number } {
    const produced = {
      producerId: batch.readBigInt64BE(PRODUCER_ID_AT),
      producerEpoch: batch.readInt16BE(PRODUCER_EPOCH_AT),
      firstSequence: batch.readInt32BE(BASE_SEQUENCE_AT),
      count: recordCountOf(batch),
    };
    const idempotent = produced.producerId >= 0n;
    const transactional = (batch.readInt16BE(ATTRIBUTES_AT) & TRANSACTIONAL_BIT) !== 0;
    if (idempotent) {
      const duplicate = this.producers.duplicateOf(produced);
      if (duplicate !== undefined) return { code: NONE, baseOffset: duplicate };
      const code = this.producers.check(produced);
      if (code !== NONE) return { code, baseOffset: -1 };
    }
    const baseOffset = this.#endOffset;
    if (idempotent) this.producers.stored(produced, baseOffset, transactional);
    this.#push(Buffer.from(batch));
    return { code: NONE, baseOffset };
  }

  /** A marker of an older epoch changes nothing. */
  endTransaction(producer: ProducerIdentity, commit: boolean, now: number): void {
    const { producerId, producerEpoch } = producer;
    if (!this.producers.takesMarker(producerId, producerEpoch)) return;
    const firstOffset = this.producers.openSince(producerId);
    const markerOffset = this.#endOffset;
    this.producers.ended(producerId, producerEpoch);
    if (!commit && firstOffset !== undefined) this.#aborted.push({ producerId, firstOffset, markerOffset });
    this.#push(controlBatch(producer, commit, now));
  }

  /** From the batch that holds the offset on; the last one may be cut off. The first comes whole, however large. */
  read({ offset, bytesMax, committed }: ReadRequest): { readonly records: Buffer; readonly aborted: readonly AbortedTransaction[] } {
    const limit = committed ? this.stableOffset : this.#endOffset;
    const parts: Buffer[] = [];
    let bytes = 0;
    for (let at = this.#indexOf(offset); at < this.#batches.length; at++) {
      const batch = this.#batches[at] as LogBatch; // in bounds
      if (batch.baseOffset >= limit) break;
      parts.push(batch.bytes);
      bytes += batch.bytes.length;
      if (bytes >= bytesMax) break;
    }
    const whole = parts.length === 1 ? bytes : Math.max(parts[0]?.length ?? 0, Math.min(bytes, bytesMax));
    const records = Buffer.concat(parts).subarray(0, whole);
    return { records, aborted: committed && records.length > 0 ? this.#abortedFrom(offset) : [] };
  }

  hasAt({ offset, committed }: ReadRequest): boolean {
    return offset < (committed ? this.stableOffset : this.#endOffset);
  }

  /** Whole batches from the one that holds the offset on, markers and what is not stable among them. */
  batchesFrom(offset: number): readonly Buffer[] {
    return this.#batches.slice(this.#indexOf(offset)).map(({ bytes }) => bytes);
  }

  /** −1 when there is none below the limit. */
  offsetForTime(timestamp: number, committed: boolean): number {
    const cursor = new RecordBatchCursor({ checkCrc: false });
    const limit = committed ? this.stableOffset : this.#endOffset;
    for (const { bytes, baseOffset, nextOffset } of this.#batches) {
      if (maxTimestampOf(bytes) < timestamp || nextOffset <= this.#startOffset || isCompressed(bytes)) continue;
      cursor.reset(bytes, baseOffset);
      while (cursor.next())
        if (cursor.timestamp >= timestamp && cursor.offset >= this.#startOffset) return cursor.offset < limit ? cursor.offset : -1;
    }
    return -1;
  }

  /** Whole batches below the new start go. */
  deleteBefore(offset: number): void {
    this.#startOffset = Math.max(this.#startOffset, offset);
    this.#batches = this.#batches.filter(({ nextOffset }) => nextOffset > this.#startOffset);
    this.#aborted = this.#aborted.filter(({ markerOffset }) => markerOffset >= this.#startOffset);
    this.#changed();
  }

  /** Whole batches from the front whose records are all older; the newest stays, and what is not stable. */
  expireBefore(timestamp: number): void {
    let start = this.#startOffset;
    for (const { bytes, nextOffset } of this.#batches.slice(0, -1)) {
      if (maxTimestampOf(bytes) >= timestamp || nextOffset > this.stableOffset) break;
      start = nextOffset;
    }
    if (start > this.#startOffset) this.deleteBefore(start);
  }

  /** The latest record of each key stays, markers stay, what was aborted goes; `empty`: batches without records are kept or not. */
  compact(empty: () => boolean): void {
    const stable = this.stableOffset;
    const latest = new Map<string, number>();
    const cursor = new RecordBatchCursor({ checkCrc: false });
    const cleanable = this.#batches.slice(0, -1).filter(({ bytes, nextOffset }) => nextOffset <= stable && !isCompressed(bytes));
    const data = cleanable.filter(({ bytes }) => (bytes.readInt16BE(ATTRIBUTES_AT) & CONTROL_BIT) === 0);
    const aborted = new Set(data.filter((batch) => this.#isAborted(batch)));
    for (const batch of data) {
      if (aborted.has(batch)) continue;
      cursor.reset(batch.bytes, batch.baseOffset);
      while (cursor.next()) latest.set(keyOf(cursor), cursor.offset);
    }
    const gone = new Set<LogBatch>();
    for (const batch of data) {
      const dropped = aborted.has(batch);
      const keep = (at: RecordBatchCursor): boolean => !dropped && (latest.get(keyOf(at)) ?? -1) <= at.offset;
      batch.bytes = filterBatch(batch.bytes, batch.baseOffset, cursor, keep);
      if (recordCountOf(batch.bytes) === 0 && !empty()) gone.add(batch);
    }
    this.#batches = this.#batches.filter((batch) => !gone.has(batch));
  }

  #changed(): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const wake of waiting) wake();
  }

  #isAborted({ bytes, baseOffset }: LogBatch): boolean {
    const producerId = bytes.readBigInt64BE(PRODUCER_ID_AT);
    return this.#aborted.some((each) => each.producerId === producerId && each.firstOffset <= baseOffset && baseOffset < each.markerOffset);
  }

  /** With all that have begun up to the end of the log: the index of a broker is too sparse to know better. */
  #abortedFrom(offset: number): readonly AbortedTransaction[] {
    const found = this.#aborted.filter(({ markerOffset }) => markerOffset >= offset);
    return found.map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
  }

  #push(bytes: Buffer): void {
    const baseOffset = this.#endOffset;
    stampBaseOffset(bytes, baseOffset);
    this.#endOffset = nextOffsetOf(bytes, baseOffset);
    this.#batches.push({ baseOffset, nextOffset: this.#endOffset, bytes });
    this.#changed();
  }

  /** Of the first batch that reaches beyond the offset. */
  #indexOf(offset: number): number {
    let [low, high] = [0, this.#batches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#batches[middle] as LogBatch).nextOffset <= offset) low = middle + 1; // in bounds
      else high = middle;
    }
    return low;
  }
}

function isCompressed(bytes: Buffer): boolean {
  return (bytes.readInt16BE(ATTRIBUTES_AT) & COMPRESSION_MASK) !== 0;
}

function keyOf(cursor: RecordBatchCursor): string {
  return cursor.keyStart < 0 ? "" : cursor.bytes.toString("latin1", cursor.keyStart, cursor.keyEnd);
}
