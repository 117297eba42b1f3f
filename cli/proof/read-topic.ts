/** Reads a topic from its first record to the end it has now, as any consumer of committed records would. */
import type { Log } from "#log";
import type { ProofRecord } from "#proof";
import type { Topic } from "#streams";
import { readRecords } from "../system/read-records.ts";

/** Partition after partition, each in the order of its offsets; decoded one record at a time. */
export async function* readTopic<V>(log: Log, topic: Topic<string, V>): AsyncGenerator<ProofRecord<V>> {
  const config = await log.topics.describe(topic.name);
  const partitions = Array.from({ length: config?.partitions ?? 0 }, (_, partition) => ({ topic: topic.name, partition }));
  for await (const { batch, cursor } of readRecords(log, partitions)) {
    if (cursor.valueStart < 0) continue;
    const value = topic.value.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd);
    yield { partition: batch.partition, offset: cursor.offset, timestamp: cursor.timestamp, value };
  }
}
