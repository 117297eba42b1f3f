/** Makers of store descriptors: what a topology declares. */
import type { KeyValueDescriptor, PriorityQueueDescriptor, StoreKey, TimersDescriptor, TimestampedDescriptor } from "./store.ts";

/** A key-value store. */
export function keyValueStore<K extends StoreKey, V>(options: Omit<KeyValueDescriptor<K, V>, "kind">): KeyValueDescriptor<K, V> {
  return { ...options, kind: "key-value" };
}

/** A key-value store whose values carry the timestamp of the record that wrote them. */
export function timestampedStore<K extends StoreKey, V>(options: Omit<TimestampedDescriptor<K, V>, "kind">): TimestampedDescriptor<K, V> {
  return { ...options, kind: "timestamped" };
}

/** A priority queue, ordered in memory, durable by id. */
export function priorityQueueStore<V>(options: Omit<PriorityQueueDescriptor<V>, "kind">): PriorityQueueDescriptor<V> {
  return { ...options, kind: "priority-queue" };
}

/** Durable keyed timers on the stream's clock or the wall's. */
export function timerStore(options: Omit<TimersDescriptor, "kind">): TimersDescriptor {
  return { ...options, kind: "timers" };
}
