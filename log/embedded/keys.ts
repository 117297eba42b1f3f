/**
 * Keys of the embedded log in the family `log`. The first byte tells the kind; numbers are big-endian, so that
 * a partition's blocks are one range in offset order. The layout is on disk: a change needs a new format version.
 */

const FORMAT = 0x01;
const TOPIC = 0x02;
const BOUNDS = 0x03;
const COMMITTED = 0x04;
const EPOCH = 0x05;
const CLEANED = 0x06;
const BLOCK = 0x10;

const HIGH = 0x1_0000_0000;
const TOPIC_PREFIX_BYTES = 1;
const PARTITION_PREFIX_BYTES = 9;

export interface KeyBounds {
  readonly from: Buffer;
  readonly to: Buffer;
}

/** Holds the format version. */
export const FORMAT_KEY: Buffer = Buffer.from([FORMAT]);

/** By topic id, so that a listing comes in the order of creation. */
export function topicKey(topicId: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key[0] = TOPIC;
  key.writeUInt32BE(topicId, TOPIC_PREFIX_BYTES);
  return key;
}

export const ALL_TOPICS: KeyBounds = { from: Buffer.from([TOPIC]), to: Buffer.from([TOPIC + 1]) };

/** Holds start, end and bytes of a partition. */
export function boundsKey(topicId: number, partition: number): Buffer {
  return partitionKey(BOUNDS, topicId, partition);
}

/** Holds how far compaction has come. */
export function cleanedKey(topicId: number, partition: number): Buffer {
  return partitionKey(CLEANED, topicId, partition);
}

/** Holds one block: RecordBatch v2 with its base offset stamped. */
export function blockKey(topicId: number, partition: number, baseOffset: number): Buffer {
  const key = Buffer.allocUnsafe(PARTITION_PREFIX_BYTES + 8);
  key[0] = BLOCK;
  key.writeUInt32BE(topicId, 1);
  key.writeUInt32BE(partition, 5);
  const high = Math.floor(baseOffset / HIGH);
  key.writeUInt32BE(high, PARTITION_PREFIX_BYTES);
  key.writeUInt32BE(baseOffset - high * HIGH, PARTITION_PREFIX_BYTES + 4);
  return key;
}

/** The base offset in a block key. */
export function offsetOfKey(key: Buffer): number {
  return key.readUInt32BE(PARTITION_PREFIX_BYTES) * HIGH + key.readUInt32BE(PARTITION_PREFIX_BYTES + 4);
}

/** The group comes first with its length: a group's rows are one range and no name is the prefix of another. */
export function committedKey(group: string, topicId: number, partition: number): Buffer {
  const prefix = groupPrefix(group);
  const key = Buffer.allocUnsafe(prefix.length + 8);
  prefix.copy(key);
  key.writeUInt32BE(topicId, prefix.length);
  key.writeUInt32BE(partition, prefix.length + 4);
  return key;
}

export const ALL_COMMITTED: KeyBounds = { from: Buffer.from([COMMITTED]), to: Buffer.from([COMMITTED + 1]) };

/** The first key behind all rows of a group. */
export function afterGroup(group: string): Buffer {
  return Buffer.concat([groupPrefix(group), Buffer.alloc(9, 0xff)]);
}

export function groupOfKey(key: Buffer): string {
  return key.toString("utf8", 3, 3 + key.readUInt16BE(1));
}

export function epochKey(transactionalId: string): Buffer {
  return Buffer.concat([Buffer.from([EPOCH]), Buffer.from(transactionalId)]);
}

function partitionKey(kind: number, topicId: number, partition: number): Buffer {
  const key = Buffer.allocUnsafe(PARTITION_PREFIX_BYTES);
  key[0] = kind;
  key.writeUInt32BE(topicId, 1);
  key.writeUInt32BE(partition, 5);
  return key;
}

function groupPrefix(group: string): Buffer {
  const name = Buffer.from(group);
  const prefix = Buffer.allocUnsafe(3 + name.length);
  prefix[0] = COMMITTED;
  prefix.writeUInt16BE(name.length, 1);
  name.copy(prefix, 3);
  return prefix;
}
