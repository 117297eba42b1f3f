/** The chain application on one real broker in CI size: killed, paused, too slow. What is right is read from the committed topics. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { ChainRun, SESSION_MS } from "./chain-run.ts";

const missing = whyNoBroker();
const SLACK_MS = 3_000;

describe.skipIf(missing !== undefined)(`an application on a broker${missing === undefined ? "" : `: ${missing}`}`, () => {
  let broker: TestBroker | undefined;
  beforeAll(async () => {
    broker = await startTestBroker();
  }, 180_000);
  afterAll(() => broker?.stop(), 60_000);
  const brokers = (): readonly string[] => broker?.brokers ?? [];

  test("T1: kill -9 three times under 50,000 events: each has its one effect, and others read the same", { timeout: 240_000 }, async () => {
    const load = { records: 50_000, producers: 2, keys: 500, seconds: 120 };
    await using run = await ChainRun.begin({ name: "t1", brokers: brokers(), instances: 1, load });
    const [instance] = run.instances;
    instance?.start();
    await instance?.said(/^running/);
    for (let kill = 0; kill < 3; kill++) {
      await run.untilOutputGrows();
      await sleep(1_500);
      await instance?.kill();
      instance?.start();
      const backMs = await run.untilOutputGrows();
      // Its rows are there: what is waited for is the group, and the process.
      expect(backMs).toBeLessThan(SESSION_MS + SLACK_MS + 10_000);
    }
    const { wrong, links, load: sent } = await run.end();
    expect(wrong).toEqual([]);
    expect(links).toBeGreaterThanOrEqual(50_000);
    expect(sent.aborted).toBeGreaterThan(0);
  });
});
