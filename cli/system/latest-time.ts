/** The newest timestamp that the log holds: time that stands still while nobody runs goes on from there. */
import type { Log } from "#log";
import { readRecords } from "./read-records.ts";

/** Undefined when the log holds no record. Looks at the last records of each partition. */
export async function latestTime(log: Log, topics: readonly string[]): Promise<number | undefined> {
  let latest = -1;
  for (const topic of topics) {
    const config = await log.topics.describe(topic);
    for (let partition = 0; partition < (config?.partitions ?? 0); partition++) {
      const end = await log.offsets.bound({ topic, partition }, "stable");
      for await (const { cursor } of readRecords(log, [{ topic, partition, from: end - LAST_OFFSETS, end }]))
        latest = Math.max(latest, cursor.timestamp);
    }
  }
  return latest < 0 ? undefined : latest;
}

/** Offsets that are looked at: the very last ones may be markers of transactions. */
const LAST_OFFSETS = 16;
