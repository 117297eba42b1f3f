/** How an entry's value is laid out in its row, by kind of store; around the serde that the user gave. */
import { SerdeError } from "../errors.ts";
import type { Serde } from "../serde.ts";
import type { PriorityEntry, StoreDescriptor, Timestamped } from "../store.ts";

const PREFIX_BYTES = 8;
const TWO_TO_32 = 2 ** 32;

export interface EntryCodec<V> {
  /** As `Serde.encode`. */
  encode(value: V, target: Buffer, at: number): number;
  decode(bytes: Buffer, start: number, end: number, key: string | number): V;
  /** Bytes before the serde's: what the local row has and the changelog carries elsewhere. */
  readonly localPrefixBytes: number;
  /** The timestamp that the value itself carries, −1 where it carries none. */
  timestamp(value: V): number;
}

export function plainCodec<V>(serde: Serde<V>): EntryCodec<V> {
  return {
    encode: (value, target, at) => serde.encode(value, target, at),
    decode: (bytes, start, end) => serde.decode(bytes, start, end),
    localPrefixBytes: 0,
    timestamp: () => -1,
  };
}

/** Timestamp (signed 64 bits), then the value. */
export function timestampedCodec<V>(serde: Serde<V>): EntryCodec<Timestamped<V>> {
  return {
    encode(value, target, at) {
      // A changelog carries it as the record's timestamp.
      if (!Number.isSafeInteger(value.timestamp) || value.timestamp < 0)
        throw new SerdeError("VALUE_UNENCODABLE", `The timestamp ${value.timestamp} is not a whole millisecond of 0 or more.`);
      const end = encodeBehindPrefix(serde, value.value, target, at);
      if (end <= target.length) writeInteger(value.timestamp, target, at);
      return end;
    },
    decode(bytes, start, end) {
      refuseShort(start, end);
      return { value: serde.decode(bytes, start + PREFIX_BYTES, end), timestamp: readInteger(bytes, start) };
    },
    localPrefixBytes: PREFIX_BYTES,
    timestamp: (value) => value.timestamp,
  };
}

/** Priority (big-endian IEEE 754), then the value. */
export function priorityCodec<V>(serde: Serde<V>): EntryCodec<PriorityEntry<V>> {
  return {
    encode(entry, target, at) {
      const end = encodeBehindPrefix(serde, entry.value, target, at);
      if (end <= target.length) target.writeDoubleBE(entry.priority, at);
      return end;
    },
    decode(bytes, start, end, key) {
      const priority = decodePriority(bytes, start, end);
      return { id: String(key), priority, value: serde.decode(bytes, start + PREFIX_BYTES, end) };
    },
    localPrefixBytes: 0,
    timestamp: () => -1,
  };
}

/** The priority alone: what the index in memory is rebuilt from. */
export function decodePriority(bytes: Buffer, start: number, end: number): number {
  refuseShort(start, end);
  return bytes.readDoubleBE(start);
}

/** The due time (signed 64 bits) and nothing else. */
export const timerCodec: EntryCodec<number> = {
  encode(at, target, position) {
    const end = position + PREFIX_BYTES;
    if (end <= target.length) writeInteger(at, target, position);
    return end;
  },
  decode(bytes, start, end) {
    refuseShort(start, end);
    return readInteger(bytes, start);
  },
  localPrefixBytes: 0,
  timestamp: () => -1,
};

/** How many bytes a row of the store has before what its changelog carries. */
export function localPrefixBytes({ kind }: StoreDescriptor): number {
  return kind === "timestamped" ? PREFIX_BYTES : 0;
}

/** The prefix that the changelog carries as the record's timestamp; answers the position behind it. */
export function writeLocalPrefix(timestamp: number, target: Buffer, at: number): number {
  writeInteger(timestamp, target, at);
  return at + PREFIX_BYTES;
}

function encodeBehindPrefix<V>(serde: Serde<V>, value: V, target: Buffer, at: number): number {
  // A serde is never asked to write from beyond the end.
  const start = at + PREFIX_BYTES;
  return start > target.length ? start : serde.encode(value, target, start);
}

function writeInteger(value: number, target: Buffer, at: number): void {
  const high = Math.floor(value / TWO_TO_32);
  target.writeInt32BE(high, at);
  target.writeUInt32BE(value - high * TWO_TO_32, at + 4);
}

function readInteger(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * TWO_TO_32 + bytes.readUInt32BE(at + 4);
}

function refuseShort(start: number, end: number): void {
  if (end - start < PREFIX_BYTES) throw new SerdeError("ROW_UNDECODABLE", `The row has ${end - start} bytes, at least 8 are needed.`);
}
