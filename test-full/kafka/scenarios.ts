/** What is done to a cluster and the instances on it while the chain application runs. Each ends with the proof from the topics. */
import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { seededDraws } from "../seeded-draws.ts";
import { cutNetwork } from "./cluster/cut-network.ts";
import { killBrokers } from "./cluster/kill-brokers.ts";
import { killInstances } from "./cluster/kill-instances.ts";
import { longestPauses } from "./longest-pauses.ts";
import { BACK_MS_MAX, begin, facts, SETTLE_MS, startAll, tell, type Scenario, type ScenarioFacts, type ScenarioSize } from "./scenario.ts";

const STORM_INSTANCES = 10;

export const scenarios: Readonly<Record<string, Scenario>> = {
  "T1 kill -9 of instances and brokers": killInstances,
  "T2 rolling restart by SIGTERM": rollingRestart,
  "T3 brokers killed, one after the other and all": killBrokers,
  "T5 network of one instance cut, one-way, lossy": cutNetwork,
  "T6 ten instances come and go": rebalanceStorm,
  "T7 disk full, then freed": fullDisk,
  "T8 damaged state": damagedState,
};

async function rollingRestart(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t2", cluster, size, { instances: 3 });
  await startAll(run);
  // So that standbys are there and have caught up.
  await sleep(10_000);
  const pauses = longestPauses(run);
  for (let round = 0; round < size.rounds; round++) {
    const instance = run.instances[round % run.instances.length];
    const { status } = (await instance?.stop()) ?? { status: null };
    if (status !== 0) throw new Error(`SIGTERM ended with ${status}: ${instance?.lines.slice(-10).join("\n")}`);
    await sleep(SETTLE_MS);
    instance?.start();
    await instance?.said(/^running/);
    await sleep(5_000);
    tell(`restart ${round + 1} of ${size.rounds}`, run);
  }
  const longest = await pauses.stop();
  return facts(await run.end(), { restarts: size.rounds, "longest pause of a partition, ms": Math.round(longest) });
}

async function rebalanceStorm(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t6", cluster, size, { instances: STORM_INSTANCES });
  run.instances[0]?.start();
  await run.instances[0]?.said(/^running/);
  const draws = seededDraws(`storm ${size.seed}`, size.rounds);
  for (let round = 0; round < size.rounds; round++) {
    const instance = run.instances[1 + Math.floor((draws[round] ?? 0) * (STORM_INSTANCES - 1))];
    if (instance?.over === true) instance.start();
    else await (round % 3 === 0 ? instance?.kill() : instance?.stop());
    await sleep(500);
  }
  const again = await run.untilOutputGrows(BACK_MS_MAX);
  return facts(await run.end(), { changes: size.rounds, "output after the storm, ms": Math.round(again) });
}

async function fullDisk(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  const mounted = smallDisk();
  try {
    await using run = await begin("t7", cluster, size, { instances: 1, instance: { directory: join(mounted, "state") } });
    const [instance] = run.instances;
    instance?.start();
    await instance?.said(/^running/);
    await run.untilOutputGrows();
    const filler = fill(join(mounted, "filler"));
    // Until nothing comes any more: buffers of the database are large.
    const stopped = await run.untilOutputStops(5_000, BACK_MS_MAX);
    const said = instance?.lines.findLast((line) => /DISK|space/i.test(line)) ?? "nothing";
    rmSync(filler);
    await sleep(SETTLE_MS);
    let restarts = 0;
    if (instance?.over === true) {
      restarts++;
      instance.start();
    }
    const again = await run.untilOutputGrows(BACK_MS_MAX).catch(async () => {
      restarts++;
      await instance?.kill();
      instance?.start();
      return run.untilOutputGrows(BACK_MS_MAX);
    });
    const more = { "output stopped": stopped ? "yes" : "no", said: said.slice(0, 300), restarts, "output again, ms": Math.round(again) };
    return facts(await run.end(), more);
  } finally {
    execFileSync("umount", ["-l", mounted]);
  }
}

async function damagedState(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t8", cluster, size, { instances: 1 });
  const [instance] = run.instances;
  const directory = run.directoryOf(0);
  const outcomes: string[] = [];
  instance?.start();
  for (const [name, damage] of Object.entries(damages)) {
    await run.untilOutputGrows(BACK_MS_MAX);
    await instance?.kill();
    damage(directory);
    instance?.start();
    const came = await Promise.race([instance?.said(/^running/).then(() => "goes on"), instance?.ended().then(() => "refuses")]).catch(
      () => "refuses",
    );
    if (came === "refuses") {
      // What the message tells the operator to do.
      outcomes.push(`${name}: ${instance?.lines.find((line) => /DISK_|STATE_|[A-Z]+_[A-Z]+/.test(line))?.slice(0, 120) ?? "silent"}`);
      rmSync(directory, { recursive: true, force: true });
      if (instance?.over === false) await instance.kill();
      instance?.start();
    } else outcomes.push(`${name}: goes on`);
  }
  await run.untilOutputGrows(BACK_MS_MAX);
  return facts(await run.end(), { damages: outcomes.join("; ") });
}

/** Each makes something of the database unreadable, or takes it away. */
const damages: Readonly<Record<string, (directory: string) => void>> = {
  "last bytes of the write-ahead log torn off": (directory) => change(directory, /\.log$/, "truncate"),
  "a bit of the write-ahead log flipped": (directory) => change(directory, /\.log$/, "flip"),
  "a table deleted": (directory) => change(directory, /\.sst$/, "delete"),
  "CURRENT missing": (directory) => change(directory, /^CURRENT$/, "delete"),
  "MANIFEST emptied": (directory) => change(directory, /^MANIFEST/, "empty"),
  "the folder gone": (directory) => rmSync(directory, { recursive: true, force: true }),
};

function change(directory: string, pattern: RegExp, how: "truncate" | "flip" | "delete" | "empty"): void {
  const file = readdirSync(directory, { recursive: true, encoding: "utf8" }).findLast((each) => pattern.test(each.split("/").at(-1) ?? ""));
  if (file === undefined) return;
  const path = join(directory, file);
  if (how === "delete") {
    rmSync(path);
    return;
  }
  const descriptor = openSync(path, "r+");
  const { size } = fstatSync(descriptor);
  if (how === "flip") {
    const byte = Buffer.alloc(1);
    readSync(descriptor, byte, 0, 1, size >> 1);
    writeSync(descriptor, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, size >> 1);
  }
  closeSync(descriptor);
  if (how !== "flip") truncateSync(path, how === "empty" ? 0 : Math.max(0, size - 100));
}

/** Where mounting is allowed; throws elsewhere. */
function smallDisk(): string {
  const mounted = mkdtempSync(join(tmpdir(), "slackline-small-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", mounted]);
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
