/** Topics of a Kafka cluster, by its administrative requests. */
import { LogError } from "../errors.ts";
import type { TopicConfig, TopicPartition, Topics } from "../log.ts";
import { refuseMismatch } from "../refuse-mismatch.ts";
import type { Cluster } from "./client/cluster.ts";
import { NONE, OFFSET_OUT_OF_RANGE, TOPIC_ALREADY_EXISTS, UNKNOWN_TOPIC_OR_PARTITION } from "./client/error-codes.ts";
import { refusedError } from "./client/rights.ts";
import { ADMIN_ANSWER_MS_MAX, ADMIN_MS_MAX } from "./defaults.ts";
import { asKafkaConfigs, refusedAt, type TopicCatalog } from "./topic-catalog.ts";

/** Stands for the end of the partition in a request to delete records. */
const EVERYTHING = -1;
const ADMIN = "admin";

export class KafkaTopics implements Topics {
  readonly #cluster: Cluster;
  readonly #catalog: TopicCatalog;
  readonly #replicationFactor: number;

  constructor(cluster: Cluster, catalog: TopicCatalog, replicationFactor: number) {
    this.#cluster = cluster;
    this.#catalog = catalog;
    this.#replicationFactor = replicationFactor;
  }

  /** Existing topics keep their retention and limits: those are their operator's. */
  async ensure(configs: readonly TopicConfig[]): Promise<void> {
    await this.#catalog.load();
    for (const config of configs) this.#refuseMismatch(config);
    const missing = [...new Map(configs.map((each) => [each.name, each])).values()].filter(
      ({ name }) => this.#catalog.find(name) === undefined,
    );
    if (missing.length === 0) return;
    await this.#create(missing);
    await this.#awaitLeaders(missing);
    // Another program may have created one of them otherwise.
    for (const config of missing) this.#refuseMismatch(config);
  }

  async describe(name: string): Promise<TopicConfig | undefined> {
    await this.#catalog.load();
    return this.#catalog.find(name);
  }

  async list(): Promise<readonly TopicConfig[]> {
    await this.#catalog.load();
    return this.#catalog.all();
  }

  async deleteRecords(at: TopicPartition, beforeOffset: number): Promise<void> {
    await this.#catalog.requireNow(at);
    const remove = (offset: number): Promise<{ readonly code: number }> =>
      this.#cluster.ask(`to delete records of ${at.topic}/${at.partition}`, async () => {
        const to = { ...this.#cluster.leader(at.topic, at.partition, ADMIN), answerMsMax: ADMIN_ANSWER_MS_MAX };
        return { code: (await this.#cluster.wire.deleteRecords(to, at, offset, ADMIN_MS_MAX)).errorCode, value: undefined };
      });
    let { code } = await remove(beforeOffset);
    // Beyond the end there is nothing to keep.
    if (code === OFFSET_OUT_OF_RANGE) ({ code } = await remove(EVERYTHING));
    if (code !== NONE) throw refusedAt({ what: "to delete records", operation: "Delete" }, code, at, this.#cluster.principal);
  }

  #refuseMismatch(wanted: TopicConfig): void {
    const found = this.#catalog.find(wanted.name);
    refuseMismatch(wanted, found);
    if (found === undefined || wanted.internal !== true) return;
    const { name } = wanted;
    const copies = this.#cluster.topic(name)?.copies ?? Infinity;
    const wrong =
      found.cleanup === "compact" && found.retentionMs !== undefined
        ? `deletes records after ${found.retentionMs} ms (retention.ms), but is to keep the last of each key for ever. Set cleanup.policy to compact alone.`
        : copies < this.#replicationFactor
          ? `has ${copies} copies of a partition, but ${this.#replicationFactor} are asked for. Reassign its partitions, or ask for what is there.`
          : undefined;
    if (wrong !== undefined) throw new LogError("TOPIC_MISMATCH", `Topic ${name} ${wrong}`, { topic: name });
  }

  async #create(missing: readonly TopicConfig[]): Promise<void> {
    const topics = missing.map((config) => ({
      name: config.name,
      partitions: config.partitions,
      replicationFactor: this.#replicationFactor,
      configs: asKafkaConfigs(config),
    }));
    let open = topics;
    const { code, value } = await this.#cluster.ask("to create topics", async () => {
      const to = { ...this.#cluster.any(ADMIN), answerMsMax: ADMIN_ANSWER_MS_MAX };
      const answers = await this.#cluster.wire.createTopics(to, open, ADMIN_MS_MAX);
      const failed = answers.filter(({ errorCode }) => errorCode !== NONE && errorCode !== TOPIC_ALREADY_EXISTS);
      open = open.filter(({ name }) => failed.some((each) => each.name === name));
      return { code: failed[0]?.errorCode ?? NONE, value: failed[0] };
    });
    if (code !== NONE && value !== undefined)
      throw refusedError(
        {
          code,
          what: `to create the topic ${value.name}${value.message === null ? "" : ` (${value.message})`}`,
          needs: `Create on the topic ${value.name}, or create it yourself`,
          principal: this.#cluster.principal,
        },
        { topic: value.name },
      );
  }

  /** A topic is of use when every partition has a leader that knows of it. */
  async #awaitLeaders(missing: readonly TopicConfig[]): Promise<void> {
    await this.#cluster.ask("who leads the new topics", async () => {
      await this.#catalog.load();
      const led = missing.every(({ name }) => {
        const leaders = this.#cluster.topic(name)?.leaders;
        return leaders?.every((leader) => leader >= 0) === true && this.#catalog.find(name) !== undefined;
      });
      return { code: led ? NONE : UNKNOWN_TOPIC_OR_PARTITION, value: undefined };
    });
  }
}
