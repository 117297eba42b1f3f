/** T6: ten instances come, go and die within a minute, while events flow. */
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { seededDraws } from "../../seeded-draws.ts";
import type { InstanceProcess } from "../instance-process.ts";
import { BACK_MS_MAX, begin, facts, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";
import { rowsThere } from "./told.ts";

const INSTANCES = 10;
const PAUSE_MS = 500;

export async function rebalanceStorm(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t6", cluster, size, { instances: INSTANCES });
  const [stays, ...others] = run.instances as [InstanceProcess, ...InstanceProcess[]]; // ten
  stays.start();
  await stays.said(/^running/);
  await run.untilOutputGrows();
  const draws = seededDraws(`storm ${size.seed}`, size.rounds);
  const counts = { started: 1, killed: 0, stopped: 0 };
  const before = await run.linksNow();
  const begun = performance.now();
  for (let round = 0; round < size.rounds; round++) {
    const instance = others[Math.floor((draws[round] ?? 0) * others.length)] as InstanceProcess; // in bounds
    if (instance.over) {
      counts.started++;
      instance.start();
    } else {
      // On a slow machine it would be gone before it ever was a member.
      await instance.said(/^running/);
      if (round % 3 === 0) {
        counts.killed++;
        await instance.kill();
      } else {
        counts.stopped++;
        await instance.stop();
      }
    }
    await sleep(PAUSE_MS);
  }
  const stormMs = performance.now() - begun;
  const during = (await run.linksNow()) - before;
  tell(`${size.rounds} changes in ${Math.round(stormMs)} ms`, run);
  const again = await run.untilOutputGrows(BACK_MS_MAX);
  const { standby, rows, nothing } = rowsThere(run.instances.flatMap(({ history }) => history));
  const assignments = stays.history.filter((line) => /tasks are assigned anew/.test(line)).length;
  return facts(await run.end(), {
    ...counts,
    "storm, ms": Math.round(stormMs),
    "links meanwhile": during,
    "generations of the one that stayed": assignments,
    "output after the storm, ms": Math.round(again),
    "tasks taken over from a standby": `${standby.tasks}, ${standby.records} records`,
    "from own rows": `${rows.tasks}, ${rows.records} records`,
    "from nothing": `${nothing.tasks}, ${nothing.records} records`,
    "begun anew on an instance that had rows": startedOver(run.instances),
  });
}

/** Tasks that an instance came to from nothing more than once: rows that were there were not gone on with. */
function startedOver(instances: readonly InstanceProcess[]): number {
  let count = 0;
  for (const { history } of instances) {
    const seen = new Set<string>();
    for (const line of history) {
      const task = /the rows of a task are there \{"task":"([^"]+)","from":"(standby|rows|nothing)"/.exec(line);
      if (task?.[2] === "nothing" && seen.has(task[1] ?? "")) count++;
      if (task !== null) seen.add(task[1] ?? "");
    }
  }
  return count;
}
