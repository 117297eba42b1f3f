/**
 * Retention that the application does itself, for topics of which nothing may be lost: what is both committed by its own group
 * and old enough goes. Kafka's own retention looks at the age alone.
 */
import type { Log, TopicPartition } from "#log";
import type { Topic } from "../topic.ts";
import { asError } from "./as-error.ts";
import { PURGE_PARTITIONS_PER_ROUND } from "./defaults.ts";
import type { StructuredLogger } from "./thread.ts";

export interface CommittedPurgeOptions {
  readonly log: Pick<Log, "offsets" | "topics">;
  /** The group whose committed offsets nothing is deleted past; where it never committed, nothing is deleted at all. */
  readonly group: string;
  /** Those without `purgeCommittedAfterMs` are left alone. */
  readonly topics: readonly Pick<Topic<unknown, unknown>, "name" | "partitions" | "purgeCommittedAfterMs">[];
  readonly logger: StructuredLogger;
}

interface Purged extends TopicPartition {
  readonly afterMs: number;
}

export class CommittedPurge {
  readonly #options: CommittedPurgeOptions;
  readonly #partitions: readonly Purged[];
  #next = 0;

  constructor(options: CommittedPurgeOptions) {
    this.#options = options;
    this.#partitions = options.topics.flatMap(({ name, partitions, purgeCommittedAfterMs: afterMs }) =>
      afterMs === undefined ? [] : Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, afterMs })),
    );
  }

  /** The next few partitions. One that fails is logged, and has its turn again. */
  async round(now: number): Promise<void> {
    for (let turns = Math.min(PURGE_PARTITIONS_PER_ROUND, this.#partitions.length); turns > 0; turns--) {
      const partition = this.#partitions[this.#next++ % this.#partitions.length];
      if (partition === undefined) return;
      try {
        await this.#purge(partition, now);
      } catch (error) {
        const { topic, partition: number } = partition;
        this.#options.logger.warn(
          { topic, partition: number, error: asError(error) },
          "old records could not be deleted; it is tried again later",
        );
      }
    }
  }

  /** The committed offset is asked for first: so what lies before it was there when the times were looked at. */
  async #purge({ topic, partition, afterMs }: Purged, now: number): Promise<void> {
    const { log, group } = this.#options;
    const at = { topic, partition };
    const [committed] = await log.offsets.committed(group, [at]);
    if (committed === undefined) return;
    const start = await log.offsets.bound(at, "start");
    if (committed.offset <= start) return;
    const young = await log.offsets.forTime(at, Math.max(0, now - afterMs));
    const before = young === undefined ? committed.offset : Math.min(committed.offset, young);
    if (before > start) await log.topics.deleteRecords(at, before);
  }
}
