/**
 * How far the rows of this process are, as rows themselves: written in one batch with the state that they speak of, so that neither
 * is ever there without the other.
 */
import type { Disk, DiskBatch } from "#disk";
import { ENGINE_STORE_ID, prefixEnd, rowPrefix } from "#state";

const CHANGELOG_PREFIX = Buffer.concat([rowPrefix(ENGINE_STORE_ID, 0), Buffer.from("changelog/")]);
const INPUT_PREFIX = Buffer.concat([rowPrefix(ENGINE_STORE_ID, 0), Buffer.from("input/")]);
const VERSION = 1;
const ROW_BYTES = 17;
const TWO_TO_32 = 2 ** 32;

export interface StoredOffset {
  readonly position: number;
  /** When the rows were last all that there was, by the host's clock. */
  readonly currentAt: number;
}

/** Of one store's partition in its changelog. */
export function changelogPositionKey(storeId: number, partition: number): Buffer {
  const key = Buffer.allocUnsafe(CHANGELOG_PREFIX.length + 8);
  key.set(CHANGELOG_PREFIX);
  key.writeUInt32BE(storeId, CHANGELOG_PREFIX.length);
  key.writeUInt32BE(partition, CHANGELOG_PREFIX.length + 4);
  return key;
}

/** All positions of a store: gone with its rows, or rows that are gone would be taken for restored. */
export function dropPositions(disk: Disk, storeId: number): void {
  const prefix = changelogPositionKey(storeId, 0).subarray(0, -4);
  disk.deleteRange("rows", prefix, prefixEnd(prefix));
}

/** Of one input partition, as it was committed with the rows. */
export function inputPositionKey(topic: string, partition: number): Buffer {
  return Buffer.concat([INPUT_PREFIX, Buffer.from(`${topic}/${partition}`)]);
}

export function putPosition(batch: DiskBatch, key: Buffer, { position, currentAt }: StoredOffset): void {
  const row = Buffer.allocUnsafe(ROW_BYTES);
  row.writeUInt8(VERSION, 0);
  writeInteger(row, position, 1);
  writeInteger(row, currentAt, 9);
  batch.put("rows", key, row);
}

/** Undefined when there is none that can be read: then nobody knows what the rows hold. */
export function readPosition(disk: Disk, key: Buffer): StoredOffset | undefined {
  const row = disk.get("rows", key);
  if (row === undefined || row.length !== ROW_BYTES || row.readUInt8(0) !== VERSION) return undefined;
  const position = readInteger(row, 1);
  const currentAt = readInteger(row, 9);
  return Number.isSafeInteger(position) && position >= 0 ? { position, currentAt } : undefined;
}

function writeInteger(row: Buffer, value: number, at: number): void {
  const high = Math.floor(value / TWO_TO_32);
  row.writeInt32BE(high, at);
  row.writeUInt32BE(value - high * TWO_TO_32, at + 4);
}

function readInteger(row: Buffer, at: number): number {
  return row.readInt32BE(at) * TWO_TO_32 + row.readUInt32BE(at + 4);
}
