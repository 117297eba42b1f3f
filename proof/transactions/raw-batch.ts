/** Reads RecordBatch v2 for the proofs, from Kafka's own description of the format: they share no code with what they check. */

export interface RawRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface RawBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly transactional: boolean;
  /** Of a marker; undefined for data. */
  readonly marker: "commit" | "abort" | undefined;
  readonly records: readonly RawRecord[];
}

const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const HEADER_BYTES = 61;

/** Uncompressed batches only. */
export function readRawBatch(bytes: Buffer): RawBatch {
  const baseOffset = Number(bytes.readBigInt64BE(0));
  const attributes = bytes.readInt16BE(21);
  const baseTimestamp = Number(bytes.readBigInt64BE(27));
  const control = (attributes & CONTROL) !== 0;
  const records: RawRecord[] = [];
  const cursor = { bytes, at: HEADER_BYTES };
  for (let left = bytes.readInt32BE(57); left > 0; left--) records.push(readRecord(cursor, baseOffset, baseTimestamp));
  const kind = control ? records[0]?.key?.readInt16BE(2) : undefined;
  return {
    baseOffset,
    nextOffset: baseOffset + bytes.readInt32BE(23) + 1,
    producerId: bytes.readBigInt64BE(43),
    producerEpoch: bytes.readInt16BE(51),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    marker: kind === undefined ? undefined : kind === 1 ? "commit" : "abort",
    records: control ? [] : records,
  };
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function readRecord(cursor: Cursor, baseOffset: number, baseTimestamp: number): RawRecord {
  const length = varint(cursor);
  const end = cursor.at + length;
  cursor.at += 1;
  const timestamp = baseTimestamp + varint(cursor);
  const offset = baseOffset + varint(cursor);
  const key = nullable(cursor);
  const value = nullable(cursor);
  cursor.at = end;
  return { offset, timestamp, key, value };
}

function nullable(cursor: Cursor): Buffer | null {
  const length = varint(cursor);
  if (length < 0) return null;
  cursor.at += length;
  return cursor.bytes.subarray(cursor.at - length, cursor.at);
}

/** Zigzag; exact up to 2^53. */
function varint(cursor: Cursor): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = cursor.bytes.readUInt8(cursor.at++);
    value += (byte & 127) * scale;
    if (byte < 128) break;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
