/** Two subtopologies and a store: each word is routed and counted, so that what a task owes is a difference of counts. */
import { keyValueStore, numberSerde, stringKey, stringSerde } from "#state";
import { StreamsBuilder, topic, type Topology } from "#streams";
import { countByKey } from "#streams/testing";

export const PARTITIONS = 4;
const at = { key: stringKey, partitions: PARTITIONS };
export const words = topic({ name: "words", value: stringSerde, ...at });
export const routed = topic({ name: "routed", value: stringSerde, ...at });
export const counts = topic({ name: "counts", value: numberSerde, ...at });
const countStore = keyValueStore({ name: "count", key: stringKey, value: numberSerde });

export function countedWords(): Topology {
  const builder = new StreamsBuilder();
  builder.stream(words).to(routed);
  builder.stream(routed).process(countByKey(countStore)).to(counts);
  return builder.build();
}
