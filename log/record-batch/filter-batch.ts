/** Takes records out of a block without encoding the others anew: what compaction does. */
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  BATCH_LENGTH_EXCLUDES,
  CRC_AT,
  MAX_TIMESTAMP_AT,
  RECORD_COUNT_AT,
  writeInt64,
} from "./batch-layout.ts";
import { crc32c } from "./crc32c.ts";
import type { RecordBatchCursor } from "./record-batch-cursor.ts";

/**
 * The block without the records that `keep` refuses, or the same buffer when it refuses none. Offsets, the offset range and
 * the order stay; a block without records is valid and only moves readers on. Throws `BATCH_CORRUPT`.
 */
export function filterBatch(
  block: Buffer,
  baseOffset: number,
  cursor: RecordBatchCursor,
  keep: (cursor: RecordBatchCursor) => boolean,
): Buffer {
  const filtered = Buffer.allocUnsafe(block.length);
  let length = BATCH_HEADER_BYTES;
  let count = 0;
  let total = 0;
  let maxTimestamp = -1;
  cursor.reset(block, baseOffset);
  for (; cursor.next(); total++) {
    if (!keep(cursor)) continue;
    length += block.copy(filtered, length, cursor.recordStart, cursor.recordEnd);
    count += 1;
    maxTimestamp = Math.max(maxTimestamp, cursor.timestamp);
  }
  if (count === total) return block;
  block.copy(filtered, 0, 0, BATCH_HEADER_BYTES);
  filtered.writeInt32BE(length - BATCH_LENGTH_EXCLUDES, BATCH_LENGTH_AT);
  writeInt64(filtered, MAX_TIMESTAMP_AT, maxTimestamp);
  filtered.writeInt32BE(count, RECORD_COUNT_AT);
  filtered.writeUInt32BE(crc32c(filtered, ATTRIBUTES_AT, length), CRC_AT);
  return filtered.subarray(0, length);
}
