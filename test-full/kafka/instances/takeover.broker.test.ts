/** An instance dies in the middle of a transaction: who takes its tasks over does not wait until brokers look for old transactions. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { KafkaCluster, whyNoCluster } from "#log/kafka/testing";
import { ChainRun, SESSION_MS } from "../chain-run.ts";
import type { InstanceProcess } from "../instance-process.ts";
import { killInTransaction } from "./kill-in-transaction.ts";
import { watchPauses } from "./longest-pauses.ts";
import { untilAllMove } from "./until-all-move.ts";

const missing = whyNoCluster();
/** Far more than anybody waits here, so that nobody can take it for what was waited for. */
const SWEEP_MS = 120_000;
const WARM_MS = 4_000;

test.skipIf(missing !== undefined)(
  `who takes over ends what the dead instance left open${missing === undefined ? "" : `: ${missing}`}`,
  { timeout: 300_000 },
  async () => {
    const settings = { "transaction.abort.timed.out.transaction.cleanup.interval.ms": SWEEP_MS };
    await using cluster = await KafkaCluster.start({ settings });
    const load = { records: 6_000, producers: 2, keys: 200, seconds: 120, recordsATransaction: 20 };
    await using run = await ChainRun.begin({ name: "dies", brokers: cluster.brokers, instances: 2, load, foreignReader: false });
    for (const instance of run.instances) {
      instance.start();
      await instance.said(/^running/);
    }
    await run.untilAllOutputsGrow();
    await sleep(WARM_MS);
    const [dies, stays] = run.instances as [InstanceProcess, InstanceProcess]; // two
    const watch = watchPauses(run);
    await killInTransaction(run, dies);
    await untilAllMove(run, watch);
    const [longest] = await watch.stop();
    // For whoever reads the output: wanted below session + 3 s on a machine with nothing else to do.
    process.stdout.write(
      `    dead in a transaction until taken over: ${Math.round(longest?.ms ?? 0)} ms of a session of ${SESSION_MS} ms\n`,
    );
    expect(longest?.ms).toBeLessThan(SWEEP_MS / 3);
    expect(stays.lines.filter((line) => /a member is gone: what it left open is ended/.test(line))).toHaveLength(1);
    const { wrong } = await run.end();
    expect(wrong).toEqual([]);
  },
);
