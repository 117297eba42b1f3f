/** What is committed in all partitions of an application, read from the batches as they lie with the brokers. */
import type { TopicConfig } from "#log";
import type { SimulatedCluster } from "#log/kafka/simulated";
import { CommittedPartition } from "#proof";

export class CommittedTopics {
  readonly #cluster: SimulatedCluster;
  readonly #topics: readonly TopicConfig[];
  readonly #partitions = new Map<string, CommittedPartition[]>();

  constructor(cluster: SimulatedCluster, topics: readonly TopicConfig[]) {
    this.#cluster = cluster;
    this.#topics = topics;
    for (const { name, partitions } of topics)
      this.#partitions.set(
        name,
        Array.from({ length: partitions }, () => new CommittedPartition()),
      );
  }

  /** Of a topic that nobody knows it is empty. */
  partition(topic: string, partition: number): CommittedPartition {
    return this.#partitions.get(topic)?.[partition] ?? NOTHING;
  }

  partitions(topic: string): readonly CommittedPartition[] {
    return this.#partitions.get(topic) ?? [];
  }

  /** Whatever came since. */
  read(): void {
    for (const { name } of this.#topics)
      for (const [partition, known] of this.partitions(name).entries()) {
        if (this.#cluster.endOffset(name, partition) === known.nextOffset) continue;
        for (const batch of this.#cluster.batches(name, partition, known.nextOffset)) known.add(batch);
      }
  }
}

const NOTHING = new CommittedPartition();
