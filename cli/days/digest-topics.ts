/** One name for all that a log holds: equal for runs that wrote the same bytes at the same times and offsets. */
import { createHash } from "node:crypto";
import type { Log } from "#log";
import { readRecords } from "../system/read-records.ts";

/** Holds nothing in memory: days of millions of records are told apart by it. */
export async function digestTopics(log: Log): Promise<string> {
  const hash = createHash("sha256");
  const head = Buffer.alloc(32);
  const topics = await log.topics.list();
  for (const { name, partitions } of [...topics].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`${name}/${partitions}`);
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }));
    for await (const { batch, cursor } of readRecords(log, places)) {
      head.writeInt32LE(batch.partition, 0);
      head.writeDoubleLE(cursor.offset, 4);
      head.writeDoubleLE(cursor.timestamp, 12);
      head.writeInt32LE(cursor.keyEnd - cursor.keyStart, 20);
      head.writeInt32LE(cursor.valueEnd - cursor.valueStart, 24);
      hash.update(head);
      if (cursor.keyStart >= 0) hash.update(cursor.bytes.subarray(cursor.keyStart, cursor.keyEnd));
      if (cursor.valueStart >= 0) hash.update(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd));
    }
  }
  return hash.digest("hex");
}
