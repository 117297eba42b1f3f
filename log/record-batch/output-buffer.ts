/** What a writer or producer has appended and not yet handed over: one builder per partition, undone together. */
import { RecordRefusedError } from "../errors.ts";
import type { RecordHeader, TopicPartition } from "../log.ts";
import { headersBytes, RecordBatchBuilder } from "./record-batch-builder.ts";

/** What a backend knows of a topic that is written to; `Slot` is its own way to name a partition. */
export interface OutputTopic<Slot extends TopicPartition> {
  /** Upper bound of key, value and headers of one record together. */
  readonly recordBytesMax: number;
  readonly keyRequired: boolean;
  /** Undefined leaves it to the builder. */
  readonly blockBytesMax: number | undefined;
  /** Throws `UNKNOWN_TOPIC` for a partition that is not there. */
  slot(partition: number): Slot;
}

/** Throws `UNKNOWN_TOPIC`. */
export type FindOutputTopic<Slot extends TopicPartition> = (topic: string, partition: number) => OutputTopic<Slot>;

interface Output<Slot extends TopicPartition> {
  readonly partition: Slot;
  builder: RecordBatchBuilder;
  /** The savepoint in which the builder was last marked. */
  savepoint: number;
  /** The hand-over in which the partition was last listed. */
  listed: number;
}

interface TopicOutputs<Slot extends TopicPartition> {
  readonly topic: OutputTopic<Slot>;
  readonly name: string;
  readonly partitions: (Output<Slot> | undefined)[];
}

/** Handed over: the builder is given back by `recycle` when its bytes are written. */
export interface PendingOutput<Slot extends TopicPartition> {
  readonly partition: Slot;
  readonly builder: RecordBatchBuilder;
}

const BUILDERS_KEPT = 64;

export class OutputBuffer<Slot extends TopicPartition> {
  readonly #find: FindOutputTopic<Slot>;
  readonly #byTopic = new Map<string, TopicOutputs<Slot>>();
  #latest: TopicOutputs<Slot> | undefined;
  #filled: Output<Slot>[] = [];
  readonly #touched: Output<Slot>[] = [];
  /** By the block size that they were made for. */
  readonly #spare = new Map<number, RecordBatchBuilder[]>();
  #savepoint = 1;
  #handOver = 1;
  #bytes = 0;
  #savedBytes = 0;

  constructor(find: FindOutputTopic<Slot>) {
    this.#find = find;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] | undefined,
  ): void {
    const outputs = this.#latest !== undefined && this.#latest.name === topic ? this.#latest : this.#outputsOf(topic, partition);
    const output = outputs.partitions[partition] ?? this.#outputOf(outputs, partition);
    const size =
      (key === null ? 0 : key.length) + (value === null ? 0 : value.length) + (headers === undefined ? 0 : headersBytes(headers));
    if (size > outputs.topic.recordBytesMax) throw tooLarge(output.partition, size, outputs.topic.recordBytesMax);
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw badTimestamp(output.partition, timestamp);
    if (key === null && outputs.topic.keyRequired) throw keyRequired(output.partition);
    const builder = output.builder;
    if (output.savepoint !== this.#savepoint) {
      output.savepoint = this.#savepoint;
      builder.savepoint();
      this.#touched.push(output);
    }
    if (output.listed !== this.#handOver) {
      output.listed = this.#handOver;
      this.#filled.push(output);
    }
    const before = builder.byteLength;
    builder.append(timestamp, key, value, headers);
    this.#bytes += builder.byteLength - before;
  }

  savepoint(): void {
    this.#savepoint += 1;
    this.#touched.length = 0;
    this.#savedBytes = this.#bytes;
  }

  rollback(): void {
    for (const output of this.#touched) output.builder.rollback();
    this.#bytes = this.#savedBytes;
    this.savepoint();
  }

  /** What was appended since the last `take`; appends from now on fill other builders. */
  take(): readonly PendingOutput<Slot>[] {
    const pending: PendingOutput<Slot>[] = [];
    for (const output of this.#filled) {
      if (output.builder.recordCount === 0) continue;
      pending.push({ partition: output.partition, builder: output.builder });
      output.builder = this.#builder(output.builder.blockBytesMax);
    }
    this.#filled = [];
    this.#handOver += 1;
    this.#bytes = 0;
    this.savepoint();
    return pending;
  }

  recycle(pending: readonly PendingOutput<Slot>[]): void {
    for (const { builder } of pending) {
      const spare = this.#spareOf(builder.blockBytesMax);
      if (spare.length >= BUILDERS_KEPT) continue;
      builder.reset();
      spare.push(builder);
    }
  }

  #builder(blockBytesMax: number): RecordBatchBuilder {
    return this.#spareOf(blockBytesMax).pop() ?? new RecordBatchBuilder({ blockBytesMax });
  }

  #spareOf(blockBytesMax: number): RecordBatchBuilder[] {
    let spare = this.#spare.get(blockBytesMax);
    if (spare === undefined) this.#spare.set(blockBytesMax, (spare = []));
    return spare;
  }

  #outputsOf(topic: string, partition: number): TopicOutputs<Slot> {
    let outputs = this.#byTopic.get(topic);
    if (outputs === undefined) {
      outputs = { topic: this.#find(topic, partition), name: topic, partitions: [] };
      this.#byTopic.set(topic, outputs);
    }
    this.#latest = outputs;
    return outputs;
  }

  #outputOf(outputs: TopicOutputs<Slot>, partition: number): Output<Slot> {
    const { topic } = outputs;
    const slot = topic.slot(partition);
    const builder = new RecordBatchBuilder(topic.blockBytesMax === undefined ? {} : { blockBytesMax: topic.blockBytesMax });
    const output = { partition: slot, builder, savepoint: 0, listed: 0 };
    outputs.partitions[partition] = output;
    return output;
  }
}

function tooLarge(at: TopicPartition, size: number, limit: number): RecordRefusedError {
  return new RecordRefusedError(
    "RECORD_TOO_LARGE",
    `A record of ${size} bytes is above the limit of ${limit} of topic ${at.topic}. Send less, or raise recordBytesMax.`,
    at,
  );
}

function badTimestamp(at: TopicPartition, timestamp: number): RecordRefusedError {
  return new RecordRefusedError(
    "TIMESTAMP_INVALID",
    `${timestamp} is not a timestamp for topic ${at.topic}. Give whole milliseconds since the epoch, 0 or more.`,
    at,
  );
}

function keyRequired(at: TopicPartition): RecordRefusedError {
  return new RecordRefusedError(
    "KEY_REQUIRED",
    `Topic ${at.topic} is compacted, so each record needs a key. Give one, or use cleanup "delete".`,
    at,
  );
}
