/** How far a group is behind, in records and in seconds, from its committed offsets and the times of its next records. */
import type { Log, TopicPartition } from "#log";
import { taskName, type Topology } from "#streams";
import { readRecords } from "../system/read-records.ts";

export interface LagRow extends TopicPartition {
  readonly task: string;
  readonly committed: number;
  readonly end: number;
  /** Offsets: markers of transactions count. */
  readonly records: number;
  /** Age of the oldest record that is not processed yet; 0 when there is none. */
  readonly seconds: number;
}

type LagLog = Pick<Log, "topics" | "offsets" | "reader" | "version" | "changed">;

/** By task and topic. `now`: milliseconds since the epoch. Rejects as the log does. */
export async function lagRows(log: LagLog, topology: Topology, group: string, now: number): Promise<readonly LagRow[]> {
  const rows: LagRow[] = [];
  for (const [subtopology, { sources }] of topology.subtopologies.entries()) {
    for (const { topic } of sources) {
      const config = await log.topics.describe(topic.name);
      const places = Array.from({ length: config?.partitions ?? 0 }, (_, partition) => ({ topic: topic.name, partition }));
      const committed = await log.offsets.committed(group, places);
      const found = await Promise.all(places.map((place, index) => lagOf(log, place, committed[index]?.offset, now)));
      for (const row of found) rows.push({ task: taskName({ subtopology, partition: row.partition }), ...row });
    }
  }
  return rows.toSorted((a, b) => order(a.task, b.task) || order(a.topic, b.topic) || a.partition - b.partition);
}

async function lagOf(log: LagLog, place: TopicPartition, offset: number | undefined, now: number): Promise<Omit<LagRow, "task">> {
  const start = await log.offsets.bound(place, "start");
  const end = await log.offsets.bound(place, "stable");
  const committed = Math.max(start, offset ?? start);
  if (committed >= end) return { ...place, committed, end, records: 0, seconds: 0 };
  for await (const { cursor } of readRecords(log, [{ ...place, from: committed, end }]))
    return { ...place, committed, end, records: end - cursor.offset, seconds: Math.max(0, now - cursor.timestamp) / 1_000 };
  // Nothing but markers.
  return { ...place, committed, end, records: 0, seconds: 0 };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
