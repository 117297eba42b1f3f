/** The ledger as a run plays it. */
import { topicConfigs } from "#streams";
import type { SimulatedApplication, TrafficOptions } from "../application.ts";
import { LedgerCheck, OUTPUTS } from "./ledger-check.ts";
import { LedgerLoad } from "./ledger-load.ts";
import { accounts, ledgerTopology, PARTITIONS } from "./ledger-topology.ts";

const ID = "ledger";

export function ledgerApplication(options: TrafficOptions): SimulatedApplication {
  const topology = ledgerTopology();
  const topics = topicConfigs(topology, ID, { atomicRows: false });
  return {
    id: ID,
    topology,
    topics,
    watched: OUTPUTS,
    queried: { topology, store: accounts.name, subtopology: 0, changelog: `${ID}-${accounts.name}-changelog`, partitions: PARTITIONS },
    clocks: { skewMs: 30_000, stepMs: 20_000, jumpMs: 2 * 24 * 3_600_000, jumps: 0.1 },
    restMsMax: 180_000,
    traffic: (clients) => Promise.resolve(new LedgerLoad(clients, options)),
    check: (cluster) => new LedgerCheck(cluster, topics),
  };
}
