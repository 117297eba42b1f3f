/** Reads a topic from its first record to the end it has now, as any consumer of committed records would. */
import { RecordBatchCursor, type Log } from "#log";
import type { ProofRecord } from "#proof";
import type { Topic } from "#streams";

/** Partition after partition, each in the order of its offsets; decoded one record at a time. */
export async function* readTopic<V>(log: Log, topic: Topic<string, V>): AsyncGenerator<ProofRecord<V>> {
  const config = await log.topics.describe(topic.name);
  const cursor = new RecordBatchCursor();
  for (let partition = 0; partition < (config?.partitions ?? 0); partition++) {
    const place = { topic: topic.name, partition };
    const end = await log.offsets.bound(place, "stable");
    const reader = log.reader();
    try {
      reader.assign([{ ...place, offset: await log.offsets.bound(place, "start"), outOfRange: "start" }]);
      while (reader.position(place) < end) {
        for (const batch of reader.poll()) {
          cursor.reset(batch.bytes, batch.baseOffset);
          while (cursor.next()) {
            if (cursor.offset < batch.fetchOffset || cursor.offset >= end || cursor.valueStart < 0) continue;
            const value = topic.value.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd);
            yield { partition, offset: cursor.offset, timestamp: cursor.timestamp, value };
          }
        }
      }
    } finally {
      await reader.close();
    }
  }
}
