/** Committed records of one key, or of any, from a partition's past: bounded in bytes and in time, and never for long at once. */
import { RecordBatchCursor, type Log, type TopicPartition } from "#log";

export interface RecordsQuery extends TopicPartition {
  /** Records from this time on. */
  readonly since: number;
  /** Records up to this time; default: all. */
  readonly until?: number;
  /** Undefined: every record. */
  readonly key?: Buffer;
  /** Return false to stop. */
  readonly each: (cursor: RecordBatchCursor) => boolean | void;
}

export interface ReadBudget {
  bytesLeft: number;
  /** On `performance.now`. */
  readonly until: number;
}

const POLL_BYTES = 256 * 1024;
/** A broker needs a moment to answer. */
const WAIT_MS = 20;

/** True when everything asked for was looked at. */
export async function readRecords(log: Log, query: RecordsQuery, budget: ReadBudget): Promise<boolean> {
  const { topic, partition, since, until = Infinity, key, each } = query;
  const place = { topic, partition };
  const end = await log.offsets.bound(place, "stable");
  const start = await log.offsets.bound(place, "start");
  const from = since <= 0 ? start : await offsetFor(log, place, { start, end, since });
  if (from === undefined || from >= end) return true;
  const reader = log.reader({ pollBytesMax: POLL_BYTES });
  const cursor = new RecordBatchCursor();
  try {
    reader.assign([{ ...place, offset: from, outOfRange: "start" }]);
    while (reader.position(place) < end) {
      if (budget.bytesLeft <= 0 || performance.now() > budget.until) return false;
      const batches = reader.poll();
      if (batches.length === 0) await pause(WAIT_MS);
      for (const batch of batches) {
        budget.bytesLeft -= batch.bytes.length;
        cursor.reset(batch.bytes, batch.baseOffset);
        while (cursor.next()) {
          if (cursor.offset < batch.fetchOffset || cursor.offset >= end) continue;
          if (cursor.timestamp > until) return true;
          if ((key === undefined || isKey(cursor, key)) && each(cursor) === false) return true;
        }
      }
      // Others have their turn between two polls.
      await pause(0);
    }
    return true;
  } finally {
    await reader.close();
  }
}

/**
 * Where to begin to read. Broker logs have an index for it; the embedded log would look at every block, so there the place is
 * halved towards: a partition's times grow but for the disorder of its producers, which whoever asks has allowed for in `since`.
 */
export async function offsetFor(
  log: Pick<Log, "capabilities" | "offsets" | "reader">,
  place: TopicPartition,
  { start, end, since }: { readonly start: number; readonly end: number; readonly since: number },
): Promise<number | undefined> {
  if (!log.capabilities.atomicRows) return log.offsets.forTime(place, since);
  const reader = log.reader({ pollBytesMax: 1 });
  const cursor = new RecordBatchCursor();
  let low = start;
  let high = end;
  try {
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      reader.assign([{ ...place, offset: middle, outOfRange: "start" }]);
      const batch = reader.poll()[0];
      if (batch === undefined) break;
      cursor.reset(batch.bytes, batch.baseOffset);
      while (cursor.next() && cursor.offset < middle);
      if (cursor.timestamp < since) low = Math.max(middle + 1, Math.min(cursor.offset + 1, high));
      else high = middle;
    }
  } finally {
    await reader.close();
  }
  return low;
}

function isKey({ bytes, keyStart, keyEnd }: RecordBatchCursor, key: Buffer): boolean {
  return keyStart >= 0 && keyEnd - keyStart === key.length && bytes.compare(key, 0, key.length, keyStart, keyEnd) === 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)));
}
