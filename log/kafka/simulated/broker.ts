/** One broker: answers the decoded requests of the wire by Kafka's rules, from what the cluster shares. */
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BATCH_HEADER_BYTES,
  COMPRESSION_MASK,
  CRC_AT,
  maxTimestampOf,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
} from "../../record-batch/batch-layout.ts";
import { crc32c } from "../../record-batch/crc32c.ts";
import { RecordBatchCursor } from "../../record-batch/record-batch-cursor.ts";
import type {
  AtPartition,
  Coded,
  CoordinatorResponse,
  FetchRequest,
  GroupMember,
  InitProducerResponse,
  Isolation,
  JoinRequest,
  JoinResponse,
  ListedOffset,
  MetadataResponse,
  NamedCode,
  NewTopic,
  OffsetFetchResponse,
  OffsetToCommit,
  PartitionCode,
  ProducedPartition,
  ProducePartition,
  ProducerIdentity,
  SyncRequest,
  SyncResponse,
  TopicConfigs,
  TransactionIdentity,
  TransactionVersion,
  VersionsResponse,
} from "../client/wire-contract.ts";
import { MESSAGE_BYTES_MAX, METADATA_BYTES_MAX } from "../defaults.ts";
import type { FetchedPartition, FetchResponse } from "../fetch/fetch-response.ts";
import type { ClusterState, CoordinatorKind, SimulatedTopic } from "./cluster-state.ts";
import type { PartitionLog } from "./partition-log.ts";
import { asEntryCode } from "./transaction-coordinator.ts";
import type { MarkerTarget } from "./transaction-coordinator.ts";

const NONE = 0;
const OFFSET_OUT_OF_RANGE = 1;
const CORRUPT_MESSAGE = 2;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const LEADER_NOT_AVAILABLE = 5;
const NOT_LEADER_OR_FOLLOWER = 6;
const MESSAGE_TOO_LARGE = 10;
const OFFSET_METADATA_TOO_LARGE = 12;
const COORDINATOR_LOAD_IN_PROGRESS = 14;
const COORDINATOR_NOT_AVAILABLE = 15;
const NOT_COORDINATOR = 16;
const NOT_ENOUGH_REPLICAS = 19;
const INVALID_TIMESTAMP = 32;
const TOPIC_ALREADY_EXISTS = 36;
const INVALID_PARTITIONS = 37;
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
const CONCURRENT_TRANSACTIONS = 51;
const INVALID_RECORD = 87;
const UNKNOWN_TOPIC_ID = 100;

const FETCH_KEY = 1;
const FETCH_VERSION = 18;
const START = -2;
const END = -1;
const HOUR_MS = 3_600_000;
const NO_RECORDS = Buffer.alloc(0);
const CONFIG_DEFAULTS: Readonly<Record<string, string>> = {
  "cleanup.policy": "delete",
  "retention.ms": "604800000",
  "retention.bytes": "-1",
  "max.message.bytes": String(MESSAGE_BYTES_MAX),
};

export class Broker {
  readonly #state: ClusterState;
  readonly #nodeId: number;

  constructor(state: ClusterState, nodeId: number) {
    this.#state = state;
    this.#nodeId = nodeId;
  }

  versions(): VersionsResponse {
    return {
      errorCode: NONE,
      versionMax: new Map([[FETCH_KEY, FETCH_VERSION]]),
      transactionVersion: this.#state.options.transactionVersion,
    };
  }

  metadata(names: readonly string[] | null): MetadataResponse {
    const topics = [...this.#state.topics.values()].filter(({ name }) => names === null || names.includes(name));
    return {
      brokers: this.#state.brokers.filter(({ up }) => up).map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      topics: topics.map(({ name, topicId, leaders }) => ({
        name,
        topicId,
        internal: false,
        errorCode: NONE,
        partitions: leaders.map((leader, partition) => ({ partition, leader, errorCode: leader < 0 ? LEADER_NOT_AVAILABLE : NONE })),
      })),
    };
  }

  coordinator(kind: CoordinatorKind, key: string): CoordinatorResponse {
    const place = this.#state.brokers[this.#state.coordinatorOf(kind, key) - 1];
    if (place?.up !== true) return { errorCode: COORDINATOR_NOT_AVAILABLE, host: "", port: -1 };
    return { errorCode: NONE, host: place.host, port: place.port };
  }

  createTopics(topics: readonly NewTopic[]): readonly NamedCode[] {
    return topics.map((topic) => {
      const { name } = topic;
      if (this.#state.topics.has(name)) return { name, errorCode: TOPIC_ALREADY_EXISTS, message: `Topic '${name}' already exists.` };
      if (topic.partitions < 1) return { name, errorCode: INVALID_PARTITIONS, message: null };
      this.#state.create(topic);
      return { name, errorCode: NONE, message: null };
    });
  }

  topicConfigs(topics: readonly string[], names: readonly string[]): readonly TopicConfigs[] {
    return topics.map((name) => {
      const topic = this.#state.topics.get(name);
      if (topic === undefined) return { name, errorCode: UNKNOWN_TOPIC_OR_PARTITION, values: new Map(), ownNames: new Set() };
      const values = new Map(names.map((each) => [each, topic.configs.get(each) ?? CONFIG_DEFAULTS[each] ?? ""]));
      return { name, errorCode: NONE, values, ownNames: new Set(topic.configs.keys()) };
    });
  }

  deleteRecords(at: AtPartition, beforeOffset: number): Coded {
    const found = this.#led(this.#state.topics.get(at.topic), at.partition);
    if (typeof found === "number") return { errorCode: found };
    if (beforeOffset > found.highWatermark || beforeOffset < END) return { errorCode: OFFSET_OUT_OF_RANGE };
    found.deleteBefore(beforeOffset === END ? found.highWatermark : beforeOffset);
    return { errorCode: NONE };
  }

  groups(): Coded & { readonly groups: readonly string[] } {
    const own = [...this.#state.groups].filter(([name]) => this.#state.coordinatorOf("group", name) === this.#nodeId);
    const known = own.filter(([, { coordinator, offsets }]) => !coordinator.empty || !offsets.empty);
    return { errorCode: NONE, groups: known.map(([name]) => name) };
  }

  listOffset(at: AtPartition, isolation: Isolation, timestamp: number): ListedOffset {
    const { topic, partition } = at;
    const found = this.#led(this.#state.topics.get(topic), partition);
    if (typeof found === "number") return { topic, partition, errorCode: found, offset: -1 };
    const committed = isolation === "committed";
    const end = committed ? found.stableOffset : found.highWatermark;
    const offset = timestamp === START ? found.startOffset : timestamp === END ? end : found.offsetForTime(timestamp, committed);
    return { topic, partition, errorCode: NONE, offset };
  }

  offsets(group: string, partitions: readonly AtPartition[]): OffsetFetchResponse {
    const errorCode = this.#coordinates("group", group);
    if (errorCode !== NONE) return { errorCode, partitions: [] };
    return { errorCode: NONE, partitions: this.#state.group(group).offsets.fetch(partitions) };
  }

  /** Waits for something to read, or for the time that was asked for. */
  async fetch(request: FetchRequest): Promise<FetchResponse> {
    const partitions = request.partitions.map((asked) => this.#state.topicsById.get(asked.topicId)?.partitions[asked.partition]);
    const answerable = request.partitions.some(({ topicId, partition, offset }) => {
      const found = this.#led(this.#state.topicsById.get(topicId), partition, UNKNOWN_TOPIC_ID);
      if (typeof found === "number" || isOutOfRange(found, offset)) return true;
      return found.hasAt({ offset, bytesMax: 1, committed: true });
    });
    if (!answerable) {
      await new Promise<void>((resolve) => {
        const stop = this.#state.surroundings.after(request.waitMsMax, wake);
        function wake(): void {
          stop();
          for (const partition of partitions) partition?.waiting.delete(wake);
          resolve();
        }
        for (const partition of partitions) partition?.waiting.add(wake);
      });
    }
    let left = request.bytesMax;
    return {
      errorCode: NONE,
      partitions: request.partitions.map(({ topicId, partition, offset, bytesMax }) => {
        const found = this.#led(this.#state.topicsById.get(topicId), partition, UNKNOWN_TOPIC_ID);
        if (typeof found === "number") return fetchRefused(topicId, partition, found);
        if (isOutOfRange(found, offset)) return { ...boundsOf(found, topicId, partition), errorCode: OFFSET_OUT_OF_RANGE };
        if (left <= 0) return boundsOf(found, topicId, partition);
        const { records, aborted } = found.read({ offset, bytesMax: Math.min(bytesMax, left), committed: true });
        left -= records.length;
        return { ...boundsOf(found, topicId, partition), records, aborted };
      }),
    };
  }

  initProducer(request: {
    readonly transactionalId: string | null;
    readonly timeoutMs: number;
    readonly present: ProducerIdentity | undefined;
  }): InitProducerResponse {
    const { transactionalId: id, timeoutMs, present } = request;
    if (id === null) return { errorCode: NONE, ...this.#state.transactions.newProducer() };
    const errorCode = this.#coordinates("transaction", id);
    if (errorCode !== NONE) return { errorCode, producerId: -1n, producerEpoch: -1 };
    return this.#state.transactions.initialize(id, timeoutMs, present);
  }

  addPartitions(transaction: TransactionIdentity, partitions: readonly AtPartition[]): readonly PartitionCode[] {
    let errorCode = this.#coordinates("transaction", transaction.transactionalId);
    const targets = partitions.map((at) => this.#targetOf(at));
    if (errorCode === NONE && targets.some((target) => target === undefined)) errorCode = UNKNOWN_TOPIC_OR_PARTITION;
    if (errorCode === NONE) errorCode = this.#state.transactions.add(transaction, targets.filter(isThere));
    return partitions.map(({ topic, partition }) => ({ topic, partition, errorCode }));
  }

  addOffsets(transaction: TransactionIdentity, group: string): Coded {
    const errorCode = this.#coordinates("transaction", transaction.transactionalId);
    if (errorCode !== NONE) return { errorCode };
    return { errorCode: this.#state.transactions.add(transaction, [this.#offsetsTarget(group)]) };
  }

  commitOffsets(request: {
    readonly transaction: TransactionIdentity;
    readonly version: TransactionVersion;
    readonly member: GroupMember;
    readonly offsets: readonly OffsetToCommit[];
  }): readonly PartitionCode[] {
    const { transaction, version, member, offsets } = request;
    const all = (errorCode: number): readonly PartitionCode[] => offsets.map(({ topic, partition }) => ({ topic, partition, errorCode }));
    const refused = this.#coordinates("group", member.group);
    if (refused !== NONE) return all(refused);
    const group = this.#state.group(member.group);
    const takes = group.coordinator.mayCommit(member);
    if (takes !== NONE) return all(takes);
    const codes = offsets.map(({ topic, partition, metadata }) => {
      if (this.#state.topics.get(topic)?.partitions[partition] === undefined) return UNKNOWN_TOPIC_OR_PARTITION;
      return Buffer.byteLength(metadata) > METADATA_BYTES_MAX ? OFFSET_METADATA_TOO_LARGE : NONE;
    });
    const good = offsets.filter((_, index) => codes[index] === NONE);
    const target = this.#offsetsTarget(member.group);
    if (!group.offsets.isOpen(transaction)) {
      const code = this.#enter(transaction, version, target);
      if (code !== NONE) return all(code);
    }
    const code = group.offsets.add(transaction, good);
    return offsets.map(({ topic, partition }, index) => ({
      topic,
      partition,
      errorCode: codes[index] === NONE ? code : (codes[index] ?? NONE),
    }));
  }

  endTransaction(
    transaction: TransactionIdentity,
    version: TransactionVersion,
    commit: boolean,
  ): Coded & { readonly next: ProducerIdentity | undefined } {
    const errorCode = this.#coordinates("transaction", transaction.transactionalId);
    if (errorCode !== NONE) return { errorCode, next: undefined };
    return this.#state.transactions.end(transaction, version, commit);
  }

  produce(request: {
    readonly transactionalId: string | null;
    readonly version: TransactionVersion;
    readonly partitions: readonly ProducePartition[];
  }): readonly ProducedPartition[] {
    return request.partitions.map(({ topic: name, partition, batch }) => {
      const topic = this.#state.topics.get(name);
      const answer = { topic: name, partition, baseOffset: -1, message: null };
      const log = this.#led(topic, partition);
      if (typeof log === "number" || topic === undefined) return { ...answer, errorCode: typeof log === "number" ? log : NONE };
      const invalid = this.#invalid(topic, batch);
      if (invalid !== NONE) return { ...answer, errorCode: invalid };
      const producerId = batch.readBigInt64BE(PRODUCER_ID_AT);
      const producerEpoch = batch.readInt16BE(PRODUCER_EPOCH_AT);
      const { transactionalId, version } = request;
      if (transactionalId !== null && !log.producers.isOpen(producerId, producerEpoch)) {
        const identity = { transactionalId, producerId, producerEpoch };
        log.producers.entering({ producerId, producerEpoch, firstSequence: batch.readInt32BE(BASE_SEQUENCE_AT) }, version);
        const target = this.#targetOf({ topic: name, partition });
        const code = target === undefined ? UNKNOWN_TOPIC_OR_PARTITION : this.#enter(identity, version, target);
        if (code !== NONE) return { ...answer, errorCode: code === CONCURRENT_TRANSACTIONS && version === 1 ? NOT_ENOUGH_REPLICAS : code };
      }
      const { code, baseOffset } = log.append(batch);
      return { ...answer, errorCode: code, baseOffset };
    });
  }

  join(request: JoinRequest): Promise<JoinResponse> | JoinResponse {
    const errorCode = this.#coordinates("group", request.group);
    if (errorCode !== NONE) return { errorCode, generation: -1, leader: "", member: request.member, members: [] };
    return this.#state.group(request.group).coordinator.join(request);
  }

  sync(request: SyncRequest): Promise<SyncResponse> | SyncResponse {
    const errorCode = this.#coordinates("group", request.group);
    return errorCode === NONE ? this.#state.group(request.group).coordinator.sync(request) : { errorCode, assignment: NO_RECORDS };
  }

  heartbeat(member: GroupMember): Coded {
    const errorCode = this.#coordinates("group", member.group);
    return errorCode === NONE ? this.#state.group(member.group).coordinator.heartbeat(member) : { errorCode };
  }

  leave(member: GroupMember): Coded {
    const errorCode = this.#coordinates("group", member.group);
    return errorCode === NONE ? this.#state.group(member.group).coordinator.leave(member) : { errorCode };
  }

  /** Version 1 asks whether it was announced, version 2 announces it. */
  #enter(transaction: TransactionIdentity, version: TransactionVersion, target: MarkerTarget): number {
    const { transactions } = this.#state;
    if (this.#state.isLoading("transaction", transaction.transactionalId)) return NOT_ENOUGH_REPLICAS;
    return asEntryCode(version === 2 ? transactions.add(transaction, [target]) : transactions.verify(transaction, target.name));
  }

  #invalid(topic: SimulatedTopic, batch: Buffer): number {
    if (batch.length < BATCH_HEADER_BYTES || crc32c(batch, ATTRIBUTES_AT, batch.length) !== batch.readUInt32BE(CRC_AT))
      return CORRUPT_MESSAGE;
    if (batch.length > Number(topic.configs.get("max.message.bytes") ?? MESSAGE_BYTES_MAX)) return MESSAGE_TOO_LARGE;
    if (maxTimestampOf(batch) > this.#state.surroundings.now() + HOUR_MS) return INVALID_TIMESTAMP;
    if (batch.readInt32BE(BASE_SEQUENCE_AT) < 0 && batch.readBigInt64BE(PRODUCER_ID_AT) >= 0n) return OUT_OF_ORDER_SEQUENCE_NUMBER;
    if ((topic.configs.get("cleanup.policy") ?? "").includes("compact") && hasNullKey(batch)) return INVALID_RECORD;
    return NONE;
  }

  #led(topic: SimulatedTopic | undefined, partition: number, unknown = UNKNOWN_TOPIC_OR_PARTITION): PartitionLog | number {
    const log = topic?.partitions[partition];
    if (topic === undefined || log === undefined) return unknown;
    return topic.leaders[partition] === this.#nodeId ? log : NOT_LEADER_OR_FOLLOWER;
  }

  #coordinates(kind: CoordinatorKind, key: string): number {
    if (this.#state.coordinatorOf(kind, key) !== this.#nodeId) return NOT_COORDINATOR;
    return this.#state.isLoading(kind, key) ? COORDINATOR_LOAD_IN_PROGRESS : NONE;
  }

  #targetOf({ topic: name, partition }: AtPartition): MarkerTarget | undefined {
    const topic = this.#state.topics.get(name);
    const log = topic?.partitions[partition];
    if (topic === undefined || log === undefined) return undefined;
    return {
      name: `${name}/${partition}`,
      write: (producer, commit) => {
        if (!this.#state.isLed(topic, partition)) return false;
        log.endTransaction(producer, commit, this.#state.surroundings.now());
        return true;
      },
    };
  }

  #offsetsTarget(group: string): MarkerTarget {
    return {
      name: `offsets of ${group}`,
      write: (producer, commit) => {
        if (this.#state.isLoading("group", group)) return false;
        this.#state.group(group).offsets.end(producer, commit);
        return true;
      },
    };
  }
}

function hasNullKey(batch: Buffer): boolean {
  if ((batch.readInt16BE(ATTRIBUTES_AT) & COMPRESSION_MASK) !== 0) return false;
  const cursor = new RecordBatchCursor({ checkCrc: false });
  cursor.reset(batch, 0);
  while (cursor.next()) if (cursor.keyStart < 0) return true;
  return false;
}

function isOutOfRange({ startOffset, highWatermark }: PartitionLog, offset: number): boolean {
  return offset < startOffset || offset > highWatermark;
}

function boundsOf({ highWatermark, stableOffset, startOffset }: PartitionLog, topicId: string, partition: number): FetchedPartition {
  return { topicId, partition, errorCode: NONE, highWatermark, stableOffset, startOffset, aborted: [], records: NO_RECORDS };
}

function fetchRefused(topicId: string, partition: number, errorCode: number): FetchedPartition {
  return { topicId, partition, errorCode, highWatermark: -1, stableOffset: -1, startOffset: -1, aborted: [], records: NO_RECORDS };
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
