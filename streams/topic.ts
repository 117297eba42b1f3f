/** Topic descriptors: everything the engine and every producer must agree on about a topic, in one value. */
import type { CleanupPolicy, OutOfRange } from "#log";
import type { Serde } from "#state";

export interface Topic<K, V> {
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly partitions: number;
  /** Default: murmur2 of the serialized key, sign bit cleared, modulo partitions, as Kafka's own clients do. */
  readonly partitioner?: Partitioner<K>;
  /** Default: the record's own timestamp. Runs before the record is processed; a negative result is a bad record. */
  readonly timestamp?: TimestampExtractor<K, V>;
  readonly cleanup: CleanupPolicy;
  readonly retentionMs?: number;
  /**
   * Instead of `retentionMs`, for a topic that the application itself reads and of which nothing may be lost: the application
   * deletes records that its own group has committed and that are older than this. Default: none.
   */
  readonly purgeCommittedAfterMs?: number;
  readonly recordBytesMax?: number;
  /** What happens to a record that cannot be read or processed: default "dead-letter". */
  readonly onFailure: FailureReaction;
  /** Where an application begins that has committed nothing there: default "earliest". */
  readonly startAt?: StartAt;
  /**
   * What becomes of a reader whose offset the log does not hold any more: it goes on at the start or the end of what there is, or its
   * thread fails. Default "fail" where `onFailure` is "stop", so that nothing is missed in silence; else "start".
   */
  readonly outOfRange?: OutOfRange;
}

/** `timestamp`: at the first record that is not older, in milliseconds since the epoch; at the end when there is none. */
export type StartAt = "earliest" | "latest" | { readonly timestamp: number };

export type FailureReaction = "dead-letter" | "stop";

/** Identity counts: co-partitioned topics must use the same named partitioner. */
export interface Partitioner<K> {
  readonly name: string;
  readonly partition: (key: K, keyBytes: Uint8Array, partitions: number) => number;
}

export type TimestampExtractor<K, V> = (
  record: { readonly key: K; readonly value: V; readonly timestamp: number },
  partitionTime: number,
) => number;

export interface TopicOptions<K, V> {
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** Default 12. */
  readonly partitions?: number;
  readonly partitioner?: Partitioner<K>;
  readonly timestamp?: TimestampExtractor<K, V>;
  /** Default "delete". */
  readonly cleanup?: CleanupPolicy;
  readonly retentionMs?: number;
  readonly purgeCommittedAfterMs?: number;
  readonly recordBytesMax?: number;
  readonly onFailure?: FailureReaction;
  readonly startAt?: StartAt;
  readonly outOfRange?: OutOfRange;
}

export function topic<K, V>(options: TopicOptions<K, V>): Topic<K, V> {
  return { partitions: 12, cleanup: "delete", onFailure: "dead-letter", ...options };
}
