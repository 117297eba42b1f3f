/** What a writer or producer has appended and not yet handed over: one builder per partition, undone together. */
import { RecordRefusedError } from "../../errors.ts";
import type { RecordHeader } from "../../log.ts";
import { headersBytes, RecordBatchBuilder } from "../../record-batch/record-batch-builder.ts";
import { slotOf, unknownTopic } from "../topic-catalog.ts";
import type { PartitionSlot, TopicCatalog, TopicEntry } from "../topic-catalog.ts";

interface Output {
  readonly partition: PartitionSlot;
  builder: RecordBatchBuilder;
  /** The savepoint in which the builder was last marked. */
  savepoint: number;
  /** The hand-over in which the partition was last listed. */
  listed: number;
}

interface TopicOutputs {
  readonly entry: TopicEntry;
  readonly name: string;
  readonly partitions: (Output | undefined)[];
}

/** Handed over: the builder is given back by `recycle` when its bytes are written. */
export interface PendingOutput {
  readonly partition: PartitionSlot;
  readonly builder: RecordBatchBuilder;
}

const BUILDERS_KEPT = 64;

export class OutputBuffer {
  readonly #catalog: TopicCatalog;
  readonly #byTopic = new Map<string, TopicOutputs>();
  #latest: TopicOutputs | undefined;
  #filled: Output[] = [];
  readonly #touched: Output[] = [];
  readonly #spare: RecordBatchBuilder[] = [];
  #savepoint = 1;
  #handOver = 1;
  #bytes = 0;
  #savedBytes = 0;

  constructor(catalog: TopicCatalog) {
    this.#catalog = catalog;
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
    if (size > outputs.entry.recordBytesMax) throw tooLarge(output.partition, size, outputs.entry.recordBytesMax);
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw badTimestamp(output.partition, timestamp);
    if (key === null && outputs.entry.config.cleanup === "compact") throw keyRequired(output.partition);
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
  take(): readonly PendingOutput[] {
    const pending: PendingOutput[] = [];
    for (const output of this.#filled) {
      if (output.builder.recordCount === 0) continue;
      pending.push({ partition: output.partition, builder: output.builder });
      output.builder = this.#spare.pop() ?? new RecordBatchBuilder();
    }
    this.#filled = [];
    this.#handOver += 1;
    this.#bytes = 0;
    this.savepoint();
    return pending;
  }

  recycle(pending: readonly PendingOutput[]): void {
    for (const { builder } of pending) {
      if (this.#spare.length >= BUILDERS_KEPT) return;
      builder.reset();
      this.#spare.push(builder);
    }
  }

  #outputsOf(topic: string, partition: number): TopicOutputs {
    let outputs = this.#byTopic.get(topic);
    if (outputs === undefined) {
      const entry = this.#catalog.find(topic);
      if (entry === undefined) throw unknownTopic(topic, partition);
      outputs = { entry, name: topic, partitions: [] };
      this.#byTopic.set(topic, outputs);
    }
    this.#latest = outputs;
    return outputs;
  }

  #outputOf(outputs: TopicOutputs, partition: number): Output {
    const output = { partition: slotOf(outputs.entry, partition), builder: new RecordBatchBuilder(), savepoint: 0, listed: 0 };
    outputs.partitions[partition] = output;
    return output;
  }
}

function tooLarge(at: PartitionSlot, size: number, limit: number): RecordRefusedError {
  return new RecordRefusedError(
    "RECORD_TOO_LARGE",
    `A record of ${size} bytes is above the limit of ${limit} of topic ${at.topic}. Send less, or raise recordBytesMax.`,
    at,
  );
}

function badTimestamp(at: PartitionSlot, timestamp: number): RecordRefusedError {
  return new RecordRefusedError(
    "TIMESTAMP_INVALID",
    `${timestamp} is not a timestamp for topic ${at.topic}. Give whole milliseconds since the epoch, 0 or more.`,
    at,
  );
}

function keyRequired(at: PartitionSlot): RecordRefusedError {
  return new RecordRefusedError(
    "KEY_REQUIRED",
    `Topic ${at.topic} is compacted, so each record needs a key. Give one, or use cleanup "delete".`,
    at,
  );
}
