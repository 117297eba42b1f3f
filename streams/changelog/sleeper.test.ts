import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { produce } from "../runtime/fixtures/counting.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { foldOf, rowsOf } from "./testing/evidence.ts";
import { entries, ledgerStores, ledgerTopology } from "./testing/ledger-topology.ts";
import { MemoryCluster } from "./testing/memory-cluster.ts";
import { memoryLog } from "./testing/memory-log.ts";
import { MortalInstance } from "./testing/mortal-instance.ts";

test("a thread that slept over the end of its commit does not write its rows over those of the next owner in the same process", async () => {
  const topology = ledgerTopology();
  const cluster = new MemoryCluster();
  const log = memoryLog(cluster);
  cluster.ensure(topicConfigs(topology, "app", log.capabilities));
  const disk = memoryDisk();
  const add = (value: string, timestamp: number): Promise<void> => produce(log, entries, [["a", value, timestamp]]);
  const { promise: sleep, resolve: wake } = Promise.withResolvers<void>();

  await add("first", 1);
  const sleeper = new MortalInstance({ cluster, disk, topology, instanceId: "sleeper", sleep });
  await sleeper.live();
  const next = new MortalInstance({ cluster, disk, topology, instanceId: "next" });
  await next.live();
  await add("second", 50);
  await next.live();
  await next.thread.stop();

  wake();
  await sleeper.live();
  await sleeper.thread.stop();
  cluster.settle();
  for (const store of ledgerStores)
    for (const partition of [0, 1]) expect(rowsOf(disk, store, partition)).toEqual(await foldOf(log, "app", store, partition));
  expect(sleeper.thread.metrics().aborts).toBe(1);
});
