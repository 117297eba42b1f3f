/** Encodes records into RecordBatch v2 blocks as they are appended; every backend writes through it. */
import assert from "node:assert/strict";
import type { RecordHeader } from "../log.ts";
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  BATCH_LENGTH_EXCLUDES,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  MAGIC_AT,
  MAGIC_V2,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
  TRANSACTIONAL_BIT,
  writeInt64,
} from "./batch-layout.ts";
import { crc32c } from "./crc32c.ts";
import { varintBytes, writeVarint } from "./varint.ts";

export interface RecordBatchBuilderOptions {
  /** A block is closed before it would grow above this, so that readers decode bounded pieces; default 128 KiB. One larger record has a block of its own. */
  readonly blockBytesMax?: number;
}

/** What a transactional or idempotent producer stamps into its batches; without it the ids are −1. */
export interface BatchProducer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Sequence of the first record; goes on over the blocks, modulo 2^31. */
  readonly baseSequence: number;
  readonly transactional: boolean;
}

export interface SealedBlock {
  /** A view into the builder, valid until `reset`. The base offset is 0 until `stampBaseOffset`. */
  readonly bytes: Buffer;
  readonly recordCount: number;
  readonly maxTimestamp: number;
}

interface ClosedBlock {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
}

const BLOCK_BYTES_MAX = 128 * 1024;
const ARENA_BYTES_MIN = 4 * 1024;
/** A builder that is used again keeps its memory up to this. */
const ARENA_BYTES_KEPT = 1024 * 1024;
/** Below this a loop beats the call of `set`. */
const COPY_BY_LOOP_BYTES = 24;
const TIMESTAMP_DELTA_MAX = 2 ** 50;
const SEQUENCE_MODULUS = 0x8000_0000;

/**
 * Blocks of one partition, one behind the other in one growing arena. `append` copies; a savepoint is a handful of
 * numbers, and `rollback` returns to it whatever was appended since, also over block borders.
 */
export class RecordBatchBuilder {
  readonly blockBytesMax: number;
  #arena = Buffer.allocUnsafeSlow(ARENA_BYTES_MIN);
  #length = 0;
  #records = 0;
  readonly #closed: ClosedBlock[] = [];
  #start = 0;
  #count = 0;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  #markClosed = 0;
  #markLength = 0;
  #markRecords = 0;
  #markStart = 0;
  #markCount = 0;
  #markBaseTimestamp = 0;
  #markMaxTimestamp = 0;

  constructor(options: RecordBatchBuilderOptions = {}) {
    this.blockBytesMax = options.blockBytesMax ?? BLOCK_BYTES_MAX;
  }

  /** Bytes of all blocks so far, headers included. */
  get byteLength(): number {
    return this.#length;
  }

  get recordCount(): number {
    return this.#records;
  }

  /** Timestamps are safe integers. The bytes may be changed by the caller afterwards. */
  append(timestamp: number, key: Uint8Array | null, value: Uint8Array | null, headers?: readonly RecordHeader[]): void {
    const keyBytes = key === null ? 0 : key.length;
    const valueBytes = value === null ? 0 : value.length;
    const headerBytes = headers === undefined || headers.length === 0 ? 1 : headersBytes(headers);
    const payload = keyBytes + valueBytes + headerBytes;
    // 32 covers the record's own varints at their longest: the exact size would be computed twice otherwise.
    if (this.#count > 0 && (this.#length - this.#start + payload + 32 > this.blockBytesMax || isFar(timestamp - this.#baseTimestamp)))
      this.#closeBlock();
    this.#reserve(payload + 32 + BATCH_HEADER_BYTES);
    if (this.#count === 0) {
      this.#length = this.#start + BATCH_HEADER_BYTES;
      this.#baseTimestamp = timestamp;
      this.#maxTimestamp = timestamp;
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    const timestampDelta = timestamp - this.#baseTimestamp;
    const keyLength = key === null ? -1 : keyBytes;
    const valueLength = value === null ? -1 : valueBytes;
    const bytes = 1 + varintBytes(timestampDelta) + varintBytes(this.#count) + varintBytes(keyLength) + varintBytes(valueLength) + payload;
    const arena = this.#arena;
    let at = writeVarint(arena, this.#length, bytes);
    arena[at++] = 0;
    at = writeVarint(arena, at, timestampDelta);
    at = writeVarint(arena, at, this.#count);
    at = writeVarint(arena, at, keyLength);
    if (key !== null) at = copy(key, arena, at);
    at = writeVarint(arena, at, valueLength);
    if (value !== null) at = copy(value, arena, at);
    if (headerBytes === 1 && (headers === undefined || headers.length === 0)) arena[at++] = 0;
    else at = writeHeaders(arena, at, headers ?? []);
    this.#length = at;
    this.#count += 1;
    this.#records += 1;
  }

  /** Replaces the mark before it. */
  savepoint(): void {
    this.#markClosed = this.#closed.length;
    this.#markLength = this.#length;
    this.#markRecords = this.#records;
    this.#markStart = this.#start;
    this.#markCount = this.#count;
    this.#markBaseTimestamp = this.#baseTimestamp;
    this.#markMaxTimestamp = this.#maxTimestamp;
  }

  rollback(): void {
    this.#closed.length = this.#markClosed;
    this.#length = this.#markLength;
    this.#records = this.#markRecords;
    this.#start = this.#markStart;
    this.#count = this.#markCount;
    this.#baseTimestamp = this.#markBaseTimestamp;
    this.#maxTimestamp = this.#markMaxTimestamp;
  }

  /** Finishes the headers and checksums of all blocks. Only `reset` may follow. */
  seal(producer?: BatchProducer): SealedBlock[] {
    if (this.#count > 0) this.#closeBlock();
    let sequence = producer?.baseSequence ?? -1;
    return this.#closed.map((block) => {
      const bytes = this.#arena.subarray(block.start, block.end);
      writeHeader(bytes, block, producer, sequence);
      if (producer !== undefined) sequence = (sequence + block.count) % SEQUENCE_MODULUS;
      return { bytes, recordCount: block.count, maxTimestamp: block.maxTimestamp };
    });
  }

  /** Empty again; the views that `seal` gave are overwritten by what comes. */
  reset(): void {
    if (this.#arena.length > ARENA_BYTES_KEPT) this.#arena = Buffer.allocUnsafeSlow(ARENA_BYTES_MIN);
    this.#closed.length = 0;
    this.#length = 0;
    this.#records = 0;
    this.#start = 0;
    this.#count = 0;
    this.savepoint();
  }

  #closeBlock(): void {
    this.#closed.push({
      start: this.#start,
      end: this.#length,
      count: this.#count,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
    });
    this.#start = this.#length;
    this.#count = 0;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#arena.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#arena.length * 2));
    this.#arena.copy(grown, 0, 0, this.#length);
    this.#arena = grown;
  }
}

/** Bytes of the header count and all headers. */
export function headersBytes(headers: readonly RecordHeader[]): number {
  let bytes = varintBytes(headers.length);
  for (const header of headers) {
    const name = Buffer.byteLength(header.key);
    bytes += varintBytes(name) + name;
    bytes += header.value === null ? 1 : varintBytes(header.value.length) + header.value.length;
  }
  return bytes;
}

function writeHeaders(arena: Buffer, at: number, headers: readonly RecordHeader[]): number {
  at = writeVarint(arena, at, headers.length);
  for (const header of headers) {
    at = writeVarint(arena, at, Buffer.byteLength(header.key));
    at += arena.write(header.key, at);
    at = writeVarint(arena, at, header.value === null ? -1 : header.value.length);
    if (header.value !== null) at = copy(header.value, arena, at);
  }
  return at;
}

/** Deltas stay where doubling them for the zigzag is exact. */
function isFar(timestampDelta: number): boolean {
  return timestampDelta > TIMESTAMP_DELTA_MAX || timestampDelta < -TIMESTAMP_DELTA_MAX;
}

function copy(from: Uint8Array, to: Buffer, at: number): number {
  const bytes = from.length;
  if (bytes > COPY_BY_LOOP_BYTES) to.set(from, at);
  // In bounds by the reservation above: `as number` only silences the checker of absent elements.
  else for (let index = 0; index < bytes; index++) to[at + index] = from[index] as number;
  return at + bytes;
}

function writeHeader(bytes: Buffer, block: ClosedBlock, producer: BatchProducer | undefined, sequence: number): void {
  assert(bytes.length > BATCH_HEADER_BYTES, "an empty block is never sealed");
  writeInt64(bytes, 0, 0);
  bytes.writeInt32BE(bytes.length - BATCH_LENGTH_EXCLUDES, BATCH_LENGTH_AT);
  // The partition leader epoch, which only brokers know.
  bytes.writeInt32BE(-1, BATCH_LENGTH_EXCLUDES);
  bytes.writeInt8(MAGIC_V2, MAGIC_AT);
  bytes.writeInt16BE(producer?.transactional === true ? TRANSACTIONAL_BIT : 0, ATTRIBUTES_AT);
  bytes.writeInt32BE(block.count - 1, LAST_OFFSET_DELTA_AT);
  writeInt64(bytes, BASE_TIMESTAMP_AT, block.baseTimestamp);
  writeInt64(bytes, MAX_TIMESTAMP_AT, block.maxTimestamp);
  bytes.writeBigInt64BE(producer?.producerId ?? -1n, PRODUCER_ID_AT);
  bytes.writeInt16BE(producer?.producerEpoch ?? -1, PRODUCER_EPOCH_AT);
  bytes.writeInt32BE(sequence, BASE_SEQUENCE_AT);
  bytes.writeInt32BE(block.count, RECORD_COUNT_AT);
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT);
}
