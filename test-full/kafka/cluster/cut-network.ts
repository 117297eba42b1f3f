import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { SESSION_MS } from "../chain-run.ts";
import { BACK_MS_MAX, begin, facts, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";

/** T5. */
export async function cutNetwork(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers, proxiedListeners: 2 });
  await using run = await begin("t5", cluster, size, { instances: 2, brokersOf: (instance) => cluster.proxied(instance) });
  await startAll(run);
  const [first = [], second = []] = cluster.proxies;
  let requestsPerSecond = 0;
  for (let round = 0; round < size.rounds; round++) {
    const proxies = round % 2 === 0 ? first : second;
    const troubles: readonly (() => void)[] = [
      () => proxies.forEach((proxy) => proxy.cut()),
      () => proxies.forEach((proxy) => proxy.silence("down")),
      () => proxies.forEach((proxy) => proxy.silence("up")),
      () => proxies.forEach((proxy) => proxy.lose(0.3)),
      () => proxies[0]?.cut(),
    ];
    await run.untilOutputGrows(BACK_MS_MAX);
    const count = (): number => proxies.reduce((sum, proxy) => sum + proxy.connectionsOpened, 0);
    const [connections, begun] = [count(), performance.now()];
    troubles[round % troubles.length]?.();
    await sleep(SESSION_MS * 1.5);
    requestsPerSecond = Math.max(requestsPerSecond, ((count() - connections) / (performance.now() - begun)) * 1_000);
    for (const proxy of proxies) proxy.heal();
    await run.untilOutputGrows(BACK_MS_MAX);
    tell(`trouble ${round + 1} of ${size.rounds}`, run);
  }
  return facts(await run.end(), { troubles: size.rounds, "connections tried a second at most": Math.round(requestsPerSecond) });
}
