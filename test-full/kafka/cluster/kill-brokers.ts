/** T3. Brokers die hard, each time the one that serves a part of the transaction, at last all of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster, whoServes, type BrokerProcess, type BrokerRole } from "#log/kafka/testing";
import type { ChainRun } from "../chain-run.ts";
import { BACK_MS_MAX, begin, facts, SETTLE_MS, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";
import { untilInSync } from "./in-sync.ts";
import { mostOf, TrafficCount, type Traffic } from "./traffic.ts";

const INSTANCES = 2;
/**
 * What one instance may try a second at brokers that are dead. Whoever waits for a broker tries it about twice a second (full jitter up
 * to a second), and asks each broker in turn who leads; an instance has about ten such waits side by side.
 */
const TRIES_A_SECOND_MAX = 150;

export async function killBrokers(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: 3, proxiedListeners: INSTANCES });
  await using run = await begin("t3", cluster, size, { instances: INSTANCES, brokersOf: (instance) => cluster.proxied(instance) });
  await startAll(run);
  const roles: Readonly<Record<string, BrokerRole>> = {
    leader: { role: "leader", topic: run.names.links, partition: 0 },
    "transaction coordinator": { role: "transaction", key: `${run.applicationId}-i0-0` },
    "group coordinator": { role: "group", key: run.applicationId },
  };
  const told: Record<string, number | string> = {};
  let tried: Traffic = { requestsPerSecond: 0, connectionsPerSecond: 0 };
  for (const [name, role] of Object.entries(roles)) {
    let longestMs = 0;
    for (let round = 0; round < size.rounds; round++) {
      await run.untilOutputGrows(BACK_MS_MAX);
      await untilInSync(cluster.brokers);
      const address = await whoServes(cluster.brokers, role);
      const node = cluster.nodes.find((each) => each.address === address);
      if (node === undefined) throw new Error(`the ${name} is ${address}, which is no broker of this cluster`);
      const count = new TrafficCount(proxiesOf(cluster, [node]));
      await node.kill();
      tried = mostOf(tried, await count.during(async () => (longestMs = Math.max(longestMs, await outputAgain(run)))));
      await node.start();
      tell(`${name} killed ${round + 1} of ${size.rounds}`, run);
    }
    told[`${name} killed ${size.rounds} times, output again, ms at most`] = Math.round(longestMs);
  }
  await untilInSync(cluster.brokers);
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  const all = await new TrafficCount(proxiesOf(cluster, cluster.nodes)).during(() => sleep(4 * SETTLE_MS));
  await Promise.all(cluster.nodes.map((node) => node.start()));
  told["all killed, output again after their start, ms"] = Math.round(await run.untilOutputGrows(BACK_MS_MAX));
  tell("all killed", run);
  const most = Math.max(tried.connectionsPerSecond, all.connectionsPerSecond);
  if (most > TRIES_A_SECOND_MAX * INSTANCES) throw new Error(`${most} connections to dead brokers were tried within a second`);
  told["connections tried a second at one dead broker, at most"] = tried.connectionsPerSecond;
  told["at three"] = all.connectionsPerSecond;
  return facts(await run.end(), told);
}

/** All that instances may ask of these brokers goes through these. */
function proxiesOf(cluster: KafkaCluster, nodes: readonly BrokerProcess[]) {
  return cluster.proxies.flatMap((proxies) => proxies.filter((_, index) => nodes.some((node) => node === cluster.nodes[index])));
}

/** What was under way when it died may still be committed: that is not yet the answer. */
async function outputAgain(run: ChainRun): Promise<number> {
  const begun = performance.now();
  await sleep(SETTLE_MS);
  await run.untilOutputGrows(BACK_MS_MAX);
  return performance.now() - begun;
}
