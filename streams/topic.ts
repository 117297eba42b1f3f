/** Topic descriptors: everything the engine and every producer must agree on about a topic, in one value. */
import type { CleanupPolicy } from "#log";
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
}

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
}

export function topic<K, V>(options: TopicOptions<K, V>): Topic<K, V> {
  return { partitions: 12, cleanup: "delete", onFailure: "dead-letter", ...options };
}
