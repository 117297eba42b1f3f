/** The newest timestamp that the log holds: time that stands still while nobody runs goes on from there. */
import { RecordBatchCursor, type Log } from "#log";

/** Undefined when the log holds no record. Looks at the last record of each partition. */
export async function latestTime(log: Log, topics: readonly string[]): Promise<number | undefined> {
  let latest = -1;
  const cursor = new RecordBatchCursor();
  for (const topic of topics) {
    const config = await log.topics.describe(topic);
    for (let partition = 0; partition < (config?.partitions ?? 0); partition++) {
      const place = { topic, partition };
      const end = await log.offsets.bound(place, "stable");
      if (end === 0 || end <= (await log.offsets.bound(place, "start"))) continue;
      const reader = log.reader();
      reader.assign([{ ...place, offset: end - 1, outOfRange: "end" }]);
      for (const batch of reader.poll()) {
        cursor.reset(batch.bytes, batch.baseOffset);
        while (cursor.next()) latest = Math.max(latest, cursor.timestamp);
      }
      await reader.close();
    }
  }
  return latest < 0 ? undefined : latest;
}
