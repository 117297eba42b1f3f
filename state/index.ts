export type * from "./serde.ts";
export type * from "./store.ts";
export * from "./row-key.ts";
export { keyValueStore, priorityQueueStore, timerStore, timestampedStore } from "./descriptors.ts";
export { diskRowStore } from "./disk-row-store.ts";
export { SerdeError, StateError, type StateErrorCode, type StateErrorFacts } from "./errors.ts";
export { bytesSerde, jsonSerde, numberKey, numberSerde, stringKey, stringSerde } from "./serdes.ts";
export { loadStoreIds } from "./store-ids.ts";
export { openTaskState } from "./task-state.ts";
