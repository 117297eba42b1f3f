/**
 * A log in memory that behaves as a Kafka cluster does where it matters to a commit: transactions, markers that take an offset and
 * come late, readers that see up to the first unsettled record, fencing by transactional id, stable offsets. No atomic rows.
 */
import { LogError, RecordBatchBuilder, stampBaseOffset, WriterLostError } from "#log";
import type { CommittedOffset, FetchedBatch, OffsetBound, OffsetCommit, RecordHeader, TopicConfig, TopicPartition } from "#log";

type TransactionState = "open" | "committed" | "aborted";

export interface Transaction {
  state: TransactionState;
  readonly offsets: { readonly group: string; readonly commit: OffsetCommit }[];
  readonly partitions: Set<MemoryPartition>;
}

interface Entry {
  readonly baseOffset: number;
  readonly nextOffset: number;
  /** Undefined for a marker. */
  readonly bytes: Buffer | undefined;
  readonly recordCount: number;
  readonly transaction: Transaction | undefined;
}

export interface RawAppend {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

export class MemoryPartition {
  entries: Entry[] = [];
  start = 0;
  end = 0;
  /** Transactions whose marker is not here yet. */
  readonly unsettled = new Set<Transaction>();

  append(records: readonly RawAppend[], transaction: Transaction | undefined): number {
    const builder = new RecordBatchBuilder();
    for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers);
    for (const block of builder.seal()) {
      const bytes = Buffer.from(block.bytes);
      stampBaseOffset(bytes, this.end);
      const { recordCount } = block;
      this.entries.push({ baseOffset: this.end, nextOffset: this.end + recordCount, bytes, recordCount, transaction });
      this.end += recordCount;
    }
    if (transaction !== undefined) {
      this.unsettled.add(transaction);
      transaction.partitions.add(this);
    }
    return this.end;
  }

  /** The marker: from here on readers know what became of the transaction. */
  settle(transaction: Transaction): void {
    if (!this.unsettled.delete(transaction)) return;
    this.entries.push({ baseOffset: this.end, nextOffset: this.end + 1, bytes: undefined, recordCount: 0, transaction });
    this.end++;
  }

  get stable(): number {
    for (const { transaction, baseOffset } of this.entries)
      if (transaction !== undefined && this.unsettled.has(transaction)) return baseOffset;
    return this.end;
  }
}

export class MemoryCluster {
  version = 0;
  readonly #topics = new Map<string, { readonly config: TopicConfig; readonly partitions: readonly MemoryPartition[] }>();
  readonly #committed = new Map<string, CommittedOffset>();
  readonly #epochs = new Map<string, number>();
  readonly #open = new Map<string, Transaction>();
  #ended: Transaction[] = [];

  ensure(configs: readonly TopicConfig[]): void {
    for (const config of configs)
      if (!this.#topics.has(config.name))
        this.#topics.set(config.name, { config, partitions: Array.from({ length: config.partitions }, () => new MemoryPartition()) });
  }

  get configs(): readonly TopicConfig[] {
    return [...this.#topics.values()].map(({ config }) => config);
  }

  config(name: string): TopicConfig | undefined {
    return this.#topics.get(name)?.config;
  }

  partition({ topic, partition }: TopicPartition): MemoryPartition {
    const found = this.#topics.get(topic)?.partitions[partition];
    if (found === undefined) throw new LogError("UNKNOWN_TOPIC", `There is no ${topic}/${partition}.`, { topic, partition });
    return found;
  }

  bound(at: TopicPartition, bound: OffsetBound): number {
    const partition = this.partition(at);
    return bound === "start" ? partition.start : bound === "stable" ? partition.stable : partition.end;
  }

  /** Stable: an open transaction that has offsets of the group is too old before this answers, as its owner is dead. */
  committed(group: string, at: TopicPartition): CommittedOffset | undefined {
    for (const [id, { offsets }] of this.#open) if (offsets.some((each) => each.group === group)) this.end(id, "aborted");
    return this.#committed.get(`${group}/${at.topic}/${at.partition}`);
  }

  /** The epoch of the new owner of the id. What the one before left is ended and settled before this answers. */
  initialize(id: string): number {
    if (this.#open.has(id)) this.end(id, "aborted");
    this.settle();
    const epoch = (this.#epochs.get(id) ?? -1) + 1;
    this.#epochs.set(id, epoch);
    return epoch;
  }

  begin(id: string, epoch: number): Transaction {
    this.#requireEpoch(id, epoch);
    const transaction: Transaction = { state: "open", offsets: [], partitions: new Set() };
    this.#open.set(id, transaction);
    return transaction;
  }

  /** Acknowledged at once; markers come by `settle`. */
  commit(id: string, epoch: number): void {
    this.#requireEpoch(id, epoch);
    if (!this.#open.has(id)) throw new WriterLostError("LOG_UNAVAILABLE", "The transaction was given up.");
    this.end(id, "committed");
  }

  end(id: string, state: "committed" | "aborted"): void {
    const transaction = this.#open.get(id);
    if (transaction === undefined) return;
    this.#open.delete(id);
    transaction.state = state;
    this.#ended.push(transaction);
    if (state === "committed")
      for (const { group, commit } of transaction.offsets) this.#committed.set(`${group}/${commit.topic}/${commit.partition}`, commit);
  }

  /** Markers of everything that has ended. */
  settle(): void {
    for (const transaction of this.#ended) for (const partition of transaction.partitions) partition.settle(transaction);
    this.#ended = [];
    this.version++;
  }

  /** Whoever has a transaction open is dead, and it is too old by now. */
  expire(): void {
    for (const id of this.#open.keys()) this.end(id, "aborted");
    this.settle();
  }

  /** As brokers do with a group that had no member for long. */
  forgetOffsets(): void {
    this.#committed.clear();
  }

  /** The next batch that readers of committed records see from there, or a step over what they do not see. */
  read(at: TopicPartition, offset: number): FetchedBatch | number | undefined {
    const partition = this.partition(at);
    const { stable } = partition;
    if (offset < partition.start || offset > partition.end) {
      const { topic, partition: number } = at;
      throw new LogError("OFFSET_OUT_OF_RANGE", `${topic}/${number} has ${partition.start} to ${partition.end}, not ${offset}.`, {
        topic,
        partition: number,
        offset,
      });
    }
    const entry = partition.entries.find(({ nextOffset }) => nextOffset > offset);
    if (entry === undefined || entry.nextOffset > stable) return undefined;
    const { bytes, baseOffset, nextOffset, recordCount, transaction } = entry;
    if (bytes === undefined || transaction?.state === "aborted") return nextOffset;
    return { topic: at.topic, partition: at.partition, bytes, baseOffset, fetchOffset: offset, nextOffset, recordCount };
  }

  #requireEpoch(id: string, epoch: number): void {
    if (this.#epochs.get(id) !== epoch) throw new WriterLostError("WRITER_FENCED", `A newer writer has the id ${id}.`);
  }
}
