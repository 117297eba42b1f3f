/** How far the transactions of this process have been committed, since their markers come a moment after the acknowledgement. */
import type { TopicPartition } from "../../log.ts";

export class OwnCommits {
  readonly #next = new Map<string, number>();

  /** The last record of a committed transaction in the partition. */
  committed({ topic, partition }: TopicPartition, lastOffset: number): void {
    const key = `${topic}/${partition}`;
    // The marker stands behind the last record: the stable end moves over both at once.
    this.#next.set(key, Math.max(this.#next.get(key) ?? 0, lastOffset + 1));
  }

  /** One past the last offset; 0 when nothing was committed there. */
  writtenUpTo({ topic, partition }: TopicPartition): number {
    return this.#next.get(`${topic}/${partition}`) ?? 0;
  }
}
