/**
 * The bounded buffer of one input partition: fetched blocks, a cursor over the first of them, and the record at its head,
 * decoded once. The cursor stays on a record until the next one is asked for, so its bytes are at hand for a dead letter.
 */
import assert from "node:assert/strict";
import { RecordBatchCursor, type FetchedBatch, type RecordHeader } from "#log";
import { deepFreeze } from "#state";
import { RecordFailedError, type StreamsErrorCode } from "../errors.ts";
import type { StreamRecord } from "../processor.ts";
import { DECODE_RETRY_MS } from "../runtime/defaults.ts";
import { isRetriableCondition } from "../retriable.ts";
import type { Topic } from "../topic.ts";

export interface InputLimits {
  readonly bufferRecordsMax: number;
  readonly bufferBytesMax: number;
  readonly timestampLeadMsMax: number;
  readonly freeze: boolean;
}

export interface InputStart {
  readonly topic: Topic<unknown, unknown>;
  readonly partition: number;
  readonly position: number;
  /** −1 before the first record. */
  readonly partitionTime: number;
}

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);
const NO_RECORD: StreamRecord<unknown, unknown> = Object.freeze({ key: undefined, value: undefined, timestamp: -1, headers: NO_HEADERS });

export class InputPartition {
  readonly topic: Topic<unknown, unknown>;
  readonly partition: number;
  /** Its log has found the bytes whole. */
  readonly cursor = new RecordBatchCursor({ checkCrc: false });
  /** The offset to commit when everything taken so far is. */
  position: number;
  /** Largest timestamp taken; −1 before the first. */
  partitionTime: number;
  /** −1 for a head that failed before it was processed: it goes to the dead letters at once, whatever else is waiting. */
  headTimestamp = -1;
  record: StreamRecord<unknown, unknown> = NO_RECORD;
  /** Why the head cannot be processed. */
  failure: Error | undefined;
  bufferedRecords = 0;
  bufferedBytes = 0;
  /** The head cannot be decoded before this, through no fault of its own; −Infinity while none waits so. */
  waitsUntil = -Infinity;
  /** Why it waits. */
  waitsFor: Error | undefined;
  /** Known to the thread: this partition is paused at the reader. */
  paused = false;
  /** There is more in the log than was fetched; asked once per slice of work, undefined until then. */
  lagging: boolean | undefined;
  readonly #limits: InputLimits;
  readonly #batches: FetchedBatch[] = [];
  #current: FetchedBatch | undefined;
  #left = 0;
  #hasHead = false;

  constructor(start: InputStart, limits: InputLimits) {
    this.topic = start.topic;
    this.partition = start.partition;
    this.position = start.position;
    this.partitionTime = start.partitionTime;
    this.#limits = limits;
  }

  get full(): boolean {
    return this.bufferedRecords >= this.#limits.bufferRecordsMax || this.bufferedBytes >= this.#limits.bufferBytesMax;
  }

  get halfEmpty(): boolean {
    return this.bufferedRecords <= this.#limits.bufferRecordsMax / 2 && this.bufferedBytes <= this.#limits.bufferBytesMax / 2;
  }

  add(batch: FetchedBatch): void {
    this.#batches.push(batch);
    this.bufferedRecords += batch.recordCount;
    this.bufferedBytes += batch.bytes.length;
  }

  /** A record is there and cannot be decoded yet. */
  get waiting(): boolean {
    return this.waitsFor !== undefined;
  }

  /** Makes the next record the head; false when the buffer is empty, and while the next record waits. */
  prepare(now: number): boolean {
    if (this.#hasHead) return true;
    if (this.waitsFor !== undefined) return now >= this.waitsUntil && this.#becomeHead(now);
    for (;;) {
      if (this.#current === undefined && !this.#open()) return false;
      while (this.cursor.next()) {
        if (this.cursor.offset >= this.position) return this.#becomeHead(now);
        this.#count();
      }
      this.#finish();
    }
  }

  /** The head is processed now; the caller moves the partition's time. Its bytes stay under the cursor until the next `prepare`. */
  take(): void {
    assert(this.#hasHead, "nothing is at the head");
    this.#hasHead = false;
    this.#count();
    this.position = this.cursor.offset + 1;
  }

  keyBytes(): Uint8Array | null {
    const { bytes, keyStart, keyEnd } = this.cursor;
    return keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd);
  }

  valueBytes(): Uint8Array | null {
    const { bytes, valueStart, valueEnd } = this.cursor;
    return valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd);
  }

  #open(): boolean {
    const batch = this.#batches.shift();
    if (batch === undefined) return false;
    this.cursor.reset(batch.bytes, batch.baseOffset);
    this.#current = batch;
    this.#left = batch.recordCount;
    if (batch.fetchOffset > this.position) this.position = batch.fetchOffset;
    return true;
  }

  #finish(): void {
    const batch = this.#current;
    if (batch === undefined) return;
    // What is not there (compacted away, markers) is behind us too.
    if (batch.nextOffset > this.position) this.position = batch.nextOffset;
    this.bufferedRecords -= this.#left;
    this.bufferedBytes -= batch.bytes.length;
    this.#current = undefined;
  }

  #count(): void {
    this.#left--;
    this.bufferedRecords--;
  }

  /** False when the record under the cursor has to wait. */
  #becomeHead(now: number): boolean {
    this.waitsFor = undefined;
    this.#decode(now);
    this.#hasHead = this.waitsFor === undefined;
    return this.#hasHead;
  }

  #decode(now: number): void {
    this.failure = undefined;
    const { cursor, topic } = this;
    if (cursor.keyStart < 0) return this.#fail("INVALID_KEY", "the key is null");
    let key: unknown;
    let value: unknown;
    let timestamp = cursor.timestamp;
    const headers = cursor.headerCount === 0 ? NO_HEADERS : cursor.headers();
    try {
      key = topic.key.decode(cursor.bytes, cursor.keyStart, cursor.keyEnd);
    } catch (cause) {
      return this.#fail("INVALID_KEY", cause instanceof Error ? cause.message : String(cause), cause);
    }
    try {
      value = cursor.valueStart < 0 ? null : topic.value.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd);
      if (topic.timestamp !== undefined) timestamp = topic.timestamp({ key, value, timestamp }, this.partitionTime);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      return isRetriableCondition(error) ? this.#wait(error, now) : this.#refuse(error);
    }
    if (!(timestamp >= 0 && timestamp <= now + this.#limits.timestampLeadMsMax) || !Number.isSafeInteger(timestamp))
      return this.#fail("TIMESTAMP_OUT_OF_RANGE", `${timestamp} is negative, no whole number, or too far ahead of the clock (${now})`);
    if (this.#limits.freeze) deepFreeze(value);
    this.record = { key, value, timestamp, headers };
    this.headTimestamp = timestamp;
  }

  #fail(code: StreamsErrorCode, reason: string, cause?: unknown): void {
    const { topic, partition, cursor } = this;
    const where = `${topic.name}/${partition}, offset ${cursor.offset}`;
    const facts = { topic: topic.name, partition, offset: cursor.offset };
    this.#refuse(
      new RecordFailedError(code, `The record at ${where} is not processed: ${reason}.`, cause === undefined ? facts : { ...facts, cause }),
    );
  }

  #wait(error: Error, now: number): void {
    this.waitsFor = error;
    this.waitsUntil = now + DECODE_RETRY_MS;
  }

  #refuse(error: Error): void {
    this.failure = error;
    this.record = NO_RECORD;
    this.headTimestamp = -1;
  }
}
