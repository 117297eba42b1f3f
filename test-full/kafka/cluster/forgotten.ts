/** T4 and T9. An instance that the machine forgets: for longer than its session, or only for longer than its transaction may live. */
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { SESSION_MS, type ChainRun } from "../chain-run.ts";
import type { InstanceProcess } from "../instance-process.ts";
import { BACK_MS_MAX, begin, facts, SETTLE_MS, startAll, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";

export async function forgotten(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t4", cluster, size, { instances: 2 });
  await startAll(run);
  const { takenOverMs, backMs } = await forgetByTurns(run, size.rounds);
  const more = {
    "output after two sessions, ms at most": Math.round(takenOverMs),
    "output after it is back, ms at most": Math.round(backMs),
  };
  return facts(await run.end(), { forgotten: size.rounds, ...more });
}

/** One of two, by turns: what it had goes to the other one; when it comes back it is fenced, closes dirty and joins again. */
export async function forgetByTurns(run: ChainRun, rounds: number): Promise<{ readonly takenOverMs: number; readonly backMs: number }> {
  let takenOverMs = 0;
  let backMs = 0;
  for (let round = 0; round < rounds; round++) {
    const zombie = run.instances[round % 2] as InstanceProcess; // in bounds
    await run.untilOutputGrows(BACK_MS_MAX);
    zombie.pause();
    await sleep(2 * SESSION_MS);
    takenOverMs = Math.max(takenOverMs, await run.untilOutputGrows(BACK_MS_MAX));
    zombie.resume();
    await sleep(SETTLE_MS);
    backMs = Math.max(backMs, await run.untilOutputGrows(BACK_MS_MAX));
    if (zombie.over) throw new Error(`the instance that came back ended: ${zombie.lines.slice(-5).join("\n")}`);
    tell(`forgotten ${round + 1} of ${rounds}`, run);
  }
  return { takenOverMs, backMs };
}

/** For `slowDown`: its place in the group is never in doubt, its transaction is. */
export const SLOW_INSTANCE = { sessionMs: 12_000, transactionMs: 2_000 };

export async function tooSlow(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t9", cluster, size, { instances: 1, instance: SLOW_INSTANCE });
  await startAll(run);
  await slowDown(run, size.rounds);
  return facts(await run.end(), { "times too slow": size.rounds });
}

/** The only instance: the coordinator gives its transaction up; what it did is done again. */
export async function slowDown(run: ChainRun, rounds: number): Promise<void> {
  const slow = run.instances[0] as InstanceProcess; // there is one
  for (let round = 0; round < rounds; round++) {
    await run.untilOutputGrows(BACK_MS_MAX);
    // In the midst of a commit as likely as not.
    slow.pause();
    await sleep(2.5 * SLOW_INSTANCE.transactionMs);
    slow.resume();
    tell(`too slow ${round + 1} of ${rounds}`, run);
  }
  await run.untilOutputGrows(BACK_MS_MAX);
  if (slow.over) throw new Error(`the slow instance ended: ${slow.lines.slice(-5).join("\n")}`);
}
