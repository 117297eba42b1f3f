/** The inspector over the database of this process: committed blocks through a reader, committed rows through a view. */
import { RecordBatchCursor, type Log, type PartitionAssignment, type Reader, type TopicConfig, type TopicPartition } from "#log";
import { taskName, type CommittedView, type Topic, type Topology } from "#streams";
import { StateError } from "#state";
import { ApiError } from "./errors.ts";
import { RANGE_ROWS_MAX, TAIL_RECORDS_MAX } from "./inspector.ts";
import type { Inspector, PartitionLag, RangeQuery, StoreRow, TailOptions, TopicRecord, TopicSummary } from "./inspector.ts";

export interface LocalInspectorOptions {
  readonly log: Log;
  readonly topology: Topology;
  readonly view: CommittedView;
  /** Whose committed offsets count as read. */
  readonly group: string;
}

const tailDefault = 10;
const rangeDefault = 100;
const fetchWaitMs = 100;
const fetchWaitsMax = 50;

export function localInspector({ log, topology, view, group }: LocalInspectorOptions): Inspector {
  const descriptors = new Map(
    topology.subtopologies
      .flatMap(({ sources, sinkTopics }) => [...sources.map(({ topic }) => topic), ...sinkTopics])
      .map((topic) => [topic.name, topic] as const),
  );
  const storeNames = new Set(topology.subtopologies.flatMap(({ stores }) => stores.map(({ name }) => name)));
  const known = (store: string): string => {
    if (storeNames.has(store)) return store;
    throw new ApiError("STORE_NOT_FOUND", `no store "${store}"; there are: ${[...storeNames].sort().join(", ")}`);
  };

  return {
    async topics() {
      const configs = [...(await log.topics.list())].sort((a, b) => (a.name < b.name ? -1 : 1));
      return Promise.all(configs.map((config) => summarize(log, config)));
    },
    async tail(options) {
      const config = await log.topics.describe(options.topic);
      if (config === undefined)
        throw new ApiError("TOPIC_NOT_FOUND", `no topic "${options.topic}" in this log; slackline topic ls lists them`);
      return tail(log, config, descriptors.get(config.name), options);
    },
    async get(store, key) {
      const name = known(store);
      return withUsableKeys(() => view.get(name, key));
    },
    async range({ store, from, to, limit = rangeDefault }: RangeQuery): Promise<readonly StoreRow[]> {
      const name = known(store);
      within("limit", limit, RANGE_ROWS_MAX);
      return withUsableKeys(() =>
        view.range(name, { limit, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }),
      );
    },
    topology: (format) => Promise.resolve(format === "mermaid" ? topology.mermaid() : topology.describe()),
    lag: () => lagOf(log, topology, group),
  };
}

function within(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new ApiError("BAD_REQUEST", `${name} is ${value}; it must be a whole number from 0 to ${most}`);
}

/** Keys come as text: a store under other keys refuses them, and whoever asked is to blame. */
function withUsableKeys<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof StateError && error.code === "KEY_UNENCODABLE") throw new ApiError("BAD_REQUEST", error.message, { cause: error });
    throw error;
  }
}

async function summarize(log: Log, { name, partitions, cleanup }: TopicConfig): Promise<TopicSummary> {
  let records = 0;
  for (let partition = 0; partition < partitions; partition++) {
    records +=
      (await log.offsets.bound({ topic: name, partition }, "stable")) - (await log.offsets.bound({ topic: name, partition }, "start"));
  }
  return { name, partitions, cleanup, records };
}

async function tail(
  log: Log,
  { name, partitions }: TopicConfig,
  topic: Topic<unknown, unknown> | undefined,
  { partition, last = tailDefault }: TailOptions,
): Promise<readonly TopicRecord[]> {
  within("last", last, TAIL_RECORDS_MAX);
  const wanted = partition === undefined ? Array.from({ length: partitions }, (_, index) => index) : [partition];
  const ends = new Map<number, number>();
  const assignments: PartitionAssignment[] = [];
  for (const index of wanted) {
    if (!(index >= 0 && index < partitions))
      throw new ApiError("BAD_REQUEST", `topic ${name} has partitions 0 to ${partitions - 1}, not ${index}`);
    const end = await log.offsets.bound({ topic: name, partition: index }, "stable");
    const start = await log.offsets.bound({ topic: name, partition: index }, "start");
    ends.set(index, end);
    if (end > start) assignments.push({ topic: name, partition: index, offset: Math.max(start, end - last), outOfRange: "start" });
  }
  const reader = log.reader();
  try {
    reader.assign(assignments);
    return (await readUntil(log, reader, assignments, ends, topic)).sort(
      (a, b) => a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset,
    );
  } finally {
    await reader.close();
  }
}

/** Waits where the log has to fetch; what a broker does not bring in time is left out. */
async function readUntil(
  log: Log,
  reader: Reader,
  assignments: readonly PartitionAssignment[],
  ends: ReadonlyMap<number, number>,
  topic: Topic<unknown, unknown> | undefined,
  recordsMax = Infinity,
): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  const cursor = new RecordBatchCursor();
  const waiting = (): boolean => assignments.some((assignment) => reader.position(assignment) < (ends.get(assignment.partition) ?? 0));
  for (let waits = 0; waiting() && waits < fetchWaitsMax && records.length < recordsMax;) {
    const version = log.version();
    const batches = reader.poll();
    if (batches.length === 0) {
      waits++;
      await soon(log, version);
    }
    for (const batch of batches) {
      cursor.reset(batch.bytes, batch.baseOffset);
      while (records.length < recordsMax && cursor.next()) {
        if (cursor.offset >= batch.fetchOffset && cursor.offset < (ends.get(batch.partition) ?? 0))
          records.push(recordAt(cursor, batch.topic, batch.partition, topic));
      }
    }
  }
  return records;
}

/** Until the log has something new, at most a moment. */
async function soon(log: Log, version: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, fetchWaitMs);
  });
  await Promise.race([log.changed(version), waited]);
  clearTimeout(timer);
}

function recordAt(cursor: RecordBatchCursor, name: string, partition: number, topic: Topic<unknown, unknown> | undefined): TopicRecord {
  const headers = Object.fromEntries(
    cursor.headers().map(({ key, value }) => [key, value === null ? "" : Buffer.from(value).toString("utf8")]),
  );
  return {
    topic: name,
    partition,
    offset: cursor.offset,
    timestamp: cursor.timestamp,
    key: readable(cursor.key(), topic?.key),
    value: readable(cursor.value(), topic?.value),
    headers,
  };
}

function readable(bytes: Buffer | null, serde: { decode(bytes: Buffer, start: number, end: number): unknown } | undefined): unknown {
  if (bytes === null) return null;
  try {
    if (serde !== undefined) return serde.decode(bytes, 0, bytes.length);
  } catch {
    // An operator looking at a bad record wants to see it: it is shown as bytes.
  }
  return { undecodable: bytes.toString("hex") };
}

async function lagOf(log: Log, topology: Topology, group: string): Promise<readonly PartitionLag[]> {
  const rows: PartitionLag[] = [];
  for (const [subtopology, { sources }] of topology.subtopologies.entries()) {
    for (const { topic } of sources) {
      const config = await log.topics.describe(topic.name);
      const partitions = Array.from({ length: config?.partitions ?? 0 }, (_, partition) => ({ topic: topic.name, partition }));
      const committed = await log.offsets.committed(group, partitions);
      for (const [index, place] of partitions.entries()) {
        const end = await log.offsets.bound(place, "stable");
        const start = committed[index]?.offset ?? (await log.offsets.bound(place, "start"));
        const next = start < end ? await recordFrom(log, place, start, end) : undefined;
        const seconds = next === undefined ? 0 : Math.max(0, Date.now() - next.timestamp) / 1_000;
        const task = taskName({ subtopology, partition: place.partition });
        rows.push({ ...place, task, committed: start, end, records: next === undefined ? 0 : end - start, seconds });
      }
    }
  }
  return rows;
}

/** The first record of a partition from an offset on; undefined when there are only markers of transactions. */
async function recordFrom(log: Log, place: TopicPartition, offset: number, end: number): Promise<TopicRecord | undefined> {
  const reader = log.reader();
  try {
    const assignments = [{ ...place, offset, outOfRange: "start" as const }];
    reader.assign(assignments);
    return (await readUntil(log, reader, assignments, new Map([[place.partition, end]]), undefined, 1))[0];
  } finally {
    await reader.close();
  }
}
