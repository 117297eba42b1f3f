/** Connects the schema registry to a log: a compacted topic of one partition. */
import type { Log } from "#log";
import { SCHEMAS_TOPIC, type SchemaLogPort } from "#schemas";
import { readRecords } from "./read-records.ts";

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
  const entries: [string, string][] = [];
  for await (const { cursor } of readRecords(log, [partition])) entries.push([String(cursor.key() ?? ""), String(cursor.value() ?? "")]);
  return entries;
}
