/** The dispatch application itself: instances and brokers are killed while people order and drive. */
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { seededDraws } from "../../seeded-draws.ts";
import type { ScenarioFacts, ScenarioSize } from "../scenario.ts";
import { DispatchRun, type DispatchOutcome, type DispatchRunOptions } from "./dispatch-run.ts";

export interface DispatchSize
  extends Pick<ScenarioSize, "rounds" | "seed" | "brokers">, Partial<Pick<DispatchRunOptions, "drivers" | "ordersPerSecond">> {}

const INSTANCES = 3;
const DRIVERS = 60;
const ORDERS_PER_SECOND = 6;
/** In the second round, and every so many rounds after it, one of several brokers dies with the instance: an only one may lose markers (docs/kafka.md). */
const BROKER_EVERY = 4;
const BROKER_DOWN_MS = 2_000;
const PAUSE_MS_MAX = 3_000;

export async function dispatchUnderKills(size: DispatchSize): Promise<ScenarioFacts> {
  const { rounds, seed, brokers, drivers = DRIVERS, ordersPerSecond = ORDERS_PER_SECOND } = size;
  await using cluster = await KafkaCluster.start({ brokers });
  await using run = await DispatchRun.begin({ brokers: cluster.brokers, instances: INSTANCES, drivers, ordersPerSecond, seed });
  const draws = seededDraws(`dispatch ${seed}`, rounds * 3);
  let [brokersKilled, longestMs] = [0, 0];
  await run.untilOneIsDone();
  for (let round = 0; round < rounds; round++) {
    const [pause = 0, who = 0, which = 0] = draws.slice(round * 3);
    await sleep(pause * PAUSE_MS_MAX);
    const instance = Math.floor(who * INSTANCES);
    const node = brokers > 1 && round % BROKER_EVERY === 1 ? cluster.nodes[Math.floor(which * cluster.nodes.length)] : undefined;
    await node?.kill();
    await run.kill(instance);
    run.start(instance);
    if (node !== undefined) {
      brokersKilled++;
      await sleep(BROKER_DOWN_MS);
      await node.start();
    }
    longestMs = Math.max(longestMs, await run.untilOneIsDone());
    process.stderr.write(`  kill ${round + 1} of ${rounds}: ${run.people.completed} jobs completed\n`);
  }
  return factsOf(await run.end(), {
    kills: rounds,
    "brokers killed": brokersKilled,
    "a job done again, ms at most": Math.round(longestMs),
  });
}

function factsOf(
  { wrong, people, checked, inputs, saidAgain, bills, drainMs, startedAgain }: DispatchOutcome,
  more: ScenarioFacts,
): ScenarioFacts {
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  const { orders, completed, cancelled, failed, aborted, renewed } = people;
  return {
    ...more,
    "gave up without a broker and started again": startedAgain,
    inputs,
    "said again": saidAgain,
    "aborted upstream": aborted,
    "producers renewed": renewed,
    orders,
    completed,
    cancelled,
    failed,
    bills,
    "facts checked": checked,
    "each job ended after, ms": Math.round(drainMs),
  };
}
