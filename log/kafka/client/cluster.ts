/** What is known about the cluster: brokers, topics with their leaders, coordinators. Asked for anew when an answer says so. */
import { LogError } from "../../errors.ts";
import { ASK_MS_MAX } from "../defaults.ts";
import type { Surroundings } from "../defaults.ts";
import { NONE, nameOfCode } from "./error-codes.ts";
import { retrying } from "./retrying.ts";
import { principalOf, refusedError } from "./rights.ts";
import type { BrokerAddress, Destination, KafkaWire, MetadataTopic, TransactionVersion } from "./wire-contract.ts";
import { WireError } from "./wire-error.ts";

export interface ClusterDependencies {
  readonly wire: KafkaWire;
  readonly surroundings: Surroundings;
  readonly bootstrap: readonly BrokerAddress[];
  /** As brokers call us; for messages. Default that of clients without a login. */
  readonly principal?: string;
}

export interface KnownTopic {
  readonly name: string;
  readonly topicId: string;
  /** Leader of each partition; −1 while there is none. */
  readonly leaders: readonly number[];
  /** Of the partition that has fewest; Infinity where it is not told. */
  readonly copies: number;
}

const METADATA = "metadata";
/** The newest request that is used; whoever has it has the others. */
const FETCH_KEY = 1;
const FETCH_VERSION = 17;

export class Cluster {
  readonly wire: KafkaWire;
  readonly surroundings: Surroundings;
  readonly principal: string;
  readonly #bootstrap: readonly BrokerAddress[];
  #brokers = new Map<number, BrokerAddress>();
  #topics = new Map<string, KnownTopic>();
  #namesById = new Map<string, string>();
  readonly #coordinators = new Map<string, BrokerAddress>();
  #asked = 0;
  #refreshing: Promise<void> | undefined;
  #transactionVersion: TransactionVersion = 1;
  #closed = false;
  readonly #pauses = new Set<() => void>();

  constructor({ wire, surroundings, bootstrap, principal = principalOf({}) }: ClusterDependencies) {
    this.wire = wire;
    this.surroundings = surroundings;
    this.#bootstrap = bootstrap;
    this.principal = principal;
  }

  get transactionVersion(): TransactionVersion {
    return this.#transactionVersion;
  }

  get topics(): ReadonlyMap<string, KnownTopic> {
    return this.#topics;
  }

  get brokers(): readonly BrokerAddress[] {
    return [...this.#brokers.values()];
  }

  /** Reaches any broker and learns the versions and all topics. Throws `LOG_UNAVAILABLE`. */
  async open(): Promise<void> {
    const answer = await this.ask("for its versions", async () => {
      const versions = await this.wire.versions(this.any(METADATA));
      return { code: versions.errorCode, value: versions };
    });
    if (answer.code !== NONE) throw new LogError("LOG_UNAVAILABLE", `Kafka refuses to say its versions: ${nameOfCode(answer.code)}.`);
    if ((answer.value.versionMax.get(FETCH_KEY) ?? 0) < FETCH_VERSION)
      throw new LogError("LOG_UNAVAILABLE", "The brokers are older than Kafka 3.9, which this adapter does not speak to. Use Kafka 4.");
    this.#transactionVersion = answer.value.transactionVersion >= 2 ? 2 : 1;
    await this.refresh();
  }

  /** Tries until the deadline; refreshes what is known between the tries. */
  ask<T>(
    what: string,
    attempt: () => Promise<{ readonly code: number; readonly value: T }>,
    options: { readonly msMax?: number; readonly refresh?: () => Promise<void> } = {},
  ): Promise<{ readonly code: number; readonly value: T }> {
    const { msMax = ASK_MS_MAX, refresh = () => this.refresh() } = options;
    return retrying({ what, msMax, refresh, stopped: () => this.#closed, pause: this.#pause }, this.surroundings, attempt);
  }

  /** One request at a time, however many ask for it. Rejects with a WireError. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  topic(name: string): KnownTopic | undefined {
    return this.#topics.get(name);
  }

  nameOf(topicId: string): string | undefined {
    return this.#namesById.get(topicId);
  }

  /** A broker that answers as a rule: the next one after each that did not. */
  any(purpose: string): Destination {
    const all = [...this.#brokers.values(), ...this.#bootstrap];
    const broker = all[this.#asked % all.length];
    if (broker === undefined) throw new WireError("unreachable", "No broker is named. Give at least one HOST:PORT.", undefined);
    return { ...broker, purpose };
  }

  broker(nodeId: number, purpose: string): Destination {
    const broker = this.#brokers.get(nodeId);
    if (broker === undefined) throw new WireError("unreachable", `Broker ${nodeId} is not known.`, undefined);
    return { ...broker, purpose };
  }

  /** Throws a WireError while the partition has no leader. */
  leader(topic: string, partition: number, purpose: string): Destination {
    const leader = this.#topics.get(topic)?.leaders[partition] ?? -1;
    if (leader < 0) throw new WireError("unreachable", `${topic}/${partition} has no leader just now.`, undefined);
    return this.broker(leader, purpose);
  }

  async coordinator(kind: "group" | "transaction", key: string, purpose: string, msMax = ASK_MS_MAX): Promise<Destination> {
    const id = `${kind} ${key}`;
    const known = this.#coordinators.get(id);
    if (known !== undefined) return { ...known, purpose };
    const answer = await this.ask(
      `who coordinates the ${kind} ${key}`,
      async () => {
        const found = await this.#rotating((to) => this.wire.coordinator(to, kind, key));
        return { code: found.errorCode, value: found };
      },
      { msMax },
    );
    if (answer.code !== NONE)
      throw refusedError({
        code: answer.code,
        what: `to say who coordinates the ${kind} ${key}`,
        needs: kind === "group" ? `Read on the group ${key}` : `Write and Describe on the transactional id ${key}`,
        principal: this.principal,
      });
    const { host, port } = answer.value;
    this.#coordinators.set(id, { host, port });
    return { host, port, purpose };
  }

  forgetCoordinator(kind: "group" | "transaction", key: string): void {
    this.#coordinators.delete(`${kind} ${key}`);
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#pauses) end();
  }

  /** Until the next try, or the end. */
  readonly #pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        stop();
        this.#pauses.delete(end);
        resolve();
      };
      const stop = this.surroundings.after(ms, end);
      this.#pauses.add(end);
    });

  async #refresh(): Promise<void> {
    const { brokers, topics } = await this.#rotating((to) => this.wire.metadata(to, null));
    if (brokers.length > 0) this.#brokers = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const known = topics.filter((topic) => !topic.internal && topic.errorCode === NONE).map(asKnown);
    this.#topics = new Map(known.map((topic) => [topic.name, topic]));
    this.#namesById = new Map(known.map((topic) => [topic.topicId, topic.name]));
  }

  async #rotating<T>(request: (to: Destination) => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await request(this.any(METADATA));
      } catch (error) {
        this.#asked += 1;
        if (!(error instanceof WireError) || tries >= this.#brokers.size + this.#bootstrap.length) throw error;
      }
    }
  }
}

function asKnown({ name, topicId, partitions, copies = Infinity }: MetadataTopic): KnownTopic {
  const leaders: number[] = Array.from({ length: partitions.length }, () => -1);
  for (const { partition, leader, errorCode } of partitions) if (errorCode === NONE) leaders[partition] = leader;
  return { name, topicId, leaders, copies };
}
