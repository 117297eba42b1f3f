/**
 * What the adapter asks of brokers, decoded: offsets and timestamps are numbers, codes are Kafka's own numbers and never
 * thrown. `wire.ts` answers it over sockets; simulated brokers may answer it from memory.
 */
import type { FetchResponse } from "../fetch/fetch-response.ts";

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** One socket for each address and purpose: a long poll blocks whatever stands behind it on its socket. */
export interface Destination extends BrokerAddress {
  readonly purpose: string;
  /** The answer takes longer by design (a join waits for other members); default 10 s. */
  readonly answerMsMax?: number;
}

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export interface TransactionIdentity extends ProducerIdentity {
  readonly transactionalId: string;
}

/** 1: partitions and offsets are announced to the coordinator. 2 (KIP-890): they are not, and each end of a transaction gives a new epoch. */
export type TransactionVersion = 1 | 2;

export interface Coded {
  readonly errorCode: number;
}

export interface VersionsResponse extends Coded {
  /** Highest request version by api key. */
  readonly versionMax: ReadonlyMap<number, number>;
  /** The finalized feature `transaction.version`; 0 where there is none. */
  readonly transactionVersion: number;
}

export interface MetadataResponse {
  readonly brokers: readonly (BrokerAddress & { readonly nodeId: number })[];
  readonly topics: readonly MetadataTopic[];
}

export interface MetadataTopic extends Coded {
  readonly name: string;
  /** Hexadecimal, without dashes. */
  readonly topicId: string;
  readonly internal: boolean;
  /** Of the partition that has fewest; undefined where it is not told. */
  readonly copies?: number;
  readonly partitions: readonly (Coded & { readonly partition: number; readonly leader: number })[];
}

export interface CoordinatorResponse extends Coded, BrokerAddress {}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  /** −1 takes the broker's default. */
  readonly replicationFactor: number;
  readonly configs: readonly { readonly name: string; readonly value: string }[];
}

export interface NamedCode extends Coded {
  readonly name: string;
  readonly message: string | null;
}

export interface TopicConfigs extends Coded {
  readonly name: string;
  readonly values: ReadonlyMap<string, string>;
  /** Names that were set for this topic; the others are the broker's defaults. */
  readonly ownNames: ReadonlySet<string>;
}

export interface AtPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface PartitionCode extends AtPartition, Coded {}

export interface ListedOffset extends PartitionCode {
  /** −1 when there is none. */
  readonly offset: number;
}

export type Isolation = "committed" | "uncommitted";

export interface FetchPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax: number;
  /** Leader epoch of the last batch that was read; the broker says where its log differs from that. Left out where none was read. */
  readonly lastEpoch?: number;
}

export interface FetchRequest {
  readonly waitMsMax: number;
  readonly bytesMax: number;
  readonly partitions: readonly FetchPartition[];
}

export interface ProducePartition extends AtPartition {
  /** Exactly one batch. */
  readonly batch: Buffer;
}

export interface ProducedPartition extends PartitionCode {
  readonly baseOffset: number;
  readonly message: string | null;
}

export interface InitProducerResponse extends Coded, ProducerIdentity {}

export interface GroupMember {
  readonly group: string;
  readonly generation: number;
  /** Given by the broker; empty outside a group, with generation −1. */
  readonly member: string;
  /** Of a static member (`group.instance.id`): who joins under it takes the place, and the broker fences whoever had it. */
  readonly instance?: string;
}

export interface OffsetToCommit extends AtPartition {
  readonly offset: number;
  readonly metadata: string;
}

export interface FetchedOffset extends PartitionCode {
  /** −1 when nothing was committed. */
  readonly offset: number;
  readonly metadata: string;
}

export interface OffsetFetchResponse extends Coded {
  readonly partitions: readonly FetchedOffset[];
}

export interface JoinRequest {
  readonly group: string;
  /** Empty at first: the broker answers 79 with an id to use, or gives one at once to a static member. */
  readonly member: string;
  readonly instance?: string;
  readonly sessionMsMax: number;
  readonly rebalanceMsMax: number;
  readonly protocol: string;
  readonly metadata: Buffer;
  readonly reason: string;
}

export interface JoinResponse extends Coded {
  readonly generation: number;
  readonly leader: string;
  readonly member: string;
  /** All members, for the leader; empty for the others. */
  readonly members: readonly { readonly member: string; readonly metadata: Buffer }[];
}

export interface SyncRequest extends GroupMember {
  readonly protocol: string;
  /** The leader's decision; empty for the others. */
  readonly assignments: readonly { readonly member: string; readonly assignment: Buffer }[];
}

export interface SyncResponse extends Coded {
  readonly assignment: Buffer;
}

/** Every call rejects with a `WireError` when there is no answer, and answers with codes otherwise. */
export interface KafkaWire {
  versions(to: Destination): Promise<VersionsResponse>;
  /** Null asks for all topics. */
  metadata(to: Destination, topics: readonly string[] | null): Promise<MetadataResponse>;
  coordinator(to: Destination, kind: "group" | "transaction", key: string): Promise<CoordinatorResponse>;
  createTopics(to: Destination, topics: readonly NewTopic[], waitMsMax: number): Promise<readonly NamedCode[]>;
  topicConfigs(to: Destination, topics: readonly string[], names: readonly string[]): Promise<readonly TopicConfigs[]>;
  deleteRecords(to: Destination, at: AtPartition, beforeOffset: number, waitMsMax: number): Promise<Coded>;
  /** `states` by group, as Kafka calls them (`Empty`, `Stable`, …), where the broker says so. */
  groups(to: Destination): Promise<Coded & { readonly groups: readonly string[]; readonly states?: ReadonlyMap<string, string> }>;
  /** −2 asks for the start, −1 for the end that the isolation sees, anything else for a time. */
  listOffset(to: Destination, at: AtPartition, isolation: Isolation, timestamp: number): Promise<ListedOffset>;
  offsets(to: Destination, group: string, partitions: readonly AtPartition[]): Promise<OffsetFetchResponse>;
  fetch(to: Destination, request: FetchRequest): Promise<FetchResponse>;
  initProducer(
    to: Destination,
    request: { readonly transactionalId: string | null; readonly timeoutMs: number; readonly present: ProducerIdentity | undefined },
  ): Promise<InitProducerResponse>;
  addPartitions(to: Destination, transaction: TransactionIdentity, partitions: readonly AtPartition[]): Promise<readonly PartitionCode[]>;
  addOffsets(to: Destination, transaction: TransactionIdentity, group: string): Promise<Coded>;
  commitOffsets(
    to: Destination,
    request: {
      readonly transaction: TransactionIdentity;
      readonly version: TransactionVersion;
      readonly member: GroupMember;
      readonly offsets: readonly OffsetToCommit[];
    },
  ): Promise<readonly PartitionCode[]>;
  /** The identity to go on with, where version 2 gives a new one. */
  endTransaction(
    to: Destination,
    transaction: TransactionIdentity,
    version: TransactionVersion,
    commit: boolean,
  ): Promise<Coded & { readonly next: ProducerIdentity | undefined }>;
  produce(
    to: Destination,
    request: {
      readonly transactionalId: string | null;
      readonly version: TransactionVersion;
      readonly waitMsMax: number;
      readonly partitions: readonly ProducePartition[];
    },
  ): Promise<readonly ProducedPartition[]>;
  join(to: Destination, request: JoinRequest): Promise<JoinResponse>;
  sync(to: Destination, request: SyncRequest): Promise<SyncResponse>;
  heartbeat(to: Destination, member: GroupMember): Promise<Coded>;
  leave(to: Destination, member: GroupMember): Promise<Coded>;
  close(): Promise<void>;
}
