/** The records of a log as they lie there, for comparing runs. */
import { RecordBatchCursor, type Log } from "#log";
import type { RawRecord } from "#proof";

/** By topic, each partition in the order of its offsets; bytes are copies. Holds the whole log in memory. */
export type RawTopics = ReadonlyMap<string, readonly RawRecord[]>;

/** Every topic of the log, from its first record to its present end. */
export async function readRawTopics(log: Log): Promise<RawTopics> {
  const topics = new Map<string, readonly RawRecord[]>();
  for (const { name, partitions } of await log.topics.list()) {
    const records: RawRecord[] = [];
    for (let partition = 0; partition < partitions; partition++) await readRaw(log, name, partition, records);
    topics.set(name, records);
  }
  return topics;
}

async function readRaw(log: Log, topic: string, partition: number, out: RawRecord[]): Promise<void> {
  const place = { topic, partition };
  const end = await log.offsets.bound(place, "stable");
  const cursor = new RecordBatchCursor();
  const reader = log.reader();
  try {
    reader.assign([{ ...place, offset: await log.offsets.bound(place, "start"), outOfRange: "start" }]);
    while (reader.position(place) < end) {
      for (const batch of reader.poll()) {
        cursor.reset(batch.bytes, batch.baseOffset);
        while (cursor.next()) {
          if (cursor.offset < batch.fetchOffset || cursor.offset >= end) continue;
          const { offset, timestamp } = cursor;
          out.push({ partition, offset, timestamp, key: cursor.key(), value: cursor.value(), headers: cursor.headers() });
        }
      }
    }
  } finally {
    await reader.close();
  }
}

/** The topics of two runs beside each other; one that only one run has is there with nothing on the other side. */
export function topicPairs(first: RawTopics, second: RawTopics) {
  const names = [...new Set([...first.keys(), ...second.keys()])].sort();
  return names.map((topic) => ({ topic, first: first.get(topic) ?? [], second: second.get(topic) ?? [] }));
}
