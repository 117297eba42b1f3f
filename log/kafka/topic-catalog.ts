/** The topics of the cluster with their configuration, known ahead so that readers and writers can refuse synchronously. */
import { LogError } from "../errors.ts";
import type { TopicConfig, TopicPartition } from "../log.ts";
import type { OutputTopic } from "../record-batch/output-buffer.ts";
import type { Cluster } from "./client/cluster.ts";
import { NONE } from "./client/error-codes.ts";
import { refusedError } from "./client/rights.ts";
import type { TopicConfigs } from "./client/wire-contract.ts";
import { BATCH_OVERHEAD_BYTES, BLOCK_BYTES_MAX, CONFIGS_PER_REQUEST, MESSAGE_BYTES_MAX } from "./defaults.ts";

const CLEANUP = "cleanup.policy";
const RETENTION_MS = "retention.ms";
const RETENTION_BYTES = "retention.bytes";
const MESSAGE_BYTES = "max.message.bytes";
const NAMES = [CLEANUP, RETENTION_MS, RETENTION_BYTES, MESSAGE_BYTES];

/** Kafka's word for "for ever" and "without a bound". */
const UNLIMITED = -1;

/** One object for each topic, replaced in place when its configuration is read anew. */
class CatalogEntry implements OutputTopic<TopicPartition> {
  config: TopicConfig;
  recordBytesMax = 0;
  blockBytesMax = 0;
  keyRequired = false;
  readonly #slots: TopicPartition[];

  constructor(name: string, partitions: number, configs: TopicConfigs) {
    this.#slots = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }));
    this.config = asTopicConfig(name, partitions, configs);
    this.update(configs);
  }

  update(configs: TopicConfigs): void {
    this.config = asTopicConfig(this.config.name, this.#slots.length, configs);
    const batchBytesMax = Number(configs.values.get(MESSAGE_BYTES) ?? MESSAGE_BYTES_MAX);
    this.recordBytesMax = batchBytesMax - BATCH_OVERHEAD_BYTES;
    this.blockBytesMax = Math.min(BLOCK_BYTES_MAX, batchBytesMax);
    this.keyRequired = this.config.cleanup === "compact";
  }

  slot(partition: number): TopicPartition {
    const slot = this.#slots[partition];
    if (slot === undefined) throw unknownTopic(this.config.name, partition);
    return slot;
  }
}

export class TopicCatalog {
  readonly #cluster: Cluster;
  readonly #entries = new Map<string, CatalogEntry>();
  #loadingBehind = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  all(): readonly TopicConfig[] {
    return [...this.#entries.values()].map((entry) => entry.config);
  }

  find(name: string): TopicConfig | undefined {
    return this.#entries.get(name)?.config;
  }

  /** Throws `UNKNOWN_TOPIC`, and asks the cluster in the background in case the topic is new. */
  output(topic: string, partition: number): OutputTopic<TopicPartition> {
    const entry = this.#entries.get(topic);
    if (entry === undefined) {
      this.#loadBehind();
      throw unknownTopic(topic, partition);
    }
    return entry;
  }

  /** Throws `UNKNOWN_TOPIC`. */
  require({ topic, partition }: TopicPartition): void {
    this.output(topic, partition).slot(partition);
  }

  /** Asks the cluster when the partition is not known yet. Throws `UNKNOWN_TOPIC`. */
  async requireNow(at: TopicPartition): Promise<void> {
    if (this.#entries.get(at.topic) === undefined) await this.load();
    this.require(at);
  }

  /** All topics and their configuration as the cluster has them now. Throws `LOG_UNAVAILABLE`. */
  async load(): Promise<void> {
    await this.#cluster.ask("which topics there are", async () => {
      await this.#cluster.refresh();
      return { code: NONE, value: undefined };
    });
    const names = [...this.#cluster.topics.keys()];
    for (const name of this.#entries.keys()) if (!this.#cluster.topics.has(name)) this.#entries.delete(name);
    for (let at = 0; at < names.length; at += CONFIGS_PER_REQUEST) await this.#loadConfigs(names.slice(at, at + CONFIGS_PER_REQUEST));
  }

  /** Where brokers do not answer what was known stays. */
  async loadIfPossible(): Promise<void> {
    try {
      await this.load();
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
    }
  }

  /** One at a time. Whoever needs it asks again. */
  #loadBehind(): void {
    if (this.#loadingBehind) return;
    this.#loadingBehind = true;
    const loaded = (): void => {
      this.#loadingBehind = false;
    };
    this.load().then(loaded, loaded);
  }

  async #loadConfigs(names: readonly string[]): Promise<void> {
    const { value } = await this.#cluster.ask("how its topics are configured", async () => {
      const configs = await this.#cluster.wire.topicConfigs(this.#cluster.any("metadata"), names, NAMES);
      return { code: NONE, value: configs };
    });
    for (const configs of value) {
      const partitions = this.#cluster.topic(configs.name)?.leaders.length;
      // Deleted meanwhile, or not ours to see.
      if (configs.errorCode !== NONE || partitions === undefined) continue;
      const known = this.#entries.get(configs.name);
      if (known !== undefined && known.config.partitions === partitions) known.update(configs);
      else this.#entries.set(configs.name, new CatalogEntry(configs.name, partitions, configs));
    }
  }
}

/** How a topic that is to be created says it to Kafka. What is not bounded here is bounded by nothing. */
export function asKafkaConfigs(config: TopicConfig): { readonly name: string; readonly value: string }[] {
  const values: [string, number | string | undefined][] = [
    [CLEANUP, config.cleanup],
    [RETENTION_MS, config.retentionMs ?? UNLIMITED],
    [RETENTION_BYTES, config.retentionBytes],
    [MESSAGE_BYTES, config.recordBytesMax === undefined ? undefined : config.recordBytesMax + BATCH_OVERHEAD_BYTES],
  ];
  return values.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: String(value) }]));
}

export function unknownTopic(topic: string, partition: number): LogError {
  return new LogError(
    "UNKNOWN_TOPIC",
    `Topic ${topic} with partition ${partition} is not in this cluster, or may not be seen. Create it with topics.ensure, or check the rights.`,
    { topic, partition },
  );
}

/** A partition-level refusal that no retry will change. */
export function refusedAt(
  { what, operation }: { readonly what: string; readonly operation: string },
  code: number,
  { topic, partition }: TopicPartition,
  principal: string,
): LogError {
  const needs = `${operation} on the topic ${topic}`;
  return refusedError({ code, what: `${what} of ${topic}/${partition}`, needs, principal }, { topic, partition });
}

function asTopicConfig(name: string, partitions: number, { values, ownNames }: TopicConfigs): TopicConfig {
  const retentionMs = Number(values.get(RETENTION_MS) ?? UNLIMITED);
  const retentionBytes = Number(values.get(RETENTION_BYTES) ?? UNLIMITED);
  const policy = values.get(CLEANUP) ?? "delete";
  const cleanup = policy.includes("compact") ? "compact" : "delete";
  const inherits = cleanup === "compact" && !policy.includes("delete") && !ownNames.has(RETENTION_MS);
  return {
    name,
    partitions,
    cleanup,
    ...(retentionMs < 0 || inherits ? {} : { retentionMs }),
    ...(retentionBytes < 0 ? {} : { retentionBytes }),
    ...(ownNames.has(MESSAGE_BYTES) ? { recordBytesMax: Number(values.get(MESSAGE_BYTES)) - BATCH_OVERHEAD_BYTES } : {}),
  };
}
