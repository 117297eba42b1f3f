/** Two subtopologies and a store, made so that every lost, doubled or reordered event shows in the output: `#proof` reads the chains. */
import { keyValueStore, SerdeError, stringKey, stringSerde, type Serde } from "#state";
import { StreamsBuilder, topic, type Topology, type TopologyFactory } from "#streams";
import { chainHash, chainLink } from "#proof";

export const PARTITIONS = 4;
/** Events that have no link: their bytes cannot be read, their processing fails, or what they lead to is above a topic's limit. */
export const POISONS = ["malformed", "poison", "huge"] as const;
export type Poison = (typeof POISONS)[number];
/** Of a huge one; limits that are to refuse it are below. */
const HUGE_BYTES = 40_000;

export interface ChainNames {
  readonly events: string;
  readonly routed: string;
  readonly links: string;
}

export function chainNames(prefix: string): ChainNames {
  return { events: `${prefix}-events`, routed: `${prefix}-routed`, links: `${prefix}-links` };
}

export function isPoison(value: string): boolean {
  return POISONS.some((poison) => value.startsWith(poison));
}

export function poisonValue(poison: Poison, id: string): string {
  const value = `${poison} ${id}`;
  return poison === "huge" ? value.padEnd(HUGE_BYTES, ".") : value;
}

const readable: Serde<string> = {
  ...stringSerde,
  decode(bytes, start, end) {
    const value = stringSerde.decode(bytes, start, end);
    if (value.startsWith("malformed")) throw new SerdeError("ROW_UNDECODABLE", `The event ${value} cannot be read.`);
    return value;
  },
};

/** For workers; the argument is a ChainNames. */
export const buildChainTopology: TopologyFactory = ({ argument }) => chainTopology(argument as ChainNames); // see instance.ts

/** events → relay → routed → chain (store) → links. */
export function chainTopology(names: ChainNames): Topology {
  const at = { key: stringSerde, value: stringSerde, partitions: PARTITIONS };
  const [events, routed, links] = [
    topic({ name: names.events, ...at, value: readable }),
    topic({ name: names.routed, ...at }),
    topic({ name: names.links, ...at }),
  ];
  const chains = keyValueStore({ name: "chains", key: stringKey, value: stringSerde });
  const builder = new StreamsBuilder();
  builder.stream(events).process({
    name: "relay",
    sinks: [routed],
    processor: (context) => {
      const out = context.sink(routed);
      return {
        process({ key, value }) {
          // What it has sent by then must go with it.
          out.send(key, value);
          if (value.startsWith("poison")) throw new RangeError(`the event ${value} is poison`);
        },
      };
    },
  });
  builder.stream(routed).process({
    name: "chain",
    stores: [chains],
    sinks: [links],
    processor: (context) => {
      const store = context.store(chains);
      const out = context.sink(links);
      return {
        process({ key, value }) {
          const [number = "0", hash] = store.get(key)?.split(" ") ?? [];
          const next = chainHash(hash === undefined ? undefined : Number(hash), value);
          store.put(key, `${Number(number) + 1} ${next}`);
          out.send(key, chainLink(Number(number) + 1, next, value));
        },
      };
    },
  });
  return builder.build();
}
