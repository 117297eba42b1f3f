/** The adapter over simulated brokers passes the suite of the port, under both transaction versions. */
import { describe } from "vitest";
import { logConformance } from "../../conformance/index.ts";
import type { LogUnderTest } from "../../conformance/index.ts";
import { realSurroundings } from "../defaults.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

const OPTIONS = { clientId: "test", heartbeatMs: 20 };

describe.each([1, 2] as const)("transaction version %s", (transactionVersion) => {
  async function open(
    cluster = new SimulatedCluster({ surroundings: realSurroundings, brokers: 3, transactionVersion, markerMs: () => 2 }),
  ): Promise<LogUnderTest> {
    const log = await cluster.open(OPTIONS);
    return {
      log,
      reopen: async () => {
        await log.close();
        return open(cluster);
      },
      close: () => log.close(),
    };
  }

  logConformance({ name: `simulated brokers with transaction version ${transactionVersion}`, open: () => open() });
});
