/** Which partition a key belongs to: one answer for the engine's sinks, for queries and for every producer that shares the descriptor. */
import type { Serde } from "#state";
import { RecordFailedError } from "./errors.ts";
import { murmur2 } from "./murmur2.ts";
import type { Topic } from "./topic.ts";

/** Name of the default partitioner, as manifests and co-partition checks show it. */
export const MURMUR2_PARTITIONER = "murmur2";

/** Two's complement without the sign bit, as Kafka's clients make a hash positive. */
const positiveMask = 0x7fff_ffff;

/** `partitions` defaults to the descriptor's. Throws `PARTITION_INVALID` when the topic's own partitioner leaves the range. */
export function partitionFor<K, V>(topic: Topic<K, V>, key: K, keyBytes: Uint8Array, partitions: number = topic.partitions): number {
  const { partitioner } = topic;
  if (partitioner === undefined) return (murmur2(keyBytes) & positiveMask) % partitions;
  const partition = partitioner.partition(key, keyBytes, partitions);
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition;
  throw new RecordFailedError(
    "PARTITION_INVALID",
    `partitioner ${partitioner.name} answered ${partition} for topic ${topic.name}, which has partitions 0 to ${partitions - 1}`,
    { topic: topic.name },
  );
}

const scratchBytes = 256;

/** The key's bytes in a buffer of their own. Hot paths keep a scratch buffer and call the serde themselves. */
export function encodeKey<K>(serde: Serde<K>, key: K): Buffer {
  let target = Buffer.allocUnsafe(scratchBytes);
  let end = serde.encode(key, target, 0);
  if (end > target.length) {
    target = Buffer.allocUnsafe(end);
    end = serde.encode(key, target, 0);
  }
  return target.subarray(0, end);
}
