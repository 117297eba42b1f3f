import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { BACK_MS_MAX, begin, facts, SETTLE_MS, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";

/** T3. */
export async function killBrokers(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: 3 });
  await using run = await begin("t3", cluster, size, { instances: 2 });
  await startAll(run);
  const back: number[] = [];
  for (let round = 0; round < size.rounds; round++) {
    for (const node of cluster.nodes) {
      await run.untilOutputGrows(BACK_MS_MAX);
      await node.kill();
      await sleep(SETTLE_MS);
      back.push(await run.untilOutputGrows(BACK_MS_MAX));
      await node.start();
    }
    tell(`round ${round + 1} of ${size.rounds}`, run);
  }
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  await sleep(SETTLE_MS);
  await Promise.all(cluster.nodes.map((node) => node.start()));
  back.push(await run.untilOutputGrows(BACK_MS_MAX));
  return facts(await run.end(), { kills: size.rounds * 3 + 3, "output again, ms at most": Math.round(Math.max(...back)) });
}
