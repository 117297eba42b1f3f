/** A client of a MemoryCluster: the log port of one process, which can be killed at named points of a commit. */
import { RecordRefusedError, WriterLostError } from "#log";
import type {
  AppendedRange,
  CommitRequest,
  FetchedBatch,
  Log,
  Membership,
  Offsets,
  PartitionAssignment,
  Producer,
  Reader,
  RecordHeader,
  TopicPartition,
  Topics,
  Writer,
  WriterOptions,
} from "#log";
import type { MemoryCluster, RawAppend } from "./memory-cluster.ts";

export type CommitPoint = "produced" | "offsets" | "ended";

export interface MemoryLogOptions {
  /** Awaited at each point of each commit: one that never resolves is a process that died there. */
  readonly at?: (point: CommitPoint) => Promise<void>;
  readonly batchesPerPoll?: number;
}

const nothing = (): Promise<void> => Promise.resolve();
const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

export function memoryLog(cluster: MemoryCluster, options: MemoryLogOptions = {}): Log {
  const topics: Topics = {
    ensure: (configs) => Promise.resolve(cluster.ensure(configs)),
    describe: (name) => Promise.resolve(cluster.config(name)),
    list: () => Promise.resolve(cluster.configs),
    deleteRecords: (at, beforeOffset) => {
      cluster.partition(at).start = beforeOffset;
      return Promise.resolve();
    },
  };
  const offsets: Offsets = {
    bound: (at, bound) => Promise.resolve(cluster.bound(at, bound)),
    forTime: () => Promise.resolve(undefined),
    committed: (group, partitions) => Promise.resolve(partitions.map((at) => cluster.committed(group, at))),
    groups: () => Promise.resolve([]),
  };
  return {
    name: "memory",
    capabilities: { atomicRows: false },
    topics,
    offsets,
    reader: () => new MemoryReader(cluster, options.batchesPerPoll ?? 2),
    writer: (writer) => new MemoryWriter(cluster, writer, options.at ?? nothing),
    producer: () => new MemoryProducer(cluster),
    membership: (): Membership => {
      throw new Error("there is no group in memory");
    },
    version: () => cluster.version,
    changed: nothing,
    maintain: nothing,
    share: () => undefined,
    close: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}

class MemoryReader implements Reader {
  readonly #cluster: MemoryCluster;
  readonly #batchesMax: number;
  #positions: (PartitionAssignment & { at: number; paused: boolean })[] = [];

  constructor(cluster: MemoryCluster, batchesMax: number) {
    this.#cluster = cluster;
    this.#batchesMax = batchesMax;
  }

  assign(partitions: readonly PartitionAssignment[]): void {
    const before = this.#positions;
    this.#positions = partitions.map((wanted) => {
      const kept = before.find((each) => keyOf(each) === keyOf(wanted) && each.at === wanted.offset);
      return { ...wanted, at: wanted.offset, paused: kept?.paused ?? false };
    });
  }

  poll(): readonly FetchedBatch[] {
    const batches: FetchedBatch[] = [];
    for (const position of this.#positions) {
      let taken = 0;
      while (!position.paused && taken < this.#batchesMax) {
        const next = this.#cluster.read(position, position.at);
        if (next === undefined) break;
        if (typeof next === "number") position.at = next;
        else {
          batches.push(next);
          position.at = next.nextOffset;
          taken++;
        }
      }
    }
    return batches;
  }

  position(at: TopicPartition): number {
    return this.#find(at).at;
  }

  endOffset(at: TopicPartition): number {
    return this.#cluster.bound(at, "stable");
  }

  pause(at: TopicPartition): void {
    this.#find(at).paused = true;
  }

  resume(at: TopicPartition): void {
    this.#find(at).paused = false;
  }

  close(): Promise<void> {
    return nothing();
  }

  #find(at: TopicPartition): PartitionAssignment & { at: number; paused: boolean } {
    const found = this.#positions.find((each) => keyOf(each) === keyOf(at));
    if (found === undefined) throw new Error(`${keyOf(at)} is not assigned`);
    return found;
  }
}

class MemoryWriter implements Writer {
  readonly #cluster: MemoryCluster;
  readonly #options: WriterOptions;
  readonly #at: (point: CommitPoint) => Promise<void>;
  readonly #ends = new Map<string, number>();
  #epoch = -1;
  #records: RawAppend[] = [];
  #mark = 0;
  #dead = false;

  constructor(cluster: MemoryCluster, options: WriterOptions, at: (point: CommitPoint) => Promise<void>) {
    this.#cluster = cluster;
    this.#options = options;
    this.#at = at;
  }

  get bufferedBytes(): number {
    return this.#records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  }

  initialize(): Promise<void> {
    this.#epoch = this.#cluster.initialize(this.#options.transactionalId);
    return nothing();
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = [],
  ): void {
    if (this.#dead) throw new WriterLostError("LOG_UNAVAILABLE", "This writer is dead.");
    this.#cluster.partition({ topic, partition });
    const size = (key?.length ?? 0) + (value?.length ?? 0);
    if (size > (this.#cluster.config(topic)?.recordBytesMax ?? Infinity))
      throw new RecordRefusedError("RECORD_TOO_LARGE", `A record of ${size} bytes is too large for ${topic}.`, { topic, partition });
    this.#records.push({ topic, partition, timestamp, key: copyOf(key), value: copyOf(value), headers });
  }

  savepoint(): void {
    this.#mark = this.#records.length;
  }

  rollback(): void {
    this.#records.length = this.#mark;
  }

  async commit({ offsets, rows }: CommitRequest): Promise<void> {
    if (rows.length > 0) throw new Error("rows are not atomic here");
    const records = this.#records;
    this.#records = [];
    this.#mark = 0;
    try {
      await this.#commit(records, offsets);
    } catch (error) {
      this.#dead = true;
      throw error;
    }
  }

  committedEnd(at: TopicPartition): number | undefined {
    return this.#ends.get(keyOf(at));
  }

  close(): Promise<void> {
    this.#dead = true;
    return nothing();
  }

  async #commit(records: readonly RawAppend[], offsets: CommitRequest["offsets"]): Promise<void> {
    const { group, transactionalId } = this.#options;
    const transaction = this.#cluster.begin(transactionalId, this.#epoch);
    const ends = new Map<string, number>();
    for (const [key, appends] of Map.groupBy(records, keyOf)) {
      const [first] = appends;
      if (first !== undefined) ends.set(key, this.#cluster.partition(first).append(appends, transaction));
    }
    await this.#at("produced");
    transaction.offsets.push(...offsets.map((commit) => ({ group, commit })));
    await this.#at("offsets");
    this.#cluster.commit(transactionalId, this.#epoch);
    await this.#at("ended");
    for (const [key, end] of ends) this.#ends.set(key, end);
  }
}

class MemoryProducer implements Producer {
  readonly bufferedBytes = 0;
  readonly #cluster: MemoryCluster;
  #records: RawAppend[] = [];

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
  }

  append(topic: string, partition: number, timestamp: number, key: Uint8Array | null, value: Uint8Array | null): void {
    this.#records.push({ topic, partition, timestamp, key: copyOf(key), value: copyOf(value), headers: [] });
  }

  flush(): Promise<readonly AppendedRange[]> {
    for (const appends of Map.groupBy(this.#records, keyOf).values()) {
      const [first] = appends;
      if (first !== undefined) this.#cluster.partition(first).append(appends, undefined);
    }
    this.#records = [];
    this.#cluster.version++;
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return nothing();
  }
}

/** The caller's memory is used again. */
function copyOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
