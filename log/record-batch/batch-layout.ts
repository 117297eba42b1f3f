/** Where the fields of a RecordBatch v2 header stand, and the few reads and writes of them that need no cursor. */

/** baseOffset i64, batchLength i32, leaderEpoch i32, magic i8, crc u32, then what the CRC covers. */
export const BATCH_HEADER_BYTES = 61;
export const BATCH_LENGTH_AT = 8;
/** Only brokers know it. */
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;

/** `batchLength` counts what follows it. */
export const BATCH_LENGTH_EXCLUDES = 12;
export const MAGIC_V2 = 2;

export const COMPRESSION_MASK = 0x07;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
/** The batch is a marker of the transaction coordinator, not data. */
export const CONTROL_BIT = 0x20;

const HIGH = 0x1_0000_0000;

/** An i64 as a number; exact up to 2^53, beyond that it is rounded: the caller checks where input may be hostile. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * HIGH + bytes.readUInt32BE(at + 4);
}

export function writeInt64(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / HIGH);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(value - high * HIGH, at + 4);
}

/** The CRC does not cover the base offset: a finished block can be stamped when its place in the log is known. */
export function stampBaseOffset(block: Buffer, baseOffset: number): void {
  writeInt64(block, 0, baseOffset);
}

/** One past the last offset that the block stands for, also when compaction has taken its last records. */
export function nextOffsetOf(block: Buffer, baseOffset: number): number {
  return baseOffset + block.readInt32BE(LAST_OFFSET_DELTA_AT) + 1;
}

/** Bytes of the whole block that starts there, by its header. */
export function blockBytesOf(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at + BATCH_LENGTH_AT) + BATCH_LENGTH_EXCLUDES;
}

export function recordCountOf(block: Buffer): number {
  return block.readInt32BE(RECORD_COUNT_AT);
}

export function maxTimestampOf(block: Buffer): number {
  return readInt64(block, MAX_TIMESTAMP_AT);
}
