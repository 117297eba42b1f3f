/**
 * What a reader of committed records keeps of one fetched partition, by the rule of Kafka's own consumer. A transaction that
 * was aborted is open from its first offset to its ABORT marker, and while it is open nothing of its producer counts.
 *
 *     - the list of aborted transactions comes in the order of their markers: it is sorted by first offset here;
 *     - before each batch, all that have begun by its last offset are opened: a fetch may begin inside several of them;
 *     - only a control batch ends one, however a data record looks;
 *     - one whose marker is beyond the fetch stays open to its end, and comes again in the list of the next fetch;
 *     - the position moves over markers, dropped batches and what compaction has taken.
 */
import { LogError } from "../../errors.ts";
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  blockBytesOf,
  CONTROL_BIT,
  CRC_AT,
  LEADER_EPOCH_AT,
  MAGIC_AT,
  MAGIC_V2,
  nextOffsetOf,
  PRODUCER_ID_AT,
  readInt64,
  recordCountOf,
  TRANSACTIONAL_BIT,
} from "../../record-batch/batch-layout.ts";
import { crc32c } from "../../record-batch/crc32c.ts";
import { RecordBatchCursor } from "../../record-batch/record-batch-cursor.ts";
import type { AbortedTransaction } from "./fetch-response.ts";

export interface FetchedRecords {
  readonly records: Buffer;
  readonly aborted: readonly AbortedTransaction[];
}

export interface CommittedBatch {
  /** A view of the response. */
  readonly bytes: Buffer;
  readonly baseOffset: number;
  /** Over the markers and dropped batches that follow. */
  nextOffset: number;
  readonly recordCount: number;
}

export interface Committed {
  readonly batches: readonly CommittedBatch[];
  /** Where the next fetch begins; the offset of this one when not even one whole batch came. */
  readonly nextOffset: number;
  /** Of the leader that wrote the last whole batch; −1 without one. */
  readonly epoch: number;
}

const ABORT = 0;
const CONTROL_KEY_BYTES = 4;

/** Checks the CRC of every batch before its header is believed. Throws `BATCH_CORRUPT`. */
export function committedOf({ records, aborted }: FetchedRecords, fetchOffset: number): Committed {
  const starts = [...aborted].sort((one, other) => one.firstOffset - other.firstOffset);
  const open = new Set<bigint>();
  const batches: CommittedBatch[] = [];
  let opened = 0;
  let nextOffset = fetchOffset;
  let epoch = -1;
  for (let at = 0; at + BATCH_HEADER_BYTES <= records.length;) {
    const end = at + blockBytesOf(records, at);
    // A piece of a batch at the end is no error: the next fetch brings it whole.
    if (end > records.length) break;
    const bytes = records.subarray(at, end);
    at = end;
    const baseOffset = readInt64(bytes, 0);
    refuseDamaged(bytes, baseOffset);
    const next = nextOffsetOf(bytes, baseOffset);
    for (let start = starts[opened]; start !== undefined && start.firstOffset < next; start = starts[++opened]) open.add(start.producerId);
    const kept = isKept(bytes, baseOffset, open);
    // Brokers answer from the batch that holds the offset, or one before it.
    if (next <= nextOffset) continue;
    nextOffset = next;
    epoch = bytes.readInt32BE(LEADER_EPOCH_AT);
    if (kept) batches.push({ bytes, baseOffset, nextOffset, recordCount: recordCountOf(bytes) });
    else {
      const last = batches.at(-1);
      if (last !== undefined) last.nextOffset = nextOffset;
    }
  }
  return { batches, nextOffset, epoch };
}

/** Also ends what a marker ends. */
function isKept(bytes: Buffer, baseOffset: number, open: Set<bigint>): boolean {
  const attributes = bytes.readInt16BE(ATTRIBUTES_AT);
  const producerId = bytes.readBigInt64BE(PRODUCER_ID_AT);
  if ((attributes & CONTROL_BIT) !== 0) {
    if (markerOf(bytes, baseOffset) === ABORT) open.delete(producerId);
    return false;
  }
  if (recordCountOf(bytes) === 0) return false;
  return (attributes & TRANSACTIONAL_BIT) === 0 || !open.has(producerId);
}

/** −1 when the batch has none any more. Key of a marker: int16 version, int16 type. */
function markerOf(bytes: Buffer, baseOffset: number): number {
  const cursor = new RecordBatchCursor({ checkCrc: false });
  cursor.reset(bytes, baseOffset);
  if (!cursor.next() || cursor.keyStart < 0 || cursor.keyEnd - cursor.keyStart < CONTROL_KEY_BYTES) return -1;
  return cursor.bytes.readInt16BE(cursor.keyStart + 2);
}

function refuseDamaged(bytes: Buffer, baseOffset: number): void {
  const magic = bytes.length < BATCH_HEADER_BYTES ? -1 : bytes.readInt8(MAGIC_AT);
  if (magic === MAGIC_V2 && crc32c(bytes, ATTRIBUTES_AT, bytes.length) === bytes.readUInt32BE(CRC_AT)) return;
  const why = magic === MAGIC_V2 ? "its CRC does not match" : `its magic is ${magic}, not ${MAGIC_V2}`;
  throw new LogError(
    "BATCH_CORRUPT",
    `The batch fetched at offset ${baseOffset} is damaged: ${why}. Fetch again; if it stays so, restore the partition from a replica.`,
    { offset: baseOffset },
  );
}
