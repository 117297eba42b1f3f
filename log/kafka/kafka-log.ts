/** The log on a Kafka cluster: the port over the wire, with nothing of Kafka above it. */
import { LogError } from "../errors.ts";
import type {
  Log,
  LogCapabilities,
  LogShare,
  Membership,
  MembershipOptions,
  Offsets,
  Producer,
  Reader,
  ReaderOptions,
  Topics,
  Writer,
  WriterOptions,
} from "../log.ts";
import { BlockCompression } from "../record-batch/block-compression.ts";
import type { Compression } from "../record-batch/block-compression.ts";
import { Cluster } from "./client/cluster.ts";
import { Lanes } from "./client/lanes.ts";
import { principalOf } from "./client/rights.ts";
import { checkSecurity } from "./client/security.ts";
import type { KafkaSecurity } from "./client/security.ts";
import type { BrokerAddress, KafkaWire } from "./client/wire-contract.ts";
import { openSocketWire, wasmCompressors } from "./client/wire.ts";
import {
  DECOMPRESSED_BYTES_MAX,
  HEARTBEAT_MS,
  realSurroundings,
  REBALANCE_MS_MAX,
  SESSION_MS_MAX,
  TRANSACTION_MS_MAX,
} from "./defaults.ts";
import type { Surroundings } from "./defaults.ts";
import { KafkaReader } from "./fetch/kafka-reader.ts";
import { KafkaMembership } from "./group/kafka-membership.ts";
import type { GroupTimes } from "./group/kafka-membership.ts";
import { KafkaOffsets } from "./kafka-offsets.ts";
import { KafkaTopics } from "./kafka-topics.ts";
import { fenceWriter } from "./produce/fence-writer.ts";
import { KafkaProducer } from "./produce/kafka-producer.ts";
import { KafkaWriter } from "./produce/kafka-writer.ts";
import { OwnCommits } from "./produce/own-commits.ts";
import { TopicCatalog } from "./topic-catalog.ts";
import { VersionCounter } from "./version-counter.ts";

export interface KafkaLogOptions extends KafkaSecurity {
  /** HOST:PORT of one or more brokers to begin with. */
  readonly brokers: readonly string[];
  /** Named in the brokers' logs and quotas. */
  readonly clientId: string;
  /** Of topics that `ensure` creates; default −1, the brokers' own default. */
  readonly replicationFactor?: number;
  /** Of what is written; default "none". Any is read. */
  readonly compression?: Compression;
  /** The coordinator aborts a transaction that is older; at most the session time; default 10 s. */
  readonly transactionMsMax?: number;
  /** A member that is not heard of for that long is out of its group; default 10 s. */
  readonly sessionMsMax?: number;
  /** How long a group waits for its members to rejoin; default 30 s. */
  readonly rebalanceMsMax?: number;
  /** Default 200 ms; at most a third of the session. */
  readonly heartbeatMs?: number;
}

/** Connects. Throws `LOG_UNAVAILABLE` when no broker answers, or when an option is refused. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  checkSecurity(options);
  const { clientId, tls, sasl } = options;
  const security = { ...(tls === undefined ? {} : { tls }), ...(sasl === undefined ? {} : { sasl }) };
  const wire = openSocketWire({ clientId, security });
  return openKafkaLogOver(options, { wire, surroundings: realSurroundings });
}

/** Over a wire, a clock and a chance of the caller's own; `close` closes the wire. Throws `LOG_UNAVAILABLE`. */
export async function openKafkaLogOver(
  options: KafkaLogOptions,
  { wire, surroundings }: { readonly wire: KafkaWire; readonly surroundings: Surroundings },
): Promise<Log> {
  checkTimes(options);
  const cluster = new Cluster({ wire, surroundings, bootstrap: options.brokers.map(parseBroker), principal: principalOf(options) });
  const log = new KafkaLog(options, cluster);
  try {
    await log.open();
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
}

class KafkaLog implements Log {
  readonly name: string = "kafka";
  readonly capabilities: LogCapabilities = { atomicRows: false };
  readonly topics: Topics;
  readonly offsets: Offsets;
  readonly #cluster: Cluster;
  readonly #catalog: TopicCatalog;
  readonly #compression = new BlockCompression(wasmCompressors, DECOMPRESSED_BYTES_MAX);
  readonly #kind: Compression;
  readonly #transactionMsMax: number;
  readonly #groupTimes: GroupTimes;
  readonly #ownCommits = new OwnCommits();
  readonly #version = new VersionCounter();
  readonly #lanes = new Lanes();
  readonly #open = new Set<{ close(): Promise<void> }>();
  #closed = false;

  constructor(options: KafkaLogOptions, cluster: Cluster) {
    this.#cluster = cluster;
    this.#catalog = new TopicCatalog(cluster);
    this.#kind = options.compression ?? "none";
    this.#transactionMsMax = options.transactionMsMax ?? TRANSACTION_MS_MAX;
    this.#groupTimes = {
      sessionMsMax: options.sessionMsMax ?? SESSION_MS_MAX,
      rebalanceMsMax: options.rebalanceMsMax ?? REBALANCE_MS_MAX,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    };
    this.topics = new KafkaTopics(cluster, this.#catalog, options.replicationFactor ?? -1);
    this.offsets = new KafkaOffsets(cluster, this.#catalog, this.#ownCommits);
  }

  async open(): Promise<void> {
    await this.#cluster.open();
    await this.#catalog.load();
  }

  reader(options: ReaderOptions = {}): Reader {
    const { lane, closed } = this.#user(() => reader);
    const reader: Reader = new KafkaReader(options, {
      cluster: this.#cluster,
      catalog: this.#catalog,
      compression: this.#compression,
      arrived: () => this.#version.bump(),
      lane,
      closed,
    });
    this.#open.add(reader);
    return reader;
  }

  writer(options: WriterOptions): Writer {
    const { lane, closed } = this.#user(() => writer);
    const writer: Writer = new KafkaWriter(options, {
      cluster: this.#cluster,
      catalog: this.#catalog,
      compression: this.#compression,
      kind: this.#kind,
      ownCommits: this.#ownCommits,
      transactionMsMax: this.#transactionMsMax,
      lane,
      closed,
    });
    this.#open.add(writer);
    return writer;
  }

  producer(): Producer {
    const { lane, closed } = this.#user(() => producer);
    const producer: Producer = new KafkaProducer({
      cluster: this.#cluster,
      catalog: this.#catalog,
      compression: this.#compression,
      kind: this.#kind,
      lane,
      closed,
    });
    this.#open.add(producer);
    return producer;
  }

  membership(options: MembershipOptions): Membership {
    const { lane, closed } = this.#user(() => leaving);
    const membership = new KafkaMembership(options, {
      cluster: this.#cluster,
      times: this.#groupTimes,
      wake: () => this.#version.bump(),
      lane,
      closed,
    });
    const leaving = { close: () => membership.abandon() };
    this.#open.add(leaving);
    return membership;
  }

  fenceWriter(transactionalId: string, wanted: () => boolean): Promise<boolean> {
    return fenceWriter({ cluster: this.#cluster, transactionalId, transactionMsMax: this.#transactionMsMax, wanted });
  }

  version(): number {
    return this.#version.value;
  }

  changed(since: number): Promise<void> {
    return this.#version.changed(since);
  }

  /** Brokers keep their logs themselves. */
  maintain(): Promise<void> {
    return Promise.resolve();
  }

  /** Each thread opens its own connections. */
  share(): LogShare | undefined {
    return undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cluster.close();
    const wireClosed = this.#cluster.wire.close();
    await Promise.allSettled([...this.#open].map((each) => each.close()));
    await wireClosed;
    this.#version.bump();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #user(self: () => { close(): Promise<void> }): { readonly lane: number; readonly closed: () => void } {
    if (this.#closed) throw new LogError("LOG_UNAVAILABLE", "The log is closed. Open it again.");
    const lane = this.#lanes.take();
    const closed = (): void => {
      this.#lanes.give(lane);
      this.#open.delete(self());
    };
    return { lane, closed };
  }
}

function checkTimes(options: KafkaLogOptions): void {
  const { sessionMsMax = SESSION_MS_MAX, transactionMsMax = TRANSACTION_MS_MAX, heartbeatMs = HEARTBEAT_MS } = options;
  const { rebalanceMsMax = REBALANCE_MS_MAX } = options;
  const wrong: string[] = [];
  if (transactionMsMax > sessionMsMax) wrong.push(`transactionMsMax ${transactionMsMax} is above sessionMsMax ${sessionMsMax}`);
  if (heartbeatMs * 3 > sessionMsMax) wrong.push(`heartbeatMs ${heartbeatMs} is above a third of sessionMsMax ${sessionMsMax}`);
  // A member ends its transaction before it joins: who waits for it less long than that throws it out.
  if (rebalanceMsMax < transactionMsMax) wrong.push(`rebalanceMsMax ${rebalanceMsMax} is below transactionMsMax ${transactionMsMax}`);
  for (const [name, value] of Object.entries({ sessionMsMax, transactionMsMax, heartbeatMs, rebalanceMsMax }))
    if (!(Number.isInteger(value) && value > 0)) wrong.push(`${name} ${value} is no whole number of milliseconds`);
  if (options.brokers.length === 0) wrong.push("no broker is named");
  if (wrong.length > 0) throw new LogError("LOG_UNAVAILABLE", `The options for Kafka do not fit: ${wrong.join("; ")}. Change them.`);
}

function parseBroker(text: string): BrokerAddress {
  const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text.trim());
  if (match === null) throw new LogError("LOG_UNAVAILABLE", `"${text}" is not HOST:PORT. Name the brokers as HOST:PORT.`);
  return { host: match[1] ?? "", port: Number(match[2]) };
}
