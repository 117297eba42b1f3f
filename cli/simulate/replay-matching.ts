/**
 * D6's other half: a recorded matching input, given to the matching subtopology alone, must lead to the same proposals. Ticks
 * are part of the record; the clock stands still, so that no punctuation makes another.
 */
import type { Log } from "#log";
import type { RawRecord } from "#proof";
import type { DriverCommand, JobUpdate, SurgeChanged, ZonePolicy } from "#schemas";
import {
  createStreamThread,
  murmur2,
  silentLogger,
  splitTasks,
  STREAM_THREAD_DEFAULTS,
  topicConfigs,
  type StreamThread,
  type Topic,
} from "#streams";
import type { DispatchTopics } from "#topologies";
import type { RawTopics } from "../proof/read-raw.ts";
import { APPLICATION_ID } from "../system/dispatch-topology.ts";
import { openSystem, type System } from "../system/open-system.ts";
import { readRecords } from "../system/read-records.ts";

/** As all producers place keys. */
const POSITIVE_MASK = 0x7fff_ffff;

export interface ReplayMatchingOptions {
  /** Of the recorded run; only its matching input is used. A log is read as the replay goes on, and nothing of it is copied. */
  readonly recorded: RawTopics | Log;
  readonly partitions: number;
  /** In force in the recorded run where none was published. */
  readonly policy: ZonePolicy;
}

/** All that matching says but its ticks, which are part of its input. */
export interface MatchingDecisions {
  /** Of `driver-commands`. */
  readonly proposals: readonly RawRecord[];
  /** Of `job-updates`: what rides cost more, cell by cell. */
  readonly surges: readonly RawRecord[];
}

/** What comes out of matching alone. */
export async function replayMatching({ recorded, partitions, policy }: ReplayMatchingOptions): Promise<MatchingDecisions> {
  await using system = await openSystem({ directory: "", kind: "memory", durability: "process", partitions, policy });
  const { log, topology, topics } = system;
  await log.topics.ensure(topicConfigs(topology, APPLICATION_ID));
  const { name } = topics.matchingInput;
  if (isRaw(recorded)) await preload(log, name, recorded.get(name) ?? []);
  const source = isRaw(recorded) ? log : readFrom(recorded, log);
  // Later than all of it: nothing is ahead of the clock.
  let now = 0;
  for await (const { cursor } of readRecords(source, placesOf(name, partitions))) now = Math.max(now, cursor.timestamp);
  const thread = matchingThread({ ...system, log: source });
  await runToTheEnd(thread, now);
  return { proposals: await all(proposalsIn(system)), surges: await all(surgesIn(system)) };
}

async function all(records: AsyncIterable<RawRecord>): Promise<readonly RawRecord[]> {
  const held: RawRecord[] = [];
  for await (const record of records) held.push(record);
  return held;
}

/** The part of a run's driver commands that matching wrote. */
export function proposalsOf(recorded: RawTopics, { driverCommands }: Pick<DispatchTopics, "driverCommands">): readonly RawRecord[] {
  return (recorded.get(driverCommands.name) ?? []).filter(({ value }) => value !== null && isProposal(decoded(driverCommands, value)));
}

/** The same, read from a log one by one. */
export function proposalsIn(system: RecordedSystem): AsyncGenerator<RawRecord> {
  return recordsIn(system, system.topics.driverCommands, isProposal);
}

/** What matching said of surge. */
export function surgesIn(system: RecordedSystem): AsyncGenerator<RawRecord> {
  return recordsIn(system, system.topics.jobUpdates, isSurge);
}

type RecordedSystem = Pick<System, "log" | "topics" | "partitions">;

async function* recordsIn<V>(
  { log, partitions }: RecordedSystem,
  topic: Topic<string, V>,
  wanted: (value: V) => boolean,
): AsyncGenerator<RawRecord> {
  for await (const { batch, cursor } of readRecords(log, placesOf(topic.name, partitions))) {
    const { offset, timestamp } = cursor;
    const value = cursor.value();
    if (value === null || !wanted(decoded(topic, value))) continue;
    yield { partition: batch.partition, offset, timestamp, key: cursor.key(), value, headers: cursor.headers() };
  }
}

/**
 * Decisions with a number for their task in place of the partition. A task decides in the order of its one input, all its cells
 * together; how the decisions of several tasks lie beside each other in one partition says only whose turn it was.
 */
export async function* byTask(
  decisions: Iterable<RawRecord> | AsyncIterable<RawRecord>,
  topic: Decoding<DriverCommand | JobUpdate>,
  partitions: number,
): AsyncGenerator<RawRecord> {
  for await (const decision of decisions) {
    const said = decoded(topic, decision.value ?? Buffer.alloc(0));
    if (!isSurge(said) && !isProposal(said)) continue;
    const task = (murmur2(Buffer.from(said.cell)) & POSITIVE_MASK) % partitions;
    // What a task writes to several partitions has an order in each.
    yield { ...decision, partition: task * partitions + decision.partition };
  }
}

/** What this file needs of a topic's values. */
interface Decoding<V> {
  readonly value: { decode(bytes: Buffer, start: number, end: number): V };
}

function decoded<V>(topic: Decoding<V>, value: Uint8Array): V {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return topic.value.decode(bytes, 0, bytes.length);
}

function isProposal(
  command: DriverCommand | JobUpdate,
): command is Extract<DriverCommand, { type: "JobsProposed" | "DriverRepositioned" }> {
  return command.type === "JobsProposed" || command.type === "DriverRepositioned";
}

function isSurge(update: DriverCommand | JobUpdate): update is SurgeChanged {
  return update.type === "SurgeChanged";
}

function isRaw(recorded: RawTopics | Log): recorded is RawTopics {
  return recorded instanceof Map;
}

function placesOf(topic: string, partitions: number): { readonly topic: string; readonly partition: number }[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
}

/** Input of one log, outputs and offsets of another. */
function readFrom(recorded: Log, own: Log): Log {
  return {
    name: own.name,
    capabilities: own.capabilities,
    topics: own.topics,
    offsets: {
      bound: (partition, bound) => recorded.offsets.bound(partition, bound),
      forTime: (partition, timestamp) => recorded.offsets.forTime(partition, timestamp),
      committed: (group, partitions) => own.offsets.committed(group, partitions),
      groups: () => own.offsets.groups(),
    },
    reader: (options) => recorded.reader(options),
    writer: (options) => own.writer(options),
    producer: () => own.producer(),
    membership: (options) => own.membership(options),
    version: () => own.version(),
    changed: (since) => own.changed(since),
    maintain: (now) => own.maintain(now),
    share: () => undefined,
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function preload(log: Log, topic: string, records: readonly RawRecord[]): Promise<void> {
  const producer = log.producer();
  for (const { partition, timestamp, key, value, headers } of records)
    producer.append(topic, partition, timestamp, key, value, headers ?? []);
  await producer.flush();
  await producer.close();
}

function matchingThread({ topology, topics, log, disk }: Pick<System, "topology" | "topics" | "log" | "disk">): StreamThread {
  const matching = topology.subtopologies.find(({ sources }) => sources.some(({ topic }) => topic.name === topics.matchingInput.name));
  const tasks = splitTasks(topology, 1).flatMap((assignment) => assignment.tasks.filter((task) => task.subtopology === matching?.index));
  return createStreamThread({
    config: { ...STREAM_THREAD_DEFAULTS, applicationId: APPLICATION_ID, instanceId: "replay", thread: 0 },
    dependencies: { topology, log, disk, stepClock: () => 0, logger: silentLogger },
    assignment: { generation: 0, tasks },
  });
}

async function runToTheEnd(thread: StreamThread, now: number): Promise<void> {
  for (;;) {
    const { worked, pending } = thread.step(now);
    if (thread.state === "failed") throw thread.error ?? new Error("the matching thread failed");
    if (pending) await thread.settled();
    if (!worked && !pending) break;
  }
  // Commits what the standing clock never found due.
  await thread.stop();
  if (thread.error !== undefined) throw thread.error;
}
