/** What of a topology binds state: another manifest over the same rows would read them wrongly. */
import type { TopologyManifest } from "../dsl/builder.ts";
import { MURMUR2_PARTITIONER } from "../partition-for.ts";
import type { Subtopology } from "./node.ts";
import { serdeIds, storeKind } from "./store-shape.ts";
import { storeTopicsOf } from "./store-topics.ts";

type StoreEntry = TopologyManifest["stores"][number];

/** Stores by name, so that the order of declaration does not matter. */
export function manifestOf(subtopologies: readonly Subtopology[]): TopologyManifest {
  const topics = storeTopicsOf(subtopologies);
  const stores = subtopologies.flatMap(({ name: subtopology, stores, partitions }) =>
    stores.map((store): StoreEntry => {
      const source = topics.get(store.name)?.[0];
      return Object.freeze({
        name: store.name,
        kind: storeKind(store),
        serdes: Object.freeze([...serdeIds(store)]),
        subtopology,
        partitions: source?.partitions ?? partitions,
        partitioner: source === undefined ? MURMUR2_PARTITIONER : `${source.partitioner?.name ?? MURMUR2_PARTITIONER}(${source.key.id})`,
      });
    }),
  );
  return Object.freeze({ stores: Object.freeze(stores.sort((a, b) => (a.name < b.name ? -1 : 1))), internalTopics: Object.freeze([]) });
}
