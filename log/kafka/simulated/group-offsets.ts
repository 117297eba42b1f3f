/** What a group has committed, and what transactions that are still open are about to commit. */
import type { AtPartition, FetchedOffset, OffsetToCommit, ProducerIdentity } from "../client/wire-contract.ts";

const NONE = 0;
const INVALID_PRODUCER_EPOCH = 47;
const UNSTABLE_OFFSET_COMMIT = 88;

interface Offset {
  readonly offset: number;
  readonly metadata: string;
}

export class GroupOffsets {
  readonly #committed = new Map<string, Offset>();
  readonly #pending = new Map<bigint, Map<string, Offset>>();
  readonly #epochs = new Map<bigint, number>();

  get empty(): boolean {
    return this.#committed.size === 0;
  }

  isOpen({ producerId, producerEpoch }: ProducerIdentity): boolean {
    return this.#pending.has(producerId) && this.#epochs.get(producerId) === producerEpoch;
  }

  /** An older epoch than the last one that was seen is refused. */
  add({ producerId, producerEpoch }: ProducerIdentity, offsets: readonly OffsetToCommit[]): number {
    if (producerEpoch < (this.#epochs.get(producerId) ?? -1)) return INVALID_PRODUCER_EPOCH;
    this.#epochs.set(producerId, producerEpoch);
    const pending = this.#pending.get(producerId) ?? new Map<string, Offset>();
    this.#pending.set(producerId, pending);
    for (const { topic, partition, offset, metadata } of offsets) pending.set(`${topic}/${partition}`, { offset, metadata });
    return NONE;
  }

  end({ producerId, producerEpoch }: ProducerIdentity, commit: boolean): void {
    if (producerEpoch < (this.#epochs.get(producerId) ?? -1)) return;
    this.#epochs.set(producerId, producerEpoch);
    const pending = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (commit) for (const [at, offset] of pending ?? []) this.#committed.set(at, offset);
  }

  /** Whatever is pending. −1 where nothing was committed. */
  unstable(topic: string, partition: number): number {
    return this.#committed.get(`${topic}/${partition}`)?.offset ?? -1;
  }

  /** Stable: a partition with something pending is refused, to be asked for again. */
  fetch(partitions: readonly AtPartition[]): readonly FetchedOffset[] {
    return partitions.map(({ topic, partition }) => {
      const at = `${topic}/${partition}`;
      const unstable = [...this.#pending.values()].some((pending) => pending.has(at));
      const found = unstable ? undefined : this.#committed.get(at);
      return {
        topic,
        partition,
        errorCode: unstable ? UNSTABLE_OFFSET_COMMIT : NONE,
        offset: found?.offset ?? -1,
        metadata: found?.metadata ?? "",
      };
    });
  }
}
