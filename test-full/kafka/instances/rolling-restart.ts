/** T2: instances are stopped by SIGTERM and started again, one after the other, while events flow. */
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import type { InstanceProcess } from "../instance-process.ts";
import { begin, facts, SETTLE_MS, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";
import { steadyLoad } from "./steady-load.ts";
import { watchPauses, type Pause } from "./longest-pauses.ts";
import { lostWork, rowsThere } from "./told.ts";

const INSTANCES = 3;
/** So that standbys are there and have caught up. */
const WARM_MS = 10_000;
const REST_MS = 5_000;

export async function rollingRestart(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t2", cluster, size, { instances: INSTANCES, load: steadyLoad(size) });
  await startAll(run);
  await sleep(WARM_MS);
  const watch = watchPauses(run);
  const steps: { readonly what: string; readonly at: number }[] = [];
  const mark = (what: string): void => void steps.push({ what, at: performance.now() });
  const stopMs: number[] = [];
  const before = run.instances.map(({ history }) => history.length);
  for (let round = 0; round < size.rounds; round++) {
    const instance = run.instances[round % INSTANCES] as InstanceProcess; // in bounds
    mark(`SIGTERM ${round + 1}`);
    const begun = performance.now();
    const { status } = await instance.stop();
    if (status !== 0) throw new Error(`SIGTERM ended with ${status}: ${instance.lines.slice(-10).join("\n")}`);
    stopMs.push(performance.now() - begun);
    await sleep(SETTLE_MS);
    mark(`start ${round + 1}`);
    instance.start();
    await instance.said(/^running/);
    await sleep(REST_MS);
    tell(`restart ${round + 1} of ${size.rounds}`, run);
  }
  const pauses = await watch.stop();
  const said = run.instances.flatMap((instance, index) => instance.history.slice(before[index]));
  const [lost, rows] = [lostWork(said), rowsThere(said)];
  return facts(await run.end(), {
    restarts: size.rounds,
    "SIGTERM to exit, ms at most": Math.round(Math.max(...stopMs)),
    "longest pause of a task, ms": Math.round(pauses[0]?.ms ?? 0),
    "longest pauses": pauses
      .slice(0, 6)
      .map((pause) => told(pause, steps))
      .join("; "),
    "commits dropped": lost,
    "tasks taken over from a standby": rows.standby.tasks,
    "records they read": rows.standby.records,
    "tasks gone on from own rows": rows.rows.tasks,
    "records these read": rows.rows.records,
    "tasks restored from nothing": rows.nothing.tasks,
  });
}

function told({ task, ms, endedAt }: Pause, steps: readonly { readonly what: string; readonly at: number }[]): string {
  const begunAt = endedAt - ms;
  const step = steps.findLast(({ at }) => at <= endedAt);
  const from = step === undefined ? "before all" : `${Math.round(begunAt - step.at)} ms after ${step.what}`;
  return `${task}: ${Math.round(ms)} ms from ${from}`;
}
