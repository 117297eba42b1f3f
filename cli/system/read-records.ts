/** Reads committed records up to where their partitions end now, on a log that has them at hand and on one that fetches them. */
import { RecordBatchCursor, type FetchedBatch, type Log, type TopicPartition } from "#log";
import { CliError } from "../errors.ts";

export type ReadableLog = Pick<Log, "reader" | "offsets" | "version" | "changed">;

export interface ReadRange extends TopicPartition {
  /** Default: the partition's start. */
  readonly from?: number;
  /** Default: what is stable now. */
  readonly end?: number;
}

const WAIT_MS = 200;
/** Nothing came for so long although there is something: the brokers are gone. */
const SILENCE_MS_MAX = 30_000;

/**
 * The same cursor each time, on a record within the range; its bytes are to be used before the next one. Partitions one after the
 * other, each in the order of its offsets. Rejects as the log does, with CliError `CANNOT_REACH` when nothing comes any more.
 */
export async function* readRecords(
  log: ReadableLog,
  ranges: readonly ReadRange[],
): AsyncGenerator<{ readonly batch: FetchedBatch; readonly cursor: RecordBatchCursor }> {
  const cursor = new RecordBatchCursor();
  for (const range of ranges) {
    const place = { topic: range.topic, partition: range.partition };
    const end = range.end ?? (await log.offsets.bound(place, "stable"));
    const start = await log.offsets.bound(place, "start");
    const offset = Math.max(start, range.from ?? start);
    if (offset >= end) continue;
    const reader = log.reader();
    try {
      reader.assign([{ ...place, offset, outOfRange: "start" }]);
      let heardAt = performance.now();
      while (reader.position(place) < end) {
        let batches = reader.poll();
        if (batches.length === 0) {
          const version = log.version();
          batches = reader.poll();
          if (batches.length === 0 && reader.position(place) < end) await somethingNew(log, version);
        }
        for (const batch of batches) {
          cursor.reset(batch.bytes, batch.baseOffset);
          while (cursor.next()) if (cursor.offset >= batch.fetchOffset && cursor.offset < end) yield { batch, cursor };
        }
        if (batches.length > 0) heardAt = performance.now();
        if (performance.now() - heardAt > SILENCE_MS_MAX)
          throw new CliError(
            "CANNOT_REACH",
            `nothing came of ${place.topic}/${place.partition} for ${SILENCE_MS_MAX} ms; are its brokers up?`,
          );
      }
    } finally {
      await reader.close();
    }
  }
}

/** Resolves when the log may have more, after a moment at the latest. */
export async function somethingNew(log: Pick<Log, "changed">, version: number, msMax = WAIT_MS): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, msMax);
  });
  await Promise.race([log.changed(version), waited]);
  clearTimeout(timer);
}
