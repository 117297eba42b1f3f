/** The engine on a real cluster from Kafka's jars: instances and brokers killed, cut off, stormed, refused, and the topics judged at the end. */
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { kafkaVersion, whyNoCluster } from "#log/kafka/testing";
import type { ScenarioFacts, ScenarioSize } from "../kafka/scenario.ts";
import { scenarios } from "../kafka/scenarios.ts";
import type { Entry } from "../ledger.ts";
import { markdownTable } from "../markdown.ts";
import type { Finding, Proof, ProofContext } from "../proof.ts";

interface KafkaJob {
  readonly scenario: string;
  readonly size: ScenarioSize;
}

interface SizeOfTest extends Omit<ScenarioSize, "seed"> {
  /** On two cores that nobody else uses. */
  readonly seconds: number;
}

type Sizes = Readonly<Record<string, SizeOfTest>>;

/** By the beginning of a scenario's name; the first that fits. */
const FULL: Sizes = {
  "T10 ": { events: 60_000, rounds: 3, brokers: 1, seconds: 120 },
  "T11 ": { events: 2_000, rounds: 1, brokers: 1, seconds: 90 },
  "T12 throttled": { events: 120_000, rounds: 3, brokers: 1, seconds: 120 },
  "T12 records": { events: 20_000, rounds: 1, brokers: 1, seconds: 60 },
  "T12 rights": { events: 20_000, rounds: 4, brokers: 1, seconds: 120 },
  "T12 certificate": { events: 100, rounds: 1, brokers: 1, seconds: 20 },
  "T1 ": { events: 520_000, rounds: 20, brokers: 3, seconds: 420 },
  "T2 ": { events: 60_000, rounds: 6, brokers: 1, seconds: 120 },
  "T3 ": { events: 60_000, rounds: 5, brokers: 3, seconds: 480 },
  "T4 ": { events: 60_000, rounds: 4, brokers: 1, seconds: 150 },
  "T5 ": { events: 60_000, rounds: 10, brokers: 1, seconds: 240 },
  "T6 ": { events: 60_000, rounds: 40, brokers: 1, seconds: 150 },
  "T7 ": { events: 200_000, rounds: 8, brokers: 1, seconds: 150 },
  "T8 ": { events: 60_000, rounds: 6, brokers: 1, seconds: 120 },
  "T9 ": { events: 60_000, rounds: 10, brokers: 1, seconds: 120 },
  // Its events are what its people say.
  dispatch: { events: 0, rounds: 20, brokers: 3, seconds: 480 },
  "": { events: 60_000, rounds: 5, brokers: 1, seconds: 150 },
};

/** Once through everything. */
const SMALL: Sizes = {
  "T1 ": { events: 6_000, rounds: 2, brokers: 1, seconds: 30 },
  "T3 ": { events: 3_000, rounds: 1, brokers: 3, seconds: 90 },
  "T5 ": { events: 3_000, rounds: 2, brokers: 1, seconds: 40 },
  "T6 ": { events: 3_000, rounds: 8, brokers: 1, seconds: 30 },
  dispatch: { events: 0, rounds: 2, brokers: 1, seconds: 60 },
  "": { events: 3_000, rounds: 1, brokers: 1, seconds: 25 },
};

const ITEM_SECONDS_MAX = 1_800;
/** Before the process that runs it is killed, which would leave brokers behind. */
const GIVEN_UP_SECONDS = ITEM_SECONDS_MAX - 30;
/** Facts that have a column of their own. */
const COLUMNS = new Set(["size", "load", "Kafka", "broken"]);

export const kafka: Proof<KafkaJob> = {
  name: "kafka",
  claim:
    "on a real cluster, with foreign producers (KafkaJS) that abort a fifth of their transactions and a foreign read_committed reader (Java) beside it: each committed event has its one effect, in order, whatever happens to instances, brokers, network, disks and rights; read from the committed topics alone",
  needs: "nothing",
  processes: 1,
  freshProcesses: true,
  ownReport: true,
  itemSecondsMax: ITEM_SECONDS_MAX,
  // None where there is no Java: the report says that nothing was proved.
  items: (context) => (whyNoCluster() === undefined ? Object.keys(scenarios).map((name) => itemOf(name, context)) : []),
  async prove({ scenario, size }): Promise<Finding> {
    const found = scenarios[scenario];
    if (found === undefined) throw new TypeError(`there is no scenario ${scenario}`);
    const before = loadavg()[0] ?? 0;
    const about = (): ScenarioFacts => ({
      size: `${size.events} events, ${size.rounds} rounds, ${size.brokers} ${size.brokers === 1 ? "broker" : "brokers"}`,
      load: `${before.toFixed(1)} to ${(loadavg()[0] ?? 0).toFixed(1)}`,
      Kafka: kafkaVersion(),
    });
    try {
      const facts = await Promise.race([found(size), givenUp()]);
      return { ok: true, facts: { ...facts, ...about() } };
    } catch (error) {
      return { ok: false, facts: { broken: error instanceof Error ? (error.stack ?? error.message) : String(error), ...about() } };
    }
  },
  tell(entries) {
    const versions = [...new Set(entries.flatMap(({ facts }) => (facts["Kafka"] === undefined ? [] : [String(facts["Kafka"])])))];
    return [
      `Kafka ${versions.join(", ")} from its own jars. The load is the machine's, before and after, of all its cores: without other work it is what the test itself makes.`,
      "",
      ...markdownTable(["test", "size", "verdict", "seconds", "load", "facts"], entries.map(rowOf)),
    ];
  },
};

function itemOf(name: string, { seed, size: how }: ProofContext) {
  const sizes = how === "small" ? SMALL : FULL;
  const found = Object.entries(sizes).find(([begin]) => name.startsWith(begin))?.[1];
  if (found === undefined) throw new TypeError(`${name} has no size`);
  const { seconds, ...size } = found;
  return { name: how === "small" ? `${name} (small)` : name, job: { scenario: name, size: { ...size, seed } }, seconds };
}

async function givenUp(): Promise<never> {
  await sleep(GIVEN_UP_SECONDS * 1_000, undefined, { ref: false });
  throw new Error(`not done after ${GIVEN_UP_SECONDS} s`);
}

function rowOf({ item, ok, facts, seconds }: Entry): readonly string[] {
  const told = Object.entries(facts).flatMap(([name, value]) => (COLUMNS.has(name) ? [] : [`${name}: ${value}`]));
  const text = ok ? told.join("; ") : "see below";
  return [item, String(facts["size"] ?? ""), ok ? "held" : "**FAILED**", seconds.toFixed(0), String(facts["load"] ?? ""), oneLine(text)];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
