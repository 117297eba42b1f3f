/** The engine on a real cluster from Kafka's jars: instances and brokers killed, cut off, stormed, and the topics judged at the end. */
import { whyNoCluster } from "#log/kafka/testing";
import type { ScenarioSize } from "../kafka/scenario.ts";
import { scenarios } from "../kafka/scenarios.ts";
import type { Proof } from "../proof.ts";

interface KafkaJob {
  readonly scenario: string;
  readonly size: ScenarioSize;
}

const SIZES: Readonly<Record<string, Omit<ScenarioSize, "seed">>> = {
  T1: { events: 500_000, rounds: 20, brokers: 3 },
  T2: { events: 60_000, rounds: 6, brokers: 1 },
  T3: { events: 60_000, rounds: 5, brokers: 3 },
  T5: { events: 60_000, rounds: 10, brokers: 1 },
  T6: { events: 60_000, rounds: 40, brokers: 1 },
  T7: { events: 200_000, rounds: 8, brokers: 1 },
  T8: { events: 60_000, rounds: 6, brokers: 1 },
};

export const kafka: Proof<KafkaJob> = {
  name: "kafka",
  claim:
    "on a real cluster, with foreign producers that abort and a foreign reader beside it: each committed event has its one effect, in order, whatever happens to instances, brokers and network",
  needs: "nothing",
  processes: 1,
  itemSecondsMax: 1_800,
  // None where there is no Java: the report says that nothing was proved.
  items: ({ seed }) =>
    whyNoCluster() === undefined ? Object.keys(scenarios).map((name) => ({ name, job: { scenario: name, size: sizeOf(name, seed) } })) : [],
  async prove({ scenario, size }) {
    const found = scenarios[scenario];
    if (found === undefined) throw new TypeError(`there is no scenario ${scenario}`);
    return { ok: true, facts: await found(size) };
  },
  tell: (entries) =>
    entries.map(({ item, ok, facts, seconds }) => {
      const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
      return `- ${item}: ${ok ? "held" : "FAILED"} in ${seconds.toFixed(0)} s: ${told.join(", ")}`;
    }),
};

function sizeOf(name: string, seed: number): ScenarioSize {
  return { events: 60_000, rounds: 5, brokers: 1, ...SIZES[name.slice(0, 2)], seed };
}
