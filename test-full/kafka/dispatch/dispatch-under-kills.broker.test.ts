/** Small, on one broker; at size by `npm run test:full -- --only kafka`. */
import { expect, test } from "vitest";
import { whyNoCluster } from "#log/kafka/testing";
import { dispatchUnderKills } from "./dispatch-under-kills.ts";

const missing = whyNoCluster();

test.skipIf(missing !== undefined)(
  `kill -9 of instances of run: each job ends once, is billed once, and others read the same${missing === undefined ? "" : `: ${missing}`}`,
  { timeout: 900_000 },
  async () => {
    const facts = await dispatchUnderKills({ rounds: 3, seed: 1, brokers: 1, drivers: 20, ordersPerSecond: 3 });
    expect(facts["completed"]).toBeGreaterThan(10);
    expect(facts["aborted upstream"]).toBeGreaterThan(0);
  },
);
