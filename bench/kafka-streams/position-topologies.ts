/** The two topologies of the bench, as `java/src/anchor/Topologies.java` has them. */
import { writeSync } from "node:fs";
import { cellOf, FINE_RESOLUTION } from "#geo";
import { bytesSerde, keyValueStore, numberSerde, stringKey, stringSerde } from "#state";
import { StreamsBuilder, topic, type Topology, type TopologyFactory } from "#streams";
import { driverStateSerde, positionSerde } from "./position.ts";

export type TopologyName = "presence" | "count";

export interface PositionTopologyOptions {
  readonly name: TopologyName;
  readonly input: string;
  readonly output: string;
}

export const PARTITIONS = 4;
const STANDARD_OUTPUT = 1;

/** For workers. Says "first" at the first record. */
export const buildPositionTopology: TopologyFactory = ({ argument }) => {
  let seen = false;
  const onRecord = (): void => {
    if (seen) return;
    seen = true;
    writeSync(STANDARD_OUTPUT, "first\n");
  };
  return positionTopology(argument as PositionTopologyOptions, onRecord); // as slackline-side.ts hands it over
};

/** For the thread that starts the workers. */
export function positionTopology(options: PositionTopologyOptions, onRecord: () => void = () => {}): Topology {
  return options.name === "presence" ? presence(options, onRecord) : count(options, onRecord);
}

function presence({ input, output }: PositionTopologyOptions, onRecord: () => void): Topology {
  const positions = topic({ name: input, key: stringSerde, value: positionSerde, partitions: PARTITIONS });
  const changes = topic({ name: output, key: stringSerde, value: positionSerde, partitions: PARTITIONS });
  const drivers = keyValueStore({ name: "drivers", key: stringKey, value: driverStateSerde });
  const builder = new StreamsBuilder();
  builder.stream(positions).process({
    name: "presence",
    stores: [drivers],
    sinks: [changes],
    processor: (context) => {
      const store = context.store(drivers);
      const out = context.sink(changes);
      return {
        process({ key, value }) {
          onRecord();
          const cell = cellOf(value, FINE_RESOLUTION);
          const before = store.get(key);
          store.put(key, { cell, last: value });
          if (before?.cell !== cell) out.send(cell, value);
        },
      };
    },
  });
  return builder.build();
}

function count({ input, output }: PositionTopologyOptions, onRecord: () => void): Topology {
  const positions = topic({ name: input, key: stringSerde, value: bytesSerde, partitions: PARTITIONS });
  const totals = topic({ name: output, key: stringSerde, value: numberSerde, partitions: PARTITIONS });
  const counts = keyValueStore({ name: "counts", key: stringKey, value: numberSerde });
  const builder = new StreamsBuilder();
  builder.stream(positions).process({
    name: "count",
    stores: [counts],
    sinks: [totals],
    processor: (context) => {
      const store = context.store(counts);
      const out = context.sink(totals);
      return {
        process({ key }) {
          onRecord();
          const now = (store.get(key) ?? 0) + 1;
          store.put(key, now);
          out.send(key, now);
        },
      };
    },
  });
  return builder.build();
}
