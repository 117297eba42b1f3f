/** The two topologies of the bench, as `java/src/anchor/Topologies.java` has them. */
import { writeSync } from "node:fs";
import { cellOf, FINE_RESOLUTION } from "#geo";
import { bytesSerde, keyValueStore, stringKey, stringSerde, type Serde } from "#state";
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
const TWO_TO_32 = 2 ** 32;

/** A whole number of 0 or more as Kafka's own Long: eight bytes, big-endian. */
const totalSerde: Serde<number> = {
  id: "total",
  encode(value, target, at) {
    const end = at + 8;
    if (end > target.length) return end;
    target.writeUInt32BE(Math.floor(value / TWO_TO_32), at);
    target.writeUInt32BE(value % TWO_TO_32, at + 4);
    return end;
  },
  decode: (bytes, start) => bytes.readUInt32BE(start) * TWO_TO_32 + bytes.readUInt32BE(start + 4),
};

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
  const totals = topic({ name: output, key: stringSerde, value: totalSerde, partitions: PARTITIONS });
  const counts = keyValueStore({ name: "counts", key: stringKey, value: totalSerde });
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
