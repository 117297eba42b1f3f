/** T7: the volume of the rows is filled to its last byte and emptied again, while events flow. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import type { InstanceProcess } from "../instance-process.ts";
import { BACK_MS_MAX, begin, facts, tell, type ScenarioFacts, type ScenarioSize } from "../scenario.ts";
import { rowsThere } from "./told.ts";

const VOLUME_MIB = 160;
const RESERVE_BYTES = 32 * 1024 * 1024;
const QUIET_MS = 3_000;
const FULL_MS = 2_000;

export async function fullDisk(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  const mounted = smallVolume();
  try {
    const instance = { directory: join(mounted, "state"), reserveBytes: RESERVE_BYTES };
    await using run = await begin("t7", cluster, size, { instances: 1, instance });
    const [only] = run.instances as [InstanceProcess]; // one
    only.start();
    await only.said(/^running/);
    const said: string[] = [];
    const back: number[] = [];
    let [restarts, stopped] = [0, 0];
    for (let round = 0; round < size.rounds; round++) {
      await run.untilOutputGrows(BACK_MS_MAX);
      const had = only.history.length;
      const filler = fill(join(mounted, "filler"));
      if (await run.untilOutputStops(QUIET_MS, BACK_MS_MAX)) stopped++;
      await sleep(FULL_MS);
      said.push(only.history.slice(had).find((line) => /DISK_FULL|left on the volume/.test(line)) ?? "nothing");
      rmSync(filler);
      if (only.over) {
        restarts++;
        only.start();
      }
      back.push(await run.untilOutputGrows(BACK_MS_MAX));
      tell(`round ${round + 1} of ${size.rounds}: output again after ${Math.round(back.at(-1) ?? 0)} ms`, run);
    }
    const { nothing } = rowsThere(only.history);
    return facts(await run.end(), {
      rounds: size.rounds,
      "output stopped": stopped,
      said: said[0]?.replaceAll(mounted, "VOLUME").slice(0, 300) ?? "nothing",
      "processes that ended of it": restarts,
      "output again after room, ms": back.map((each) => Math.round(each)).join(" "),
      "tasks restored from nothing after their first start": Math.max(0, nothing.tasks - FIRST_TASKS),
    });
  } finally {
    execFileSync("umount", ["-l", mounted]);
    rmdirSync(mounted);
  }
}

/** Of the chain application, when it begins. */
const FIRST_TASKS = 4;

/** Where mounting is allowed; throws elsewhere. */
function smallVolume(): string {
  const mounted = mkdtempSync(join(tmpdir(), "slackline-small-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${VOLUME_MIB}m`, "tmpfs", mounted]);
  mkdirSync(join(mounted, "state"));
  return mounted;
}

/** Takes what is left. */
function fill(path: string): string {
  const descriptor = openSync(path, "w");
  const block = Buffer.alloc(64 * 1024);
  try {
    for (;;) writeSync(descriptor, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(descriptor);
  }
  return path;
}
