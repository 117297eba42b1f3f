/** The records of a log as they lie there, for comparing runs. */
import type { Log } from "#log";
import type { RawRecord } from "#proof";
import { readRecords } from "../system/read-records.ts";

/** By topic, each partition in the order of its offsets; bytes are copies. Holds the whole log in memory. */
export type RawTopics = ReadonlyMap<string, readonly RawRecord[]>;

/** Every topic of the log, or those `wanted`, from its first record to its present end. */
export async function readRawTopics(log: Log, wanted?: readonly string[]): Promise<RawTopics> {
  const topics = new Map<string, readonly RawRecord[]>();
  for (const { name, partitions } of await log.topics.list()) {
    if (wanted?.includes(name) === false) continue;
    const records: RawRecord[] = [];
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }));
    for await (const { batch, cursor } of readRecords(log, places)) {
      const { offset, timestamp } = cursor;
      records.push({ partition: batch.partition, offset, timestamp, key: cursor.key(), value: cursor.value(), headers: cursor.headers() });
    }
    topics.set(name, records);
  }
  return topics;
}

/** The topics of two runs beside each other; one that only one run has is there with nothing on the other side. */
export function topicPairs(first: RawTopics, second: RawTopics) {
  const names = [...new Set([...first.keys(), ...second.keys()])].sort();
  return names.map((topic) => ({ topic, first: first.get(topic) ?? [], second: second.get(topic) ?? [] }));
}
