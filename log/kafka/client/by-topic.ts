/** Requests name a topic once and its partitions under it. */
import type { AtPartition } from "./wire-contract.ts";

/** In the order in which the topics come first. */
export function byTopic<T extends AtPartition>(partitions: readonly T[]): [string, T[]][] {
  return byKey(partitions, (each) => each.topic);
}

/** In the order in which the keys come first. */
export function byKey<T>(values: readonly T[], keyOf: (value: T) => string): [string, T[]][] {
  return [...Map.groupBy(values, keyOf)];
}
