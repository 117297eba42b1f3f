/** The one file that touches @platformatic/kafka: sockets, request codecs and the two compressions that Node does not have. */
import {
  addOffsetsToTxnV4,
  addPartitionsToTxnV3,
  apiVersionsV4,
  AuthenticationError,
  compressionsAlgorithms,
  Connection,
  createTopicsV7,
  deleteRecordsV2,
  describeConfigsV4,
  endTxnV4,
  fetchV17,
  findCoordinatorV6,
  heartbeatV4,
  initProducerIdV5,
  joinGroupV9,
  leaveGroupV5,
  listGroupsV5,
  listOffsetsV9,
  metadataV12,
  offsetFetchV9,
  produceV11,
  ResponseError,
  syncGroupV5,
  txnOffsetCommitV4,
  Writer,
} from "@platformatic/kafka";
import type { Reader, ResponseParser } from "@platformatic/kafka";
import { isIP } from "node:net";
import type { Compressor } from "../../record-batch/block-compression.ts";
import { CLIENT_NAME, CLIENT_VERSION, CONNECT_MS_MAX, IN_FLIGHT_MAX, realSurroundings, REQUEST_MS_MAX } from "../defaults.ts";
import type { Surroundings } from "../defaults.ts";
import { parseFetchResponse } from "../fetch/fetch-response.ts";
import type { FetchResponse } from "../fetch/fetch-response.ts";
import { byKey, byTopic } from "./by-topic.ts";
import { certificateRefusal } from "./certificate-error.ts";
import { ConnectionPool } from "./connection-pool.ts";
import type { PooledConnection } from "./connection-pool.ts";
import { loginOf } from "./login.ts";
import type {
  AtPartition,
  Coded,
  CoordinatorResponse,
  Destination,
  FetchedOffset,
  FetchRequest,
  GroupMember,
  InitProducerResponse,
  Isolation,
  JoinRequest,
  JoinResponse,
  KafkaWire,
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
} from "./wire-contract.ts";
import { WireError } from "./wire-error.ts";
import type { KafkaSecurity } from "./security.ts";

export interface WireOptions {
  readonly clientId: string;
  /** Checked by the caller. */
  readonly security: KafkaSecurity;
  /** Default the real ones. */
  readonly surroundings?: Surroundings;
}

interface OpenedConnection extends PooledConnection {
  readonly connection: Connection;
}

/** A codec of the library: the request as a Writer, the answer by a parser that throws ResponseError on any code. */
interface Codec<A extends unknown[], R> {
  readonly createRequest: (...args: A) => Writer;
  readonly parseResponse: (correlationId: number, apiKey: number, apiVersion: number, reader: Reader) => R;
  readonly api: { readonly key: number; readonly version: number };
}

interface Call<R> {
  readonly key: number;
  readonly version: number;
  readonly create: () => Writer;
  readonly parse: ResponseParser<R>;
  /** ApiVersions answers without tagged fields in its header, so that any client can read it. */
  readonly plainHeader?: boolean;
}

const NO_EPOCH = -1;
const TOPIC_RESOURCE = 2;
const EMPTY = Buffer.alloc(0);
const ALL_REPLICAS = -1;
const ISOLATION = { uncommitted: 0, committed: 1 } as const;
const COORDINATOR = { group: 0, transaction: 1 } as const;
/** AddPartitionsToTxn and its kin are not sent, these two have new versions with the old bodies, and EndTxn answers an identity. */
const TRANSACTION_2 = { produce: 12, commitOffsets: 5, endTransaction: 5 } as const;

/** Brokers over TCP or TLS. Sockets are opened when they are needed, one for each address and purpose. */
export function openSocketWire(options: WireOptions): KafkaWire {
  return new SocketWire(options);
}

/** snappy and lz4, which Node does not have. */
export const wasmCompressors: Readonly<Record<"snappy" | "lz4", Compressor>> = {
  snappy: {
    compress: (bytes) => compressionsAlgorithms.snappy.compressSync(bytes),
    decompress: (bytes) => compressionsAlgorithms.snappy.decompressSync(bytes),
  },
  lz4: {
    compress: (bytes) => compressionsAlgorithms.lz4.compressSync(bytes),
    decompress: (bytes) => compressionsAlgorithms.lz4.decompressSync(bytes),
  },
};

class SocketWire implements KafkaWire {
  readonly #options: WireOptions;
  readonly #pool: ConnectionPool<OpenedConnection>;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#pool = new ConnectionPool(options.surroundings ?? realSurroundings);
  }

  async versions(to: Destination): Promise<VersionsResponse> {
    const response = await this.#call(to, apiVersionsV4, [CLIENT_NAME, CLIENT_VERSION]);
    return {
      errorCode: response.errorCode,
      versionMax: new Map(response.apiKeys.map((api) => [api.apiKey, api.maxVersion])),
      transactionVersion: response.finalizedFeatures?.find((feature) => feature.name === "transaction.version")?.maxVersionLevel ?? 0,
    };
  }

  async metadata(to: Destination, topics: readonly string[] | null): Promise<MetadataResponse> {
    const response = await this.#call(to, metadataV12, [topics === null ? null : [...topics], false, false]);
    return {
      brokers: response.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      topics: response.topics.map((topic) => ({
        name: topic.name ?? "",
        topicId: topic.topicId.replaceAll("-", ""),
        errorCode: topic.errorCode,
        internal: topic.isInternal,
        copies: Math.min(...topic.partitions.map(({ replicaNodes }) => replicaNodes.length)),
        partitions: topic.partitions.map((each) => ({ partition: each.partitionIndex, leader: each.leaderId, errorCode: each.errorCode })),
      })),
    };
  }

  async coordinator(to: Destination, kind: "group" | "transaction", key: string): Promise<CoordinatorResponse> {
    const response = await this.#call(to, findCoordinatorV6, [COORDINATOR[kind], [key]]);
    return found(response.coordinators[0], "coordinator");
  }

  async createTopics(to: Destination, topics: readonly NewTopic[], waitMsMax: number): Promise<readonly NamedCode[]> {
    const wanted = topics.map((topic) => ({
      name: topic.name,
      numPartitions: topic.partitions,
      replicationFactor: topic.replicationFactor,
      assignments: [],
      configs: [...topic.configs],
    }));
    const response = await this.#call(to, createTopicsV7, [wanted, waitMsMax, false]);
    return response.topics.map(({ name, errorCode, errorMessage }) => ({ name, errorCode, message: errorMessage ?? null }));
  }

  async topicConfigs(to: Destination, topics: readonly string[], names: readonly string[]): Promise<readonly TopicConfigs[]> {
    const resources = topics.map((resourceName) => ({
      resourceType: TOPIC_RESOURCE as 2,
      resourceName,
      configurationKeys: [...names],
    }));
    const response = await this.#call(to, describeConfigsV4, [resources, false, false]);
    return response.results.map((result) => ({
      name: result.resourceName,
      errorCode: result.errorCode,
      values: new Map(result.configs.map((config) => [config.name, config.value ?? ""])),
      // Source 1: set for this topic.
      ownNames: new Set(result.configs.filter((config) => config.configSource === 1).map((config) => config.name)),
    }));
  }

  async deleteRecords(to: Destination, at: AtPartition, beforeOffset: number, waitMsMax: number): Promise<Coded> {
    const partitions = [{ partitionIndex: at.partition, offset: BigInt(beforeOffset) }];
    const response = await this.#call(to, deleteRecordsV2, [[{ name: at.topic, partitions }], waitMsMax]);
    return found(response.topics[0]?.partitions[0], "partition");
  }

  async groups(to: Destination): Promise<Coded & { readonly groups: readonly string[]; readonly states: ReadonlyMap<string, string> }> {
    const response = await this.#call(to, listGroupsV5, [[], []]);
    const { errorCode, groups } = response;
    const states = new Map(groups.map(({ groupId, groupState }) => [groupId, groupState]));
    return { errorCode, groups: groups.map(({ groupId }) => groupId), states };
  }

  async listOffset(to: Destination, at: AtPartition, isolation: Isolation, timestamp: number): Promise<ListedOffset> {
    const partitions = [{ partitionIndex: at.partition, currentLeaderEpoch: -1, timestamp: BigInt(timestamp) }];
    const response = await this.#call(to, listOffsetsV9, [-1, ISOLATION[isolation], [{ name: at.topic, partitions }]]);
    const { errorCode, offset } = found(response.topics[0]?.partitions[0], "partition");
    return { ...at, errorCode, offset: Number(offset) };
  }

  async offsets(to: Destination, group: string, partitions: readonly AtPartition[]): Promise<OffsetFetchResponse> {
    const topics = byTopic(partitions).map(([name, each]) => ({ name, partitionIndexes: each.map(({ partition }) => partition) }));
    const request = { groupId: group, memberId: null, memberEpoch: -1, topics };
    const response = await this.#call(to, offsetFetchV9, [[request], true]);
    const { errorCode, topics: answers } = found(response.groups[0], "group");
    return {
      errorCode,
      partitions: answers.flatMap((topic) =>
        topic.partitions.map((each): FetchedOffset => ({
          topic: topic.name,
          partition: each.partitionIndex,
          errorCode: each.errorCode,
          offset: Number(each.committedOffset),
          metadata: each.metadata ?? "",
        })),
      ),
    };
  }

  fetch(to: Destination, { waitMsMax, bytesMax, partitions }: FetchRequest): Promise<FetchResponse> {
    const topics = byKey(partitions, (each) => each.topicId).map(([topicId, each]) => ({
      topicId,
      partitions: each.map(({ partition, offset, bytesMax: partitionMaxBytes, lastEpoch = NO_EPOCH }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: lastEpoch,
        partitionMaxBytes,
      })),
    }));
    return this.#send(to, {
      key: fetchV17.api.key,
      version: fetchV17.api.version,
      create: () => fetchV17.createRequest(waitMsMax, 1, bytesMax, ISOLATION.committed, 0, -1, topics, [], ""),
      // The library's own parser makes objects of all records.
      parse: (_correlation, _key, _version, reader) => parseFetchResponse(reader.buffer.slice(reader.position)),
    });
  }

  async initProducer(
    to: Destination,
    request: { readonly transactionalId: string | null; readonly timeoutMs: number; readonly present: ProducerIdentity | undefined },
  ): Promise<InitProducerResponse> {
    const { transactionalId, timeoutMs, present } = request;
    return await this.#call(to, initProducerIdV5, [transactionalId, timeoutMs, present?.producerId ?? -1n, present?.producerEpoch ?? -1]);
  }

  async addPartitions(
    to: Destination,
    transaction: TransactionIdentity,
    partitions: readonly AtPartition[],
  ): Promise<readonly PartitionCode[]> {
    const topics = byTopic(partitions).map(([name, each]) => ({ name, partitions: each.map(({ partition }) => partition) }));
    const request = { ...transaction, verifyOnly: false, topics };
    const response = await this.#call(to, addPartitionsToTxnV3, [[request]]);
    return found(response.resultsByTransaction[0], "transaction").topicResults.flatMap((topic) =>
      topic.resultsByPartition.map((each) => ({ topic: topic.name, partition: each.partitionIndex, errorCode: each.partitionErrorCode })),
    );
  }

  async addOffsets(to: Destination, { transactionalId, producerId, producerEpoch }: TransactionIdentity, group: string): Promise<Coded> {
    return await this.#call(to, addOffsetsToTxnV4, [transactionalId, producerId, producerEpoch, group]);
  }

  async commitOffsets(
    to: Destination,
    request: {
      readonly transaction: TransactionIdentity;
      readonly version: TransactionVersion;
      readonly member: GroupMember;
      readonly offsets: readonly OffsetToCommit[];
    },
  ): Promise<readonly PartitionCode[]> {
    const { transaction, member, offsets } = request;
    const topics = byTopic(offsets).map(([name, each]) => ({
      name,
      partitions: each.map(({ partition, offset, metadata }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        committedMetadata: metadata,
      })),
    }));
    const version = request.version === 2 ? TRANSACTION_2.commitOffsets : txnOffsetCommitV4.api.version;
    const { transactionalId, producerId, producerEpoch } = transaction;
    const response = await this.#call(
      to,
      txnOffsetCommitV4,
      [transactionalId, member.group, producerId, producerEpoch, member.generation, member.member, member.instance ?? null, topics],
      version,
    );
    return response.topics.flatMap((topic) =>
      topic.partitions.map((each) => ({ topic: topic.name, partition: each.partitionIndex, errorCode: each.errorCode })),
    );
  }

  async endTransaction(
    to: Destination,
    { transactionalId, producerId, producerEpoch }: TransactionIdentity,
    version: TransactionVersion,
    commit: boolean,
  ): Promise<Coded & { readonly next: ProducerIdentity | undefined }> {
    const create = (): Writer => endTxnV4.createRequest(transactionalId, producerId, producerEpoch, commit);
    const { key } = endTxnV4.api;
    if (version === 2) return this.#send(to, { key, version: TRANSACTION_2.endTransaction, create, parse: parseEndTransaction });
    const { errorCode } = await this.#call(to, endTxnV4, [transactionalId, producerId, producerEpoch, commit]);
    return { errorCode, next: undefined };
  }

  async produce(
    to: Destination,
    request: {
      readonly transactionalId: string | null;
      readonly version: TransactionVersion;
      readonly waitMsMax: number;
      readonly partitions: readonly ProducePartition[];
    },
  ): Promise<readonly ProducedPartition[]> {
    const topics = byTopic(request.partitions);
    const response = await this.#send(to, {
      key: produceV11.api.key,
      version: request.version === 2 ? TRANSACTION_2.produce : produceV11.api.version,
      create: () =>
        Writer.create()
          .appendString(request.transactionalId)
          .appendInt16(ALL_REPLICAS)
          .appendInt32(request.waitMsMax)
          .appendArray(topics, (writer, [name, partitions]) => {
            writer.appendString(name).appendArray(partitions, (inner, { partition, batch }) => {
              inner
                .appendInt32(partition)
                .appendUnsignedVarInt(batch.length + 1)
                .append(batch);
            });
          })
          .appendTaggedFields(),
      parse: codesAsData(produceV11.parseResponse),
    });
    return response.responses.flatMap((topic) =>
      topic.partitionResponses.map((each) => ({
        topic: topic.name,
        partition: each.index,
        errorCode: each.errorCode,
        baseOffset: Number(each.baseOffset),
        message: each.recordErrors[0]?.batchIndexErrorMessage ?? each.errorMessage ?? null,
      })),
    );
  }

  async join(to: Destination, request: JoinRequest): Promise<JoinResponse> {
    const { group, member, instance, sessionMsMax, rebalanceMsMax, protocol, metadata, reason } = request;
    const place = instance ?? null;
    const protocols = [{ name: protocol, metadata }];
    const response = await this.#call(to, joinGroupV9, [group, sessionMsMax, rebalanceMsMax, member, place, "consumer", protocols, reason]);
    return {
      errorCode: response.errorCode,
      generation: response.generationId,
      leader: response.leader,
      member: response.memberId ?? "",
      members: response.members.map((each) => ({ member: each.memberId, metadata: each.metadata ?? EMPTY })),
    };
  }

  async sync(to: Destination, { group, generation, member, instance, protocol, assignments }: SyncRequest): Promise<SyncResponse> {
    const all = assignments.map((each) => ({ memberId: each.member, assignment: each.assignment }));
    const response = await this.#call(to, syncGroupV5, [group, generation, member, instance ?? null, "consumer", protocol, all]);
    return { errorCode: response.errorCode, assignment: response.assignment };
  }

  async heartbeat(to: Destination, { group, generation, member, instance }: GroupMember): Promise<Coded> {
    return await this.#call(to, heartbeatV4, [group, generation, member, instance ?? null]);
  }

  async leave(to: Destination, { group, member, instance }: GroupMember): Promise<Coded> {
    return await this.#call(to, leaveGroupV5, [group, [{ memberId: member, groupInstanceId: instance ?? null, reason: "leaves" }]]);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #call<A extends unknown[], R>(to: Destination, codec: Codec<A, R>, args: A, version = codec.api.version): Promise<R> {
    return this.#send(to, {
      key: codec.api.key,
      version,
      create: () => codec.createRequest(...args),
      parse: codesAsData(codec.parseResponse),
      plainHeader: codec.api.key === apiVersionsV4.api.key,
    });
  }

  async #send<R>(to: Destination, call: Call<R>): Promise<R> {
    const key = `${to.host}:${to.port} ${to.purpose} ${to.answerMsMax ?? REQUEST_MS_MAX}`;
    const { connection } = await this.#pool.get(to, key, () => this.#open(to));
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    connection.send(call.key, call.version, call.create, call.parse, true, call.plainHeader !== true, (error, response) => {
      if (error === null || error === undefined) {
        this.#pool.answered(to);
        // With no error the response is there; the library's type does not say so.
        resolve(response as R);
        return;
      }
      const failure = failureOf(error, to, `request ${call.key}`);
      if (failure.failure === "no-answer") this.#pool.failed(to);
      reject(failure);
    });
    return promise;
  }

  async #open({ host, port, answerMsMax }: Destination): Promise<OpenedConnection> {
    const { tls, sasl } = this.#options.security;
    const { now } = this.#options.surroundings ?? realSurroundings;
    const connection = new Connection(this.#options.clientId, {
      connectTimeout: CONNECT_MS_MAX,
      requestTimeout: answerMsMax ?? REQUEST_MS_MAX,
      maxInflights: IN_FLIGHT_MAX,
      ...(tls === undefined ? {} : { tls: { ...tls, rejectUnauthorized: true }, tlsServerName: isIP(host) === 0 }),
      ...(sasl === undefined ? {} : { sasl: loginOf(sasl, now) }),
    });
    // Without a listener an error would end the process; each request hears of it by its own callback.
    connection.on("error", () => {});
    try {
      await connection.connect(host, port);
    } catch (error) {
      throw failureOf(error, { host, port }, "connecting");
    }
    return {
      connection,
      // While it logs in anew a connection still takes requests.
      isConnected: () => connection.isConnected() || connection.status === "reauthenticating",
      close: () => connection.close(),
    };
  }
}

/** Codes are part of the answer: the library throws them, with the whole answer in the error. */
function codesAsData<R>(parse: Codec<unknown[], R>["parseResponse"]): ResponseParser<R> {
  return (correlationId, key, version, reader) => {
    try {
      return parse(correlationId, key, version, reader);
    } catch (error) {
      if (error instanceof ResponseError) return (error as unknown as { readonly response: R }).response;
      throw new WireError("malformed", `The answer to request ${key} of version ${version} cannot be read.`, error);
    }
  };
}

/** EndTxn v5: as v4, and the identity to go on with. */
function parseEndTransaction(
  _correlation: number,
  _key: number,
  _version: number,
  reader: Reader,
): Coded & { readonly next: ProducerIdentity | undefined } {
  reader.readInt32();
  const errorCode = reader.readInt16();
  const producerId = reader.readInt64();
  const producerEpoch = reader.readInt16();
  reader.readTaggedFields();
  return { errorCode, next: errorCode === 0 && producerEpoch >= 0 ? { producerId, producerEpoch } : undefined };
}

function failureOf(error: unknown, { host, port }: { readonly host: string; readonly port: number }, what: string): WireError {
  if (error instanceof WireError) return error;
  const at = `${what} at ${host}:${port}`;
  if (causes(error).some((each) => each instanceof AuthenticationError))
    return new WireError("refused", `${at}: login refused. Check the credentials and the mechanism.`, error);
  const distrusted = causes(error).flatMap((each) => certificateRefusal(each) ?? []);
  if (distrusted[0] !== undefined) return new WireError("refused", `${at}: the broker's certificate is refused: ${distrusted[0]}.`, error);
  if (what === "connecting") return new WireError("unreachable", `${at} failed. Is the broker up, and is this address right?`, error);
  return new WireError("no-answer", `${at} has no answer.`, error);
}

function causes(error: unknown): unknown[] {
  const all: unknown[] = [];
  for (let each = error; each instanceof Error && all.length < 10; each = each.cause) all.push(each);
  return all;
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new WireError("malformed", `The answer lacks the ${what} that was asked for.`, undefined);
  return value;
}
