/**
 * A topology in a test, synchronously: one record in, everything it causes out, committed. Tasks, stores and serdes are the
 * real ones over memory; the log and the stream thread are left out.
 */
import assert from "node:assert/strict";
import { memoryDisk, type Disk } from "#disk";
import { RecordBatchBuilder, stampBaseOffset, type RecordHeader } from "#log";
import { diskRowStore, openTaskState, SerdeError, type StoreDescriptor, type StoreOf } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { encodeKey, partitionFor } from "../partition-for.ts";
import type { StreamRecord } from "../processor.ts";
import { RECORD_BYTES_MAX, STREAM_THREAD_DEFAULTS } from "../runtime/defaults.ts";
import { prepareState } from "../runtime/prepare-state.ts";
import type { StreamThreadConfig } from "../runtime/thread.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { deadLetterTopic } from "../task/dead-letter.ts";
import { InputPartition } from "../task/input-partition.ts";
import { Task } from "../task/task.ts";
import type { Topic } from "../topic.ts";
import type { Subtopology } from "../topology/node.ts";
import { deadLetterOf, type DeadLetter } from "./dead-letter-record.ts";
import { RecordingWriter, type RawRecord } from "./recording-writer.ts";

export interface TopologyTestDriverOptions {
  /** Where the wall clock begins; default 0. */
  readonly startAt?: number;
  /** Every topic has one partition, as with Kafka's own driver (the default), or as many as its descriptor says. */
  readonly partitions?: "one" | "declared";
  /** Names the dead letters' topic; default "test". */
  readonly applicationId?: string;
  /** Defaults: no bound on timestamps ahead of the clock, values frozen, never waiting for an empty input (`taskIdleMs` −1). */
  readonly config?: Partial<
    Pick<StreamThreadConfig, "taskIdleMs" | "failureRatioMax" | "failureWindowRecords" | "timestampLeadMsMax" | "freeze">
  >;
}

export interface PipeOptions {
  /** Default: the driver's clock. */
  readonly timestamp?: number;
  readonly headers?: readonly RecordHeader[];
  readonly partition?: number;
}

/** A record that the topology wrote. */
export interface OutputRecord<K, V> extends StreamRecord<K, V> {
  readonly partition: number;
  readonly offset: number;
}

interface WrittenRecord extends RawRecord {
  readonly offset: number;
}

export class TopologyTestDriver {
  readonly #topology: Topology;
  readonly #options: TopologyTestDriverOptions;
  readonly #applicationId: string;
  readonly #disk: Disk = memoryDisk();
  readonly #storeIds: ReadonlyMap<string, number>;
  readonly #writer: RecordingWriter;
  readonly #ends = new Map<string, number>();
  readonly #written = new Map<string, WrittenRecord[]>();
  readonly #committed = new Map<string, { readonly position: number; readonly partitionTime: number }>();
  #tasks: readonly Task[];
  #now: number;

  constructor(topology: Topology, options: TopologyTestDriverOptions = {}) {
    this.#topology = topology;
    this.#options = options;
    this.#applicationId = options.applicationId ?? "test";
    this.#now = options.startAt ?? 0;
    const limits = new Map(topicConfigs(topology, this.#applicationId).map(({ name, recordBytesMax }) => [name, recordBytesMax]));
    this.#writer = new RecordingWriter((topic) => limits.get(topic) ?? RECORD_BYTES_MAX);
    this.#storeIds = prepareState({ disk: this.#disk, topology, applicationId: this.#applicationId });
    this.#tasks = this.#openTasks();
  }

  get now(): number {
    return this.#now;
  }

  /** Writes one record into a source topic and runs whatever it sets going. Throws TaskFailedError where a failure stops the task. */
  pipe<K, V>(topic: Topic<K, V>, key: K, value: V, options: PipeOptions = {}): void {
    const keyBytes = encodeKey(topic.key, key);
    const partition = options.partition ?? partitionFor(topic, key, keyBytes, this.#partitionsOf(topic));
    this.pipeBytes(topic, keyBytes, value === null ? null : encodeKey(topic.value, value), { ...options, partition });
  }

  /** The same with bytes as a foreign producer might send them; partition 0 unless given. */
  pipeBytes<K, V>(topic: Topic<K, V>, key: Uint8Array | null, value: Uint8Array | null, options: PipeOptions = {}): void {
    this.enqueueBytes(topic, key, value, options);
    this.run();
  }

  /** Only delivers; `run`, or the next `pipe`, processes it with whatever else is waiting. */
  enqueue<K, V>(topic: Topic<K, V>, key: K, value: V, options: PipeOptions = {}): void {
    const keyBytes = encodeKey(topic.key, key);
    const partition = options.partition ?? partitionFor(topic, key, keyBytes, this.#partitionsOf(topic));
    this.enqueueBytes(topic, keyBytes, value === null ? null : encodeKey(topic.value, value), { ...options, partition });
  }

  enqueueBytes<K, V>(topic: Topic<K, V>, key: Uint8Array | null, value: Uint8Array | null, options: PipeOptions = {}): void {
    const { timestamp = this.#now, headers = [], partition = 0 } = options;
    const known = this.#tasks.some((task) => task.inputs.some((input) => input.topic.name === topic.name));
    assert(known, `${topic.name} is no source of this topology`);
    const record = { topic: topic.name, partition, timestamp, headers, key: bytesOf(key), value: bytesOf(value) };
    this.#deliver({ ...record, offset: this.#nextOffset(topic.name, partition) });
  }

  /** Works until nothing is left to do at the present time, or for so many records, timers and punctuations. */
  run(unitsMax = Infinity): void {
    let units = 0;
    for (let moved = true; moved;) {
      moved = false;
      for (const task of this.#tasks) {
        while (units < unitsMax && task.run(this.#now, 1) > 0) {
          units++;
          moved = true;
          this.#commit(task);
        }
      }
    }
  }

  /** Moves the wall clock in one jump and fires what is due then. */
  advance(ms: number): void {
    assert(ms >= 0, "time does not go back");
    this.#now += ms;
    this.run();
  }

  /** What was written to a topic since it was last read, in the order of writing. */
  read<K, V>(topic: Topic<K, V>): readonly OutputRecord<K, V>[] {
    return this.#take(topic.name).map(({ key, value, timestamp, headers, partition, offset }) => ({
      // The engine writes no null keys but to the dead letters; null values are deletions, which the caller's V knows.
      key: topic.key.decode(key ?? Buffer.alloc(0), 0, key?.length ?? 0),
      value: value === null ? (null as V) : topic.value.decode(value, 0, value.length),
      timestamp,
      headers,
      partition,
      offset,
    }));
  }

  /** Just the values of `read`. */
  readValues<K, V>(topic: Topic<K, V>): readonly V[] {
    return this.read(topic).map(({ value }) => value);
  }

  /** Dead letters since they were last read. */
  deadLetters(): readonly DeadLetter[] {
    return this.#take(deadLetterTopic(this.#applicationId)).map(deadLetterOf);
  }

  /** A store of the task with that partition, to look into or to prepare. */
  store<D extends StoreDescriptor>(descriptor: D, partition = 0): StoreOf<D> {
    return this.#taskOf(descriptor, partition).state.store(descriptor);
  }

  streamTime(subtopology = 0, partition = 0): number {
    const task = this.#tasks.find(({ id }) => id.subtopology === subtopology && id.partition === partition);
    assert(task, `there is no task ${subtopology}_${partition}`);
    return task.streamTime;
  }

  /** As after a stop and a start: new processors over the same rows, partition times and offsets. Nothing may be waiting. */
  restart(): void {
    const waiting = this.#tasks.some((task) => task.inputs.some(({ bufferedRecords }) => bufferedRecords > 0));
    assert(!waiting, "records are still waiting: run() first");
    this.close();
    this.#tasks = this.#openTasks();
  }

  close(): void {
    for (const task of this.#tasks) task.close();
  }

  #commit(task: Task): void {
    if (!task.tookPart) return;
    const { state, offsets } = this.#seal(task);
    const batch = this.#disk.batch();
    for (const { key, value } of state.rows) {
      if (value === null) batch.delete("rows", key);
      else batch.put("rows", key, value);
    }
    this.#disk.write(batch, { sync: false });
    task.state.acknowledge();
    for (const input of task.inputs) {
      const offset = offsets.find(({ topic }) => topic === input.topic.name)?.offset ?? 0;
      this.#committed.set(partitionName(input.topic.name, input.partition), { position: offset, partitionTime: input.partitionTime });
    }
    for (const record of this.#writer.take()) {
      const written = { ...record, offset: this.#nextOffset(record.topic, record.partition) };
      const records = this.#written.get(record.topic) ?? [];
      this.#written.set(record.topic, records);
      records.push(written);
      this.#deliver(written);
    }
  }

  #seal(task: Task): ReturnType<Task["seal"]> {
    try {
      return task.seal();
    } catch (error) {
      if (!(error instanceof SerdeError)) throw error;
      task.condemnLastUnit(error);
      return task.seal();
    }
  }

  #deliver(record: WrittenRecord): void {
    const { topic, partition, offset } = record;
    const builder = new RecordBatchBuilder();
    builder.append(record.timestamp, record.key, record.value, record.headers);
    for (const { bytes, recordCount } of builder.seal()) {
      stampBaseOffset(bytes, offset);
      const batch = { topic, partition, bytes, baseOffset: offset, fetchOffset: offset, nextOffset: offset + 1, recordCount };
      for (const task of this.#tasks)
        for (const input of task.inputs) if (input.topic.name === topic && input.partition === partition) input.add(batch);
    }
  }

  #openTasks(): readonly Task[] {
    const { subtopologies } = this.#topology;
    return subtopologies.flatMap((subtopology) => {
      const partitions = this.#options.partitions === "declared" ? subtopology.partitions : 1;
      return Array.from({ length: partitions }, (_, partition) => this.#openTask(subtopology, partition));
    });
  }

  #openTask(subtopology: Subtopology, partition: number): Task {
    const { timestampLeadMsMax = Infinity, ...given } = this.#options.config ?? {};
    const config = { ...STREAM_THREAD_DEFAULTS, freeze: true, taskIdleMs: -1, applicationId: this.#applicationId, ...given };
    const limits = { ...config, bufferRecordsMax: Infinity, bufferBytesMax: Infinity, timestampLeadMsMax };
    const inputs = subtopology.sources
      .map(({ topic }) => topic as Topic<unknown, unknown>)
      .filter((topic) => partition < this.#partitionsOf(topic))
      .map((topic) => {
        const start = this.#committed.get(partitionName(topic.name, partition)) ?? { position: 0, partitionTime: -1 };
        return new InputPartition({ topic, partition, ...start }, limits);
      });
    const state = openTaskState({
      rows: diskRowStore(this.#disk),
      partition,
      descriptors: subtopology.stores,
      storeIds: this.#storeIds,
      freeze: config.freeze,
    });
    return new Task({
      id: { subtopology: subtopology.index, partition },
      subtopology,
      config,
      state,
      writer: this.#writer,
      inputs,
      now: this.#now,
      partitionsOf: (topic) => this.#partitionsOf(topic),
      hasLag: () => false,
      condemned: [],
    });
  }

  #taskOf(descriptor: StoreDescriptor, partition: number): Task {
    const subtopology = this.#topology.subtopologies.find(({ stores }) => stores.some(({ name }) => name === descriptor.name));
    assert(subtopology, `no subtopology has a store ${descriptor.name}`);
    const task = this.#tasks.find(({ id }) => id.subtopology === subtopology.index && id.partition === partition);
    assert(task, `there is no task ${subtopology.index}_${partition}`);
    return task;
  }

  #partitionsOf<K, V>(topic: Topic<K, V>): number {
    return this.#options.partitions === "declared" ? topic.partitions : 1;
  }

  #nextOffset(topic: string, partition: number): number {
    const name = partitionName(topic, partition);
    const offset = this.#ends.get(name) ?? 0;
    this.#ends.set(name, offset + 1);
    return offset;
  }

  #take(topic: string): readonly WrittenRecord[] {
    const records = this.#written.get(topic) ?? [];
    this.#written.delete(topic);
    return records;
  }
}

function partitionName(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

function bytesOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
