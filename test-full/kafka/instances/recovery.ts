/** How long until there is output again after kill -9: by the same instance on its own rows, or by the others. */
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { SESSION_MS } from "../chain-run.ts";
import type { InstanceProcess } from "../instance-process.ts";
import { BACK_MS_MAX, begin, facts, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";
import { killInTransaction } from "./kill-in-transaction.ts";
import { steadyLoad } from "./steady-load.ts";
import { watchPauses } from "./longest-pauses.ts";
import { rowsThere } from "./told.ts";
import { untilAllMove } from "./until-all-move.ts";

const WARM_MS = 6_000;
/** Long enough that nobody can take it for what was waited for. */
const RESTART_SESSION_MS = 30_000;
/** Kafka's own default, not the test brokers': transactions that are too old are looked for so often. */
const SWEEP_MS = 10_000;
const SLACK_MS = 3_000;

export async function recovery(size: ScenarioSize): Promise<ScenarioFacts> {
  const settings = { "transaction.abort.timed.out.transaction.cleanup.interval.ms": SWEEP_MS };
  await using cluster = await KafkaCluster.start({ brokers: size.brokers, settings });
  const alone = await restarts(cluster, size, 1);
  const among = await restarts(cluster, size, 2);
  const taken = await takeovers(cluster, size);
  return { ...named("alone", alone), ...named("one of two", among), ...named("taken over", taken) };
}

/** Killed and started at once. */
async function restarts(cluster: KafkaCluster, size: ScenarioSize, instances: number): Promise<ScenarioFacts> {
  await using run = await begin(`recovery${instances}`, cluster, size, {
    instances,
    load: steadyLoad(size),
    instance: { sessionMs: RESTART_SESSION_MS, transactionMs: SESSION_MS },
  });
  await startAll(run);
  await sleep(WARM_MS);
  const [instance] = run.instances as [InstanceProcess]; // there is one at least
  const pauses: number[] = [];
  const [starts, rowsAt]: [number[], number[]] = [[], []];
  const had = instance.history.length;
  for (let round = 0; round < size.rounds; round++) {
    const watch = watchPauses(run);
    await instance.kill();
    instance.start();
    await instance.said(/the rows of a task are there/);
    starts.push(instance.msTo(/stream thread starts/) ?? 0);
    rowsAt.push(instance.msTo(/the rows of a task are there/) ?? 0);
    await instance.said(/^running/);
    await run.untilAllOutputsGrow(BACK_MS_MAX);
    await sleep(WARM_MS);
    pauses.push((await watch.stop())[0]?.ms ?? 0);
    tell(`restart ${round + 1} of ${size.rounds}, ${instances} instances: ${Math.round(pauses.at(-1) ?? 0)} ms`, run);
  }
  const { standby, rows, nothing } = rowsThere(instance.history.slice(had));
  return facts(await run.end(), {
    "longest pause of a task, ms": told(pauses),
    "kill until its thread began, ms": told(starts),
    "kill until it had rows, ms": told(rowsAt),
    "session, ms": RESTART_SESSION_MS,
    "tasks gone on from own rows": rows.tasks + standby.tasks,
    "changelog records they read": rows.records + standby.records,
    "tasks restored from nothing": nothing.tasks,
  });
}

/** Killed in the middle of a transaction, and not started before the others have all of it. */
async function takeovers(cluster: KafkaCluster, size: ScenarioSize): Promise<ScenarioFacts> {
  await using run = await begin("takeover", cluster, size, { instances: 2, load: steadyLoad(size) });
  await startAll(run);
  await sleep(WARM_MS);
  const pauses: number[] = [];
  const read = { tasks: 0, records: 0, nothing: 0 };
  for (let round = 0; round < size.rounds; round++) {
    const [dies, stays] = (round % 2 === 0 ? run.instances : run.instances.toReversed()) as [InstanceProcess, InstanceProcess];
    const had = stays.history.length;
    const watch = watchPauses(run);
    await killInTransaction(run, dies);
    await untilAllMove(run, watch);
    pauses.push((await watch.stop())[0]?.ms ?? 0);
    const { standby, rows, nothing } = rowsThere(stays.history.slice(had));
    read.tasks += standby.tasks + rows.tasks;
    read.records += standby.records + rows.records;
    read.nothing += nothing.tasks;
    tell(`takeover ${round + 1} of ${size.rounds}: ${Math.round(pauses.at(-1) ?? 0)} ms`, run);
    dies.start();
    await dies.said(/^running/);
    await sleep(WARM_MS * 2);
  }
  return facts(await run.end(), {
    "longest pause of a task, ms": told(pauses),
    "wanted below, ms": SESSION_MS + SLACK_MS,
    "tasks taken over": read.tasks,
    "changelog records they read": read.records,
    "tasks restored from nothing": read.nothing,
  });
}

function told(times: readonly number[]): string {
  return times.map((each) => Math.round(each)).join(" ");
}

function named(what: string, found: ScenarioFacts): ScenarioFacts {
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [`${what}: ${name}`, value]));
}
