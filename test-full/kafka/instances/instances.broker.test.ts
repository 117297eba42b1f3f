/** Instances of the chain application on one real broker in CI size: they die and come back, and their rows are damaged. */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { ChainRun, SESSION_MS } from "../chain-run.ts";
import type { InstanceProcess } from "../instance-process.ts";
import { lostWork, rowsThere } from "./told.ts";

const missing = whyNoBroker();
/** Nothing may wait for it. */
const LONG_SESSION_MS = 60_000;
const QUIET_MS = 4_000;

describe.skipIf(missing !== undefined)(`instances on a broker${missing === undefined ? "" : `: ${missing}`}`, () => {
  let broker: TestBroker | undefined;
  beforeAll(async () => {
    broker = await startTestBroker();
  }, 180_000);
  afterAll(() => broker?.stop(), 60_000);

  function begin(name: string, instances: number, sessionMs: number): Promise<ChainRun> {
    const load = { records: 6_000, producers: 2, keys: 200, seconds: 180, recordsATransaction: 20 };
    const instance = { sessionMs, transactionMs: SESSION_MS };
    return ChainRun.begin({ name, brokers: broker?.brokers ?? [], instances, load, instance, foreignReader: false });
  }

  test(
    "killed and started again, an instance has its place and its rows, nobody waits for its session, and the others hear nothing",
    {
      timeout: 300_000,
    },
    async () => {
      await using run = await begin("place", 2, LONG_SESSION_MS);
      await startAll(run);
      const [dies, stays] = run.instances as [InstanceProcess, InstanceProcess]; // two
      await untilQuiet(run);
      const heard = stays.history.length;
      await dies.kill();
      const killedAt = performance.now();
      dies.start();
      await dies.said(/the rows of a task are there/);
      await run.untilAllOutputsGrow();
      expect(performance.now() - killedAt).toBeLessThan(LONG_SESSION_MS);
      expect(stays.history.slice(heard)).toEqual([]);
      const { rows, nothing } = rowsThere(dies.lines);
      expect(rows.tasks).toBeGreaterThan(0);
      expect(nothing.tasks).toBe(0);
      const { wrong } = await run.end();
      expect(wrong).toEqual([]);
    },
  );

  test("stopped and started again in turn, instances drop nothing that was not committed", { timeout: 300_000 }, async () => {
    await using run = await begin("rolling", 2, SESSION_MS);
    await startAll(run);
    for (const instance of run.instances) {
      expect(await instance.stop()).toEqual({ status: 0, signal: null });
      await run.untilAllOutputsGrow();
      instance.start();
      await instance.said(/^running/);
      await run.untilAllOutputsGrow();
    }
    const { wrong } = await run.end();
    expect(wrong).toEqual([]);
    expect(lostWork(run.instances.flatMap(({ history }) => history))).toBe(0);
  });

  test(
    "rows that lost their CURRENT are set aside, made anew, and nothing of what was committed is lost",
    { timeout: 300_000 },
    async () => {
      await using run = await begin("damaged", 1, LONG_SESSION_MS);
      await startAll(run);
      const [instance] = run.instances as [InstanceProcess]; // one
      await sleep(1_000);
      await instance.kill();
      rmSync(`${run.directoryOf(0)}/database/CURRENT`);
      instance.start();
      await instance.said(/damaged rows are set aside/);
      await run.untilAllOutputsGrow();
      expect(rowsThere(instance.lines).nothing.tasks).toBe(4);
      const { wrong } = await run.end();
      expect(wrong).toEqual([]);
    },
  );
});

async function startAll(run: ChainRun): Promise<void> {
  for (const instance of run.instances) {
    instance.start();
    await instance.said(/^running/);
  }
  await run.untilAllOutputsGrow();
}

/** All hands have been changed: nobody has said anything for a while. */
async function untilQuiet(run: ChainRun): Promise<void> {
  const said = (): number => run.instances.reduce((sum, { history }) => sum + history.length, 0);
  let last = { lines: said(), at: performance.now() };
  while (performance.now() - last.at < QUIET_MS) {
    if (said() !== last.lines) last = { lines: said(), at: performance.now() };
    await sleep(50);
  }
}
