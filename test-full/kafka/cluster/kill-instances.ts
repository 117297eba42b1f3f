import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { seededDraws } from "../../seeded-draws.ts";
import { BACK_MS_MAX, begin, facts, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";

/** T1. */
export async function killInstances(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t1", cluster, size, { instances: 3 });
  const draws = seededDraws(`kills ${size.seed}`, size.rounds * 3);
  const back: number[] = [];
  let brokersKilled = 0;
  await startAll(run);
  for (let round = 0; round < size.rounds; round++) {
    const [pause = 0, who = 0, which = 0] = draws.slice(round * 3);
    await sleep(500 + pause * 3_000);
    const instance = run.instances[Math.floor(who * run.instances.length)];
    const node = cluster.nodes[Math.floor(which * cluster.nodes.length)];
    const withBroker = round % 4 === 3;
    if (withBroker) await node?.kill();
    await instance?.kill();
    instance?.start();
    if (withBroker) {
      brokersKilled++;
      await sleep(2_000);
      await node?.start();
    }
    back.push(await run.untilOutputGrows(BACK_MS_MAX));
    tell(`kill ${round + 1} of ${size.rounds}`, run);
  }
  return facts(await run.end(), { kills: size.rounds, brokersKilled, "output again, ms at most": Math.round(Math.max(...back)) });
}
