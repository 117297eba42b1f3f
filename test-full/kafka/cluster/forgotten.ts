/** T4 and T9. An instance that the machine forgets: for longer than its session, or only for longer than its transaction may live. */
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { SESSION_MS } from "../chain-run.ts";
import type { InstanceProcess } from "../instance-process.ts";
import { BACK_MS_MAX, begin, facts, SETTLE_MS, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";

/** What it had goes to the other one; when it comes back it is fenced, closes dirty and joins again. */
export async function forgotten(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t4", cluster, size, { instances: 2 });
  await startAll(run);
  let takenOverMs = 0;
  let backMs = 0;
  for (let round = 0; round < size.rounds; round++) {
    const zombie = run.instances[round % 2] as InstanceProcess; // in bounds
    await run.untilOutputGrows(BACK_MS_MAX);
    zombie.pause();
    await sleep(2 * SESSION_MS);
    takenOverMs = Math.max(takenOverMs, await run.untilOutputGrows(BACK_MS_MAX));
    zombie.resume();
    await sleep(SETTLE_MS);
    backMs = Math.max(backMs, await run.untilOutputGrows(BACK_MS_MAX));
    if (zombie.over) throw new Error(`the instance that came back ended: ${zombie.lines.slice(-5).join("\n")}`);
    tell(`forgotten ${round + 1} of ${size.rounds}`, run);
  }
  const more = {
    "output after two sessions, ms at most": Math.round(takenOverMs),
    "output after it is back, ms at most": Math.round(backMs),
  };
  return facts(await run.end(), { forgotten: size.rounds, ...more });
}

/** The coordinator gives its transaction up; what it did is done again. */
export async function tooSlow(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  const instance = { sessionMs: 12_000, transactionMs: 2_000 };
  await using run = await begin("t9", cluster, size, { instances: 1, instance });
  await startAll(run);
  const slow = run.instances[0] as InstanceProcess; // there is one
  for (let round = 0; round < size.rounds; round++) {
    await run.untilOutputGrows(BACK_MS_MAX);
    // In the midst of a commit as likely as not.
    slow.pause();
    await sleep(2.5 * instance.transactionMs);
    slow.resume();
    tell(`too slow ${round + 1} of ${size.rounds}`, run);
  }
  await run.untilOutputGrows(BACK_MS_MAX);
  if (slow.over) throw new Error(`the slow instance ended: ${slow.lines.slice(-5).join("\n")}`);
  return facts(await run.end(), { "times too slow": size.rounds });
}
