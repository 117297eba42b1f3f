/** T10. Records that cannot be read, cannot be processed, or lead to what no topic takes, with a kill -9 in their midst. */
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterOperator, KafkaCluster } from "#log/kafka/testing";
import type { ChainRun } from "../chain-run.ts";
import { POISONS } from "../chain-topology.ts";
import { begin, facts, SETTLE_MS, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";

/** One in a thousand of each kind. */
const POISON_EVERY = Math.floor(1_000 / POISONS.length);
const ROUTED_BYTES_MAX = 20_000;

export async function poison(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using operator = new ClusterOperator(cluster.brokers);
  await using run = await begin("t10", cluster, size, { instances: 1, load: { poisonEvery: POISON_EVERY, poisons: POISONS } });
  await operator.setTopicConfig(run.names.routed, "max.message.bytes", `${ROUTED_BYTES_MAX}`);
  await startAll(run);
  await killAmongPoison(run, size.rounds);
  const outcome = await run.end();
  if (outcome.deadLetters === 0) throw new Error("there was no poison");
  return facts(outcome, { kills: size.rounds, "dead letters, each with its origin": outcome.deadLetters });
}

/** The only instance. */
export async function killAmongPoison(run: ChainRun, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await sleep(SETTLE_MS);
    await run.instances[0]?.kill();
    run.instances[0]?.start();
    await run.untilOutputGrows();
    tell(`kill ${round + 1} of ${rounds}`, run);
  }
}
