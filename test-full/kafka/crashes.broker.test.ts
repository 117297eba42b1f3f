/** The chain application on one real broker in CI size: killed, paused, too slow. What is right is read from the committed topics. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { ChainRun, SESSION_MS } from "./chain-run.ts";
import { forgetByTurns, SLOW_INSTANCE, slowDown } from "./cluster/forgotten.ts";
import { killAmongPoison } from "./cluster/poison.ts";
import { startAll } from "./scenario.ts";

const missing = whyNoBroker();
const SLACK_MS = 3_000;

describe.skipIf(missing !== undefined)(`an application on a broker${missing === undefined ? "" : `: ${missing}`}`, () => {
  let broker: TestBroker | undefined;
  beforeAll(async () => {
    broker = await startTestBroker();
  }, 180_000);
  afterAll(() => broker?.stop(), 60_000);
  const brokers = (): readonly string[] => broker?.brokers ?? [];

  test("T1: kill -9 three times under 50,000 events: each has its one effect, and others read the same", { timeout: 300_000 }, async () => {
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

  test(
    "T4: an instance that was forgotten for twice its session is fenced, comes back, and nothing of it is committed twice",
    { timeout: 300_000 },
    async () => {
      const load = { records: 20_000, producers: 2, keys: 200, seconds: 60 };
      await using run = await ChainRun.begin({ name: "t4", brokers: brokers(), instances: 2, load });
      await startAll(run);
      await forgetByTurns(run, 1);
      const { wrong } = await run.end();
      expect(wrong).toEqual([]);
      // Fenced by who took over, its thread goes on.
      expect(run.instances.flatMap(({ history }) => history).filter((line) => line.includes("stream thread failed"))).toEqual([]);
    },
  );

  test(
    "T9: a transaction that is too old is given up by the coordinator, and its events are done again",
    { timeout: 300_000 },
    async () => {
      const load = { records: 20_000, producers: 2, keys: 200, seconds: 60 };
      await using run = await ChainRun.begin({ name: "t9", brokers: brokers(), instances: 1, load, instance: SLOW_INSTANCE });
      await startAll(run);
      await slowDown(run, 3);
      const { wrong } = await run.end();
      expect(wrong).toEqual([]);
    },
  );

  test(
    "T10: poison among the events goes to the dead letters, once, with where it came from, and the rest keeps its order",
    { timeout: 300_000 },
    async () => {
      const load = { records: 20_000, producers: 2, keys: 200, seconds: 10, poisonEvery: 500 };
      await using run = await ChainRun.begin({ name: "t10", brokers: brokers(), instances: 1, load });
      await startAll(run);
      await killAmongPoison(run, 1);
      const { wrong, deadLetters } = await run.end();
      expect(wrong).toEqual([]);
      expect(deadLetters).toBeGreaterThanOrEqual(40);
    },
  );
});
