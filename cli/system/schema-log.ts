/** Connects the schema registry to the embedded log: a compacted topic of one partition. */
import { RecordBatchCursor, type Log } from "#log";
import { SCHEMAS_TOPIC, type SchemaLogPort } from "#schemas";

const partition = { topic: SCHEMAS_TOPIC, partition: 0 } as const;

/** Timestamps are 0: the bytes of the topic depend on the schemas alone. */
export async function schemaLogPort(log: Log): Promise<SchemaLogPort> {
  await log.topics.ensure([{ name: SCHEMAS_TOPIC, partitions: 1, cleanup: "compact" }]);
  return {
    readAll: () => readAll(log),
    async append(key, value) {
      const producer = log.producer();
      producer.append(SCHEMAS_TOPIC, 0, 0, Buffer.from(key), Buffer.from(value));
      await producer.flush();
      await producer.close();
    },
  };
}

async function readAll(log: Log): Promise<readonly (readonly [string, string])[]> {
  const [start, end] = [await log.offsets.bound(partition, "start"), await log.offsets.bound(partition, "stable")];
  const reader = log.reader();
  const entries: [string, string][] = [];
  const cursor = new RecordBatchCursor();
  try {
    reader.assign([{ ...partition, offset: start, outOfRange: "start" }]);
    while (reader.position(partition) < end) {
      for (const batch of reader.poll()) {
        cursor.reset(batch.bytes, batch.baseOffset);
        while (cursor.next()) entries.push([String(cursor.key() ?? ""), String(cursor.value() ?? "")]);
      }
    }
  } finally {
    await reader.close();
  }
  return entries;
}
