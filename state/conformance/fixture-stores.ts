/** The stores that the suite works on: one of each kind, and a second key type. */
import { keyValueStore, priorityQueueStore, timerStore, timestampedStore } from "../descriptors.ts";
import { jsonSerde, numberKey, stringKey } from "../serdes.ts";
import type { StoreDescriptor } from "../store.ts";

export interface Fact {
  readonly n: number;
  readonly note?: string;
}

/** Small caches, so that values leave them all the time. */
const cacheEntriesMax = 4;

export const words = keyValueStore({ name: "words", key: stringKey, value: jsonSerde<Fact>(), cacheEntriesMax });
export const numbers = keyValueStore({ name: "numbers", key: numberKey, value: jsonSerde<Fact>(), cacheEntriesMax });
export const stamped = timestampedStore({ name: "stamped", key: stringKey, value: jsonSerde<Fact>(), cacheEntriesMax });
export const queue = priorityQueueStore({ name: "queue", value: jsonSerde<Fact>(), cacheEntriesMax, entriesMax: 1_000 });
export const alarms = timerStore({ name: "alarms", clock: "stream", cacheEntriesMax, entriesMax: 1_000 });
export const bells = timerStore({ name: "bells", clock: "wall", cacheEntriesMax });

export const descriptors: readonly StoreDescriptor[] = [words, numbers, stamped, queue, bells, alarms];
export const storeIds: ReadonlyMap<string, number> = new Map(descriptors.map(({ name }, index) => [name, index + 1]));
