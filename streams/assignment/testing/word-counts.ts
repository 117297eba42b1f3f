/** Counts words by key, in six tasks with state: what members on a real broker share. */
import { keyValueStore, numberSerde, stringKey, stringSerde } from "#state";
import type { Topology } from "../../dsl/builder.ts";
import { StreamsBuilder } from "../../dsl/streams-builder.ts";
import type { TopologyFactory } from "../../runtime/hosts/worker-messages.ts";
import { countByKey } from "../../testing/count-by-key.ts";
import { topic, type Topic } from "../../topic.ts";

export const WORD_PARTITIONS = 6;

export interface WordTopics {
  readonly words: Topic<string, string>;
  readonly counts: Topic<string, number>;
}

/** Of one application: tests share a broker. */
export function wordTopics(applicationId: string): WordTopics {
  const shape = { key: stringKey, partitions: WORD_PARTITIONS };
  return {
    words: topic({ ...shape, name: `${applicationId}-words`, value: stringSerde, onFailure: "stop" }),
    counts: topic({ ...shape, name: `${applicationId}-counts`, value: numberSerde }),
  };
}

export function countingTopology({ words, counts }: WordTopics): Topology {
  const store = keyValueStore({ name: "count", key: stringKey, value: numberSerde });
  const builder = new StreamsBuilder();
  builder.stream(words).process(countByKey(store)).to(counts);
  return builder.build();
}

/** For workers; the argument is the application's id. */
export const countingInWorker: TopologyFactory = ({ argument }) => countingTopology(wordTopics(String(argument)));
