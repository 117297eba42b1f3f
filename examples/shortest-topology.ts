import { StreamsBuilder, topic } from "#streams";
import { keyValueStore, numberSerde, stringKey, stringSerde } from "#state";

const words = topic({ name: "words", key: stringSerde, value: stringSerde });
const totals = topic({ name: "totals", key: stringSerde, value: numberSerde });
const counts = keyValueStore({ name: "counts", key: stringKey, value: numberSerde });

const builder = new StreamsBuilder();
builder.stream(words).process({
  name: "count",
  stores: [counts],
  sinks: [totals],
  processor: (context) => {
    const store = context.store(counts);
    const out = context.sink(totals);
    return {
      process({ key }) {
        const total = (store.get(key) ?? 0) + 1;
        store.put(key, total);
        out.send(key, total);
      },
    };
  },
});
export const topology = builder.build();
