/** What is done to a cluster and the instances on it while the chain application runs. Each ends with the proof from the topics. */
import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KafkaCluster } from "#log/kafka/testing";
import { seededDraws } from "../seeded-draws.ts";
import { ChainRun, SESSION_MS, type ChainOutcome, type ChainRunOptions } from "./chain-run.ts";
import { longestPauses } from "./longest-pauses.ts";

export interface ScenarioSize {
  /** Events that are committed upstream, all together. */
  readonly events: number;
  /** Rounds of whatever is done. */
  readonly rounds: number;
  readonly seed: number;
  readonly brokers: 1 | 3;
}

export type ScenarioFacts = Readonly<Record<string, number | string>>;
export type Scenario = (size: ScenarioSize) => Promise<ScenarioFacts>;

const BACK_MS_MAX = 120_000;
const SETTLE_MS = 1_500;
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

async function killInstances(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  await using run = await begin("t1", cluster, size, { instances: 3 });
  const draws = seededDraws(`kills ${size.seed}`, size.rounds * 3);
  const back: number[] = [];
  let brokersKilled = 0;
  await startAll(run);
  for (let round = 0; round < size.rounds; round++) {
    const [pause = 0, who = 0, which = 0] = draws.slice(round * 3);
    await sleep(500 + pause * 3_000);
    const instance = run.instances[Math.floor(who * run.instances.length)];
    const node = cluster.nodes[Math.floor(which * cluster.nodes.length)];
    const withBroker = round % 4 === 3;
    if (withBroker) await node?.kill();
    await instance?.kill();
    instance?.start();
    if (withBroker) {
      brokersKilled++;
      await sleep(2_000);
      await node?.start();
    }
    back.push(await run.untilOutputGrows(BACK_MS_MAX));
    tell(`kill ${round + 1} of ${size.rounds}`, run);
  }
  return facts(await run.end(), { kills: size.rounds, brokersKilled, "output again, ms at most": Math.round(Math.max(...back)) });
}

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

async function killBrokers(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: 3 });
  await using run = await begin("t3", cluster, size, { instances: 2 });
  await startAll(run);
  const back: number[] = [];
  for (let round = 0; round < size.rounds; round++) {
    for (const node of cluster.nodes) {
      await run.untilOutputGrows(BACK_MS_MAX);
      await node.kill();
      await sleep(SETTLE_MS);
      back.push(await run.untilOutputGrows(BACK_MS_MAX));
      await node.start();
    }
    tell(`round ${round + 1} of ${size.rounds}`, run);
  }
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  await sleep(SETTLE_MS);
  await Promise.all(cluster.nodes.map((node) => node.start()));
  back.push(await run.untilOutputGrows(BACK_MS_MAX));
  return facts(await run.end(), { kills: size.rounds * 3 + 3, "output again, ms at most": Math.round(Math.max(...back)) });
}

async function cutNetwork(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers, proxiedListeners: 2 });
  await using run = await begin("t5", cluster, size, { instances: 2, brokersOf: (instance) => cluster.proxied(instance) });
  await startAll(run);
  const [first = [], second = []] = cluster.proxies;
  let requestsPerSecond = 0;
  for (let round = 0; round < size.rounds; round++) {
    const proxies = round % 2 === 0 ? first : second;
    const troubles: readonly (() => void)[] = [
      () => proxies.forEach((proxy) => proxy.cut()),
      () => proxies.forEach((proxy) => proxy.silence("down")),
      () => proxies.forEach((proxy) => proxy.silence("up")),
      () => proxies.forEach((proxy) => proxy.lose(0.3)),
      () => proxies[0]?.cut(),
    ];
    await run.untilOutputGrows(BACK_MS_MAX);
    const count = (): number => proxies.reduce((sum, proxy) => sum + proxy.connectionsOpened, 0);
    const [connections, begun] = [count(), performance.now()];
    troubles[round % troubles.length]?.();
    await sleep(SESSION_MS * 1.5);
    requestsPerSecond = Math.max(requestsPerSecond, ((count() - connections) / (performance.now() - begun)) * 1_000);
    for (const proxy of proxies) proxy.heal();
    await run.untilOutputGrows(BACK_MS_MAX);
    tell(`trouble ${round + 1} of ${size.rounds}`, run);
  }
  return facts(await run.end(), { troubles: size.rounds, "connections tried a second at most": Math.round(requestsPerSecond) });
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

function begin(
  name: string,
  cluster: KafkaCluster,
  size: ScenarioSize,
  more: Pick<ChainRunOptions, "instances"> & Partial<ChainRunOptions>,
): Promise<ChainRun> {
  // Slowly until the faults are over, then as fast as it goes: see ChainRun.end.
  const load = { records: size.events, producers: 3, keys: 3_000, seconds: 60 + size.rounds * 15 };
  return ChainRun.begin({ name, brokers: cluster.brokers, load, ...more });
}

async function startAll(run: ChainRun): Promise<void> {
  for (const instance of run.instances) {
    instance.start();
    await instance.said(/^running/);
  }
  await run.untilOutputGrows();
}

function tell(what: string, run: ChainRun): void {
  process.stderr.write(`  ${what}: ${run.loaded.events} events sent\n`);
}

function facts({ wrong, events, links, load, drainMs }: ChainOutcome, more: ScenarioFacts): ScenarioFacts {
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  return { events, links, "aborted upstream": load.aborted, ...more, "drained after, ms": Math.round(drainMs) };
}
