/** What of a store descriptor binds its rows: two descriptors of one name must have the same. */
import type { StoreDescriptor } from "#state";

/** A timer store's clock belongs to its kind: the same rows under another clock would fire at other times. */
export function storeKind(store: StoreDescriptor): string {
  return store.kind === "timers" ? `timers/${store.clock}` : store.kind;
}

/** Key serde before value serde; keys of queues and timers are strings by definition. */
export function serdeIds(store: StoreDescriptor): readonly string[] {
  switch (store.kind) {
    case "key-value":
    case "timestamped":
      return [store.key.id, store.value.id];
    case "priority-queue":
      return [store.value.id];
    case "timers":
      return [];
    default:
      return store satisfies never;
  }
}
