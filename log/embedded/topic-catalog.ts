/** The topics of the embedded log: ids, configuration, and the slots of their partitions in the shared table. */
import type { Disk, DiskBatch } from "#disk";
import { LogError } from "../errors.ts";
import type { TopicConfig, TopicPartition } from "../log.ts";
import type { OutputTopic } from "../record-batch/output-buffer.ts";
import { refuseMismatch } from "../refuse-mismatch.ts";
import { PARTITIONS_MAX, RECORD_BYTES_MAX } from "./defaults.ts";
import { ALL_TOPICS, boundsKey, topicKey } from "./keys.ts";
import type { SharedControl } from "./shared-control.ts";

/** One object per topic and thread; `config` is replaced when another thread changes it. */
export interface TopicEntry {
  readonly id: number;
  readonly firstSlot: number;
  config: TopicConfig;
  recordBytesMax: number;
}

/** A partition that exists. */
export interface PartitionSlot extends TopicPartition {
  readonly topicId: number;
  readonly slot: number;
}

export interface PartitionBounds {
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
}

interface TopicRow {
  readonly firstSlot: number;
  readonly config: TopicConfig;
}

export class TopicCatalog {
  readonly #disk: Disk;
  readonly #control: SharedControl;
  readonly #byName = new Map<string, TopicEntry>();
  #seen = -1;
  #nextId = 1;
  #nextSlot = 0;

  constructor(disk: Disk, control: SharedControl) {
    this.#disk = disk;
    this.#control = control;
  }

  find(name: string): TopicEntry | undefined {
    return this.#fresh().get(name);
  }

  all(): readonly TopicEntry[] {
    return [...this.#fresh().values()];
  }

  /** Throws `UNKNOWN_TOPIC` when the topic or the partition is not there. */
  partition(topic: string, partition: number): PartitionSlot {
    const entry = this.find(topic);
    if (entry === undefined) throw unknownTopic(topic, partition);
    return slotOf(entry, partition);
  }

  /** For an output buffer; it follows the topic's configuration. Throws `UNKNOWN_TOPIC`. */
  output(topic: string, partition: number): OutputTopic<PartitionSlot> {
    const entry = this.find(topic);
    if (entry === undefined) throw unknownTopic(topic, partition);
    return new OutputEntry(entry);
  }

  /** Inside the lock. Throws `TOPIC_MISMATCH` before anything is put into the batch. */
  ensure(configs: readonly TopicConfig[], batch: DiskBatch): void {
    this.#fresh();
    for (const config of configs) refuseMismatch(config, this.#byName.get(config.name)?.config);
    for (const config of new Map(configs.map((each) => [each.name, each])).values()) {
      const known = this.#byName.get(config.name);
      if (known !== undefined) {
        const merged = { ...known.config, ...config };
        batch.put("log", topicKey(known.id), encode({ firstSlot: known.firstSlot, config: merged }));
        continue;
      }
      if (this.#nextSlot + config.partitions > PARTITIONS_MAX)
        throw new LogError(
          "TOPIC_MISMATCH",
          `Topic ${config.name} would be more than ${PARTITIONS_MAX} partitions in all. Use fewer partitions.`,
          { topic: config.name },
        );
      const id = this.#nextId++;
      batch.put("log", topicKey(id), encode({ firstSlot: this.#nextSlot, config }));
      for (let partition = 0; partition < config.partitions; partition++)
        batch.put("log", boundsKey(id, partition), encodeBounds({ start: 0, end: 0, bytes: 0 }));
      this.#nextSlot += config.partitions;
    }
  }

  /** Publishes all bounds as the disk has them: when the log opens, and after a holder of the lock died. */
  publishBounds(): void {
    for (const entry of this.all()) {
      const keys = Array.from({ length: entry.config.partitions }, (_, partition) => boundsKey(entry.id, partition));
      for (const [partition, row] of this.#disk.getMany("log", keys).entries()) {
        const bounds = decodeBounds(row);
        this.#control.publishStart(entry.firstSlot + partition, bounds.start);
        this.#control.publishEnd(entry.firstSlot + partition, bounds.end);
        this.#control.publishBytes(entry.firstSlot + partition, bounds.bytes);
      }
    }
  }

  #fresh(): Map<string, TopicEntry> {
    const version = this.#control.catalogVersion;
    if (version === this.#seen) return this.#byName;
    for (const [key, value] of this.#disk.entries("log", ALL_TOPICS)) {
      // Our own row, written by `encode`.
      const row = JSON.parse(value.toString("utf8")) as TopicRow;
      const id = key.readUInt32BE(1);
      const known = this.#byName.get(row.config.name);
      const recordBytesMax = row.config.recordBytesMax ?? RECORD_BYTES_MAX;
      if (known === undefined) this.#byName.set(row.config.name, { id, firstSlot: row.firstSlot, config: row.config, recordBytesMax });
      else Object.assign(known, { config: row.config, recordBytesMax });
      this.#nextId = Math.max(this.#nextId, id + 1);
      this.#nextSlot = Math.max(this.#nextSlot, row.firstSlot + row.config.partitions);
    }
    this.#seen = version;
    return this.#byName;
  }
}

class OutputEntry implements OutputTopic<PartitionSlot> {
  readonly blockBytesMax = undefined;
  readonly #entry: TopicEntry;

  constructor(entry: TopicEntry) {
    this.#entry = entry;
  }

  get recordBytesMax(): number {
    return this.#entry.recordBytesMax;
  }

  get keyRequired(): boolean {
    return this.#entry.config.cleanup === "compact";
  }

  slot(partition: number): PartitionSlot {
    return slotOf(this.#entry, partition);
  }
}

export function slotOf(entry: TopicEntry, partition: number): PartitionSlot {
  if (!Number.isInteger(partition) || partition < 0 || partition >= entry.config.partitions)
    throw unknownTopic(entry.config.name, partition);
  return { topic: entry.config.name, partition, topicId: entry.id, slot: entry.firstSlot + partition };
}

function unknownTopic(topic: string, partition: number): LogError {
  return new LogError(
    "UNKNOWN_TOPIC",
    `Topic ${topic} with partition ${partition} is not in this log. Create it with topics.ensure first.`,
    { topic, partition },
  );
}

export function encodeBounds(bounds: PartitionBounds): Buffer {
  const row = Buffer.allocUnsafe(24);
  row.writeBigInt64BE(BigInt(bounds.start), 0);
  row.writeBigInt64BE(BigInt(bounds.end), 8);
  row.writeBigInt64BE(BigInt(bounds.bytes), 16);
  return row;
}

function decodeBounds(row: Buffer | undefined): PartitionBounds {
  if (row === undefined) return { start: 0, end: 0, bytes: 0 };
  return { start: Number(row.readBigInt64BE(0)), end: Number(row.readBigInt64BE(8)), bytes: Number(row.readBigInt64BE(16)) };
}

function encode(row: TopicRow): Buffer {
  return Buffer.from(JSON.stringify(row));
}
