/** Bounds of partitions and committed offsets of groups, asked of the brokers each time. */
import type { CommittedOffset, OffsetBound, Offsets, TopicPartition } from "../log.ts";
import type { Cluster } from "./client/cluster.ts";
import { NONE, UNKNOWN_TOPIC_OR_PARTITION, UNSTABLE_OFFSET_COMMIT } from "./client/error-codes.ts";
import { refusedError } from "./client/rights.ts";
import type { FetchedOffset, Isolation } from "./client/wire-contract.ts";
import { refusedAt, type TopicCatalog } from "./topic-catalog.ts";
import type { OwnCommits } from "./produce/own-commits.ts";

const ASK = "ask";
const START = -2;
const END = -1;

export class KafkaOffsets implements Offsets {
  readonly #cluster: Cluster;
  readonly #catalog: TopicCatalog;
  readonly #ownCommits: OwnCommits;

  constructor(cluster: Cluster, catalog: TopicCatalog, ownCommits: OwnCommits) {
    this.#cluster = cluster;
    this.#catalog = catalog;
    this.#ownCommits = ownCommits;
  }

  /** The stable end waits for the markers of what this log has committed itself: a commit is seen by who made it. */
  async bound(at: TopicPartition, bound: OffsetBound): Promise<number> {
    await this.#catalog.requireNow(at);
    if (bound === "start") return this.#list(at, "uncommitted", START);
    if (bound === "high-watermark") return this.#list(at, "uncommitted", END);
    const written = this.#ownCommits.writtenUpTo(at);
    let stable = -1;
    await this.#cluster.ask(
      `where ${at.topic}/${at.partition} is stable`,
      async () => {
        stable = await this.#list(at, "committed", END);
        return { code: stable >= written ? NONE : UNSTABLE_OFFSET_COMMIT, value: undefined };
      },
      { refresh: () => Promise.resolve() },
    );
    return stable;
  }

  async forTime(at: TopicPartition, timestamp: number): Promise<number | undefined> {
    await this.#catalog.requireNow(at);
    const offset = await this.#list(at, "committed", Math.max(0, timestamp));
    return offset < 0 ? undefined : offset;
  }

  async committed(group: string, partitions: readonly TopicPartition[]): Promise<readonly (CommittedOffset | undefined)[]> {
    if (partitions.length === 0) return [];
    const refresh = (): Promise<void> => {
      this.#cluster.forgetCoordinator("group", group);
      return Promise.resolve();
    };
    const ask = async (): Promise<{ code: number; value: readonly FetchedOffset[] }> => {
      const to = await this.#cluster.coordinator("group", group, ASK);
      const { errorCode, partitions: answers } = await this.#cluster.wire.offsets(to, group, partitions);
      const failed = answers.find((each) => each.errorCode !== NONE);
      // A partition that an answer leaves out has not been asked for; taken for never committed, all of it would be done again.
      const complete = partitions.every(({ topic, partition }) =>
        answers.some((each) => each.topic === topic && each.partition === partition),
      );
      const code = failed?.errorCode ?? (complete ? NONE : UNKNOWN_TOPIC_OR_PARTITION);
      return { code: errorCode === NONE ? code : errorCode, value: answers };
    };
    const { code, value } = await this.#cluster.ask(`what group ${group} committed`, ask, { refresh });
    if (code !== NONE)
      throw refusedError({
        code,
        what: `the offsets of the group ${group}`,
        needs: `Describe on the group ${group} and on its topics`,
        principal: this.#cluster.principal,
      });
    return partitions.map(({ topic, partition }) => {
      const found = value.find((each) => each.topic === topic && each.partition === partition);
      return found === undefined || found.offset < 0 ? undefined : { offset: found.offset, metadata: found.metadata };
    });
  }

  async groups(): Promise<readonly string[]> {
    return [...(await this.#groupStates()).keys()];
  }

  async hasMembers(group: string): Promise<boolean> {
    const state = (await this.#groupStates()).get(group);
    return state !== undefined && state !== "Empty" && state !== "Dead";
  }

  /** Each broker knows the groups that it coordinates. */
  async #groupStates(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    await this.#cluster.ask("which groups there are", async () => {
      for (const broker of this.#cluster.brokers) {
        const { errorCode, groups, states } = await this.#cluster.wire.groups({ ...broker, purpose: ASK });
        if (errorCode !== NONE) return { code: errorCode, value: undefined };
        // A broker that does not say may have members.
        for (const group of groups) found.set(group, states?.get(group) ?? "Unknown");
      }
      return { code: NONE, value: undefined };
    });
    return found;
  }

  async #list(at: TopicPartition, isolation: Isolation, timestamp: number): Promise<number> {
    const { code, value } = await this.#cluster.ask(`for an offset of ${at.topic}/${at.partition}`, async () => {
      const to = this.#cluster.leader(at.topic, at.partition, ASK);
      const { errorCode, offset } = await this.#cluster.wire.listOffset(to, at, isolation, timestamp);
      return { code: errorCode, value: offset };
    });
    if (code !== NONE) throw refusedAt({ what: "an offset", operation: "Describe" }, code, at, this.#cluster.principal);
    return value;
  }
}
