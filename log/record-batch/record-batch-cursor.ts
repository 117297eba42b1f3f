/** The reading half of the codec: moves over the records of one block and names byte ranges, without an object per record. */
import { LogError } from "../errors.ts";
import type { RecordHeader } from "../log.ts";
import type { RecordCursor } from "../record.ts";
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  BATCH_LENGTH_EXCLUDES,
  COMPRESSION_MASK,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LOG_APPEND_TIME_BIT,
  MAGIC_AT,
  MAGIC_V2,
  MAX_TIMESTAMP_AT,
  RECORD_COUNT_AT,
  readInt64,
} from "./batch-layout.ts";
import { crc32c } from "./crc32c.ts";

export interface RecordBatchCursorOptions {
  /** Check the CRC of each block at `reset`; default true. Costs about as much as the decoding. */
  readonly checkCrc?: boolean;
}

const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
const EMPTY = Buffer.alloc(0);

/** Whatever the bytes are, it throws `BATCH_CORRUPT` or stays inside the block. `offset` and the ranges hold after `next()` gave true. */
export class RecordBatchCursor implements RecordCursor {
  offset = -1;
  timestamp = -1;
  bytes: Buffer = EMPTY;
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  headerCount = 0;
  readonly #checkCrc: boolean;
  #at = 0;
  #limit = 0;
  #remaining = 0;
  #baseOffset = 0;
  #baseTimestamp = 0;
  /** −1 unless the broker stamped the whole batch. */
  #appendTime = -1;
  #delta = -1;
  #lastDelta = -1;
  #headersAt = 0;
  #recordStart = 0;
  #recordEnd = 0;

  constructor(options: RecordBatchCursorOptions = {}) {
    this.#checkCrc = options.checkCrc ?? true;
  }

  /** Where the present record stands in the block, its length prefix included: what a filter copies. */
  get recordStart(): number {
    return this.#recordStart;
  }

  get recordEnd(): number {
    return this.#recordEnd;
  }

  /** One past the last offset of the block, also when its last records are gone. */
  get nextOffset(): number {
    return this.#baseOffset + this.#lastDelta + 1;
  }

  reset(bytes: Buffer, baseOffset: number): void {
    this.#remaining = 0;
    this.#at = 0;
    this.#limit = 0;
    this.#baseOffset = baseOffset;
    if (bytes.length < BATCH_HEADER_BYTES) this.#corrupt(`${bytes.length} bytes are shorter than a header`);
    const length = bytes.readInt32BE(BATCH_LENGTH_AT) + BATCH_LENGTH_EXCLUDES;
    if (length !== bytes.length) this.#corrupt(`the header says ${length} bytes, the block has ${bytes.length}`);
    if (bytes.readInt8(MAGIC_AT) !== MAGIC_V2) this.#corrupt(`magic ${bytes.readInt8(MAGIC_AT)} is not 2`);
    if (this.#checkCrc && crc32c(bytes, ATTRIBUTES_AT, bytes.length) !== bytes.readUInt32BE(CRC_AT))
      this.#corrupt("the CRC does not match");
    const attributes = bytes.readInt16BE(ATTRIBUTES_AT);
    if ((attributes & COMPRESSION_MASK) !== 0) refuseCompression(attributes & COMPRESSION_MASK, baseOffset);
    const count = bytes.readInt32BE(RECORD_COUNT_AT);
    const lastDelta = bytes.readInt32BE(LAST_OFFSET_DELTA_AT);
    if (count < 0 || lastDelta < 0 || count > lastDelta + 1) this.#corrupt(`${count} records do not fit offsets up to +${lastDelta}`);
    const baseTimestamp = readInt64(bytes, BASE_TIMESTAMP_AT);
    const maxTimestamp = readInt64(bytes, MAX_TIMESTAMP_AT);
    if (!Number.isSafeInteger(baseTimestamp) || !Number.isSafeInteger(maxTimestamp)) this.#corrupt("a timestamp is beyond 2^53");
    this.#appendTime = (attributes & LOG_APPEND_TIME_BIT) === 0 ? -1 : maxTimestamp;
    this.#baseTimestamp = baseTimestamp;
    this.#delta = -1;
    this.#lastDelta = lastDelta;
    this.#remaining = count;
    this.#at = BATCH_HEADER_BYTES;
    this.#limit = bytes.length;
    this.bytes = bytes;
  }

  next(): boolean {
    if (this.#remaining === 0) {
      if (this.#at !== this.#limit) this.#corrupt(`${this.#limit - this.#at} bytes follow the last record`);
      return false;
    }
    this.#remaining -= 1;
    this.#recordStart = this.#at;
    const length = this.#varint(this.#limit);
    const end = this.#at + length;
    // The smallest record: attributes, two deltas, two lengths, header count.
    if (length < 6 || end > this.#limit) this.#corrupt(`a record of ${length} bytes does not fit`);
    this.#recordEnd = end;
    this.#at += 1;
    const timestamp = this.#baseTimestamp + this.#varlong(end);
    this.timestamp = this.#appendTime < 0 ? timestamp : this.#appendTime;
    const delta = this.#varint(end);
    if (delta <= this.#delta || delta > this.#lastDelta) this.#corrupt(`offset +${delta} is out of order`);
    this.#delta = delta;
    this.offset = this.#baseOffset + delta;
    const keyBytes = this.#varint(end);
    this.keyStart = keyBytes < 0 ? -1 : this.#at;
    this.keyEnd = this.#skip(keyBytes, end);
    const valueBytes = this.#varint(end);
    this.valueStart = valueBytes < 0 ? -1 : this.#at;
    this.valueEnd = this.#skip(valueBytes, end);
    const headerCount = this.#varint(end);
    // A header takes at least two bytes: a hostile count never becomes a large loop or array.
    if (headerCount < 0 || headerCount * 2 > end - this.#at || (headerCount === 0 && this.#at !== end))
      this.#corrupt(`${headerCount} headers do not fit`);
    this.headerCount = headerCount;
    this.#headersAt = this.#at;
    this.#at = end;
    return true;
  }

  /** Values are views into the block. */
  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return [];
    const resumeAt = this.#at;
    const end = this.#recordEnd;
    const headers: RecordHeader[] = [];
    this.#at = this.#headersAt;
    for (let index = 0; index < this.headerCount; index++) {
      const keyBytes = this.#varint(end);
      if (keyBytes < 0) this.#corrupt(`header ${index} has no key`);
      const nameStart = this.#at;
      const key = this.bytes.toString("utf8", nameStart, this.#skip(keyBytes, end));
      const valueBytes = this.#varint(end);
      const valueStart = this.#at;
      const valueEnd = this.#skip(valueBytes, end);
      headers.push({ key, value: valueBytes < 0 ? null : this.bytes.subarray(valueStart, valueEnd) });
    }
    if (this.#at !== end) this.#corrupt(`${end - this.#at} bytes follow the last header`);
    this.#at = resumeAt;
    return headers;
  }

  key(): Buffer | null {
    return this.keyStart < 0 ? null : Buffer.from(this.bytes.subarray(this.keyStart, this.keyEnd));
  }

  value(): Buffer | null {
    return this.valueStart < 0 ? null : Buffer.from(this.bytes.subarray(this.valueStart, this.valueEnd));
  }

  /** Moves behind a field of that length and returns its end; −1 for a null field. */
  #skip(length: number, end: number): number {
    if (length < 0) {
      if (length !== -1) this.#corrupt(`a length of ${length}`);
      return -1;
    }
    const to = this.#at + length;
    if (to > end) this.#corrupt(`a field of ${length} bytes does not fit`);
    this.#at = to;
    return to;
  }

  #varint(end: number): number {
    let at = this.#at;
    if (at >= end) this.#corrupt("a varint runs over the end");
    // In bounds by the check before each read: `as number` only silences the checker of absent elements.
    let byte = this.bytes[at++] as number;
    let value = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      if (at >= end || shift > 28) this.#corrupt("a varint runs over its end");
      byte = this.bytes[at++] as number;
      value |= (byte & 0x7f) << shift;
    }
    this.#at = at;
    return (value >>> 1) ^ -(value & 1);
  }

  /** Up to 2^53: four groups of seven bits by shifts, the rest by arithmetic. */
  #varlong(end: number): number {
    let at = this.#at;
    let value = 0;
    let scale = 1;
    for (let group = 0; ; group++) {
      if (at >= end || group > 9) this.#corrupt("a varint runs over its end");
      const byte = this.bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    this.#at = at;
    if (value < 0x4000_0000) return (value >>> 1) ^ -(value & 1);
    if (value > Number.MAX_SAFE_INTEGER) this.#corrupt("a timestamp delta is beyond 2^53");
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #corrupt(what: string): never {
    throw new LogError(
      "BATCH_CORRUPT",
      `The block at offset ${this.#baseOffset} is not a whole RecordBatch v2: ${what}. Restore the log from a copy, or delete the records below its end.`,
      {
        offset: this.#baseOffset,
      },
    );
  }
}

/** The place where decompression will stand: the records section of the block, bounded, into a buffer of the cursor. */
function refuseCompression(kind: number, offset: number): never {
  throw new LogError(
    "COMPRESSION_UNSUPPORTED",
    `The block at offset ${offset} is compressed with ${COMPRESSIONS[kind] ?? `codec ${kind}`}, which is not read yet. Produce without compression.`,
    { offset },
  );
}
