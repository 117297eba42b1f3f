/** Reads a world's past out of the log: what it produced, what it could have observed, where its drivers were last seen. */
import { RecordBatchCursor } from "#log";
import type { FetchedBatch, Log, Reader, TopicPartition } from "#log";
import { CLIENT_DEFAULTS } from "../defaults.ts";
import type { Observed } from "../world.ts";
import type { WorldTopics } from "./world-topics.ts";

export type WorldLog = Pick<Log, "reader" | "producer" | "offsets" | "version" | "changed">;

/** Every partition of some topics, each from an offset. */
export interface Positions {
  readonly at: readonly (TopicPartition & { readonly offset: number; readonly end: number })[];
}

/** From the log's start, or from the first record at or after `since`, to what is stable now. */
export async function positionsOf(
  log: WorldLog,
  topics: readonly { readonly name: string; readonly partitions: number }[],
  since: number,
): Promise<Positions> {
  const at = topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, async (_, partition) => {
      const of = { topic: name, partition };
      const end = await log.offsets.bound(of, "stable");
      const offset = Number.isFinite(since) ? ((await log.offsets.forTime(of, since)) ?? end) : await log.offsets.bound(of, "start");
      return { ...of, offset: Math.min(offset, end), end };
    }),
  );
  return { at: await Promise.all(at) };
}

/** Calls `take` for each record up to the ends; the reader then stands there. Waits for a log that fetches. */
export async function readTo(
  log: WorldLog,
  reader: Reader,
  { at }: Positions,
  take: (cursor: RecordBatchCursor, batch: FetchedBatch) => void,
): Promise<void> {
  reader.assign(at.map(({ topic, partition, offset }) => ({ topic, partition, offset, outOfRange: "start" })));
  const cursor = new RecordBatchCursor();
  while (at.some((partition) => reader.position(partition) < partition.end)) {
    let version = log.version();
    let batches = reader.poll();
    for (let waits = 0; batches.length === 0; waits++) {
      // Deleted meanwhile by retention: there is nothing more to come below the end.
      if (waits >= CLIENT_DEFAULTS.historyWaitsMax) return;
      await CLIENT_DEFAULTS.untilChanged(log, version);
      version = log.version();
      batches = reader.poll();
    }
    for (const batch of batches) eachRecord(cursor, batch, take);
  }
}

/** The records of a batch that are asked for, without a copy. */
export function eachRecord(
  cursor: RecordBatchCursor,
  batch: FetchedBatch,
  take: (cursor: RecordBatchCursor, batch: FetchedBatch) => void,
): void {
  cursor.reset(batch.bytes, batch.baseOffset);
  while (cursor.next()) if (cursor.offset >= batch.fetchOffset && cursor.valueStart >= 0) take(cursor, batch);
}

export interface Produced {
  /** Ids of the world's own events, but locations. */
  readonly known: Set<string>;
  /** Infinity when there are none. */
  firstAt: number;
  /** −Infinity when there are none. */
  lastAt: number;
}

export async function readProduced(log: WorldLog, topics: WorldTopics, worldId: string, since: number): Promise<Produced> {
  const { orders, rides, driverEvents } = topics;
  const own = [orders, rides, driverEvents];
  const produced: Produced = { known: new Set(), firstAt: Infinity, lastAt: -Infinity };
  const reader = log.reader();
  try {
    await readTo(log, reader, await positionsOf(log, own, since), (cursor, { topic }) => {
      const serde = own.find(({ name }) => name === topic)?.value;
      const eventId = serde?.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd).eventId;
      if (eventId === undefined || !eventId.startsWith(`${worldId}/`)) return;
      produced.known.add(eventId);
      produced.firstAt = Math.min(produced.firstAt, cursor.timestamp);
      produced.lastAt = Math.max(produced.lastAt, cursor.timestamp);
    });
  } finally {
    await reader.close();
  }
  return produced;
}

/** The last location of each driver by record timestamp, as far back as `since`. */
export async function readLastLocations(log: WorldLog, topics: WorldTopics, since: number): Promise<Map<string, number>> {
  const last = new Map<string, number>();
  const reader = log.reader();
  try {
    await readTo(log, reader, await positionsOf(log, [topics.driverLocations], since), (cursor) => {
      last.set(cursor.bytes.toString("utf8", cursor.keyStart, cursor.keyEnd), cursor.timestamp);
    });
  } finally {
    await reader.close();
  }
  return last;
}

/** One record of assignments, moves or trips, if it tells the world anything. Undefined: a trip of its own customers. */
export function decision(
  topics: WorldTopics,
  owns: (jobId: string) => boolean,
  cursor: RecordBatchCursor,
  topic: string,
): Observed | undefined {
  if (topic === topics.assignments.name) return topics.assignments.value.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd);
  if (topic === topics.driverMoves.name) return topics.driverMoves.value.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd);
  if (owns(cursor.bytes.toString("utf8", cursor.keyStart, cursor.keyEnd))) return undefined;
  return topics.trips.value.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd);
}
