/** What is measured of a side: throughput, latency, restore, and how soon it is back after a kill. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RecordBatchCursor, type Log, type Reader } from "#log";
import { positionSerde } from "./position.ts";
import { PARTITIONS, type TopologyName } from "./position-topologies.ts";
import { PositionTraffic } from "./position-traffic.ts";
import { SideProcess, type SideOptions } from "./side-process.ts";

export interface Side {
  readonly name: string;
  readonly command: (options: SideOptions) => Promise<readonly string[]>;
}

export interface Scene {
  readonly log: Log;
  readonly brokers: readonly string[];
  readonly topology: TopologyName;
  readonly input: string;
  readonly threads: number;
  /** Makes names that were never used. */
  readonly round: number;
}

export interface Throughput {
  readonly perSecond: number;
  /** Of the process, from its first record to its last commit. */
  readonly cpuPerMillion: number;
  readonly rssMb: number;
  readonly records: number;
  readonly outputs: number;
  /** Equal for both sides when both did the same: order-independent over (key, value) of all outputs. */
  readonly digest: string;
  readonly load: string;
}

const SESSION_MS = 10_000;
const LOOK_MS = 5;
const COMMIT_MS_MAX = 300_000;

/** From the first record to the moment when the offsets of all of them are committed. */
export async function measureThroughput(side: Side, scene: Scene): Promise<Throughput> {
  const { log } = scene;
  const { options, directory } = await prepare(side, scene);
  const load = loadText();
  const process = new SideProcess(await side.command(options));
  try {
    const ends = await endsOf(log, scene.input);
    const records = ends.reduce((sum, end) => sum + end, 0);
    const first = await process.said("first");
    const cpuBefore = process.cpuSeconds;
    await untilCommitted(log, options.applicationId, scene.input, ends);
    const ms = performance.now() - first.at;
    const cpuPerMillion = ((process.cpuSeconds - cpuBefore) / records) * 1e6;
    const { rssMb } = process;
    await process.stop();
    return { perSecond: (records / ms) * 1_000, cpuPerMillion, rssMb, records, ...(await outputsOf(log, options.output)), load };
  } finally {
    await process.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
  /** Cores that the process used. */
  readonly cores: number;
  readonly load: string;
}

/** End to end at so many positions a second: from the stamp in the position to its being read, committed, from the output. */
export async function measureLatency(
  side: Side,
  scene: Scene,
  { perSecond = 2_000, warmUpSeconds = 10, seconds = 20 } = {},
): Promise<Latency> {
  const { log } = scene;
  const { options, directory } = await prepare(side, scene);
  const load = loadText();
  const process = new SideProcess(await side.command(options));
  const reader = log.reader();
  const producer = log.producer();
  const cursor = new RecordBatchCursor();
  const latencies: number[] = [];
  try {
    await process.said("running");
    reader.assign(
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: options.output, partition, offset: 0, outOfRange: "fail" as const })),
    );
    const traffic = new PositionTraffic({ seed: 7, drivers: 10_000 });
    const begun = performance.now();
    const warm = begun + warmUpSeconds * 1_000;
    const end = warm + seconds * 1_000;
    let sent = 0;
    let cpuBefore = process.cpuSeconds;
    let measuring = false;
    while (performance.now() < end) {
      const now = performance.now();
      if (!measuring && now >= warm) {
        measuring = true;
        cpuBefore = process.cpuSeconds;
      }
      for (const due = ((now - begun) * perSecond) / 1_000; sent < due; sent++) traffic.append(producer, scene.input, nowMicros());
      await Promise.race([producer.flush(), log.changed(log.version())]);
      for (const batch of reader.poll()) {
        cursor.reset(batch.bytes, batch.baseOffset);
        const at = nowMicros();
        while (cursor.next())
          if (measuring)
            latencies.push((at - positionSerde.decode(cursor.bytes, cursor.valueStart, cursor.valueEnd).recordedAtMicros) / 1_000);
      }
      await sleep(1);
    }
    const cores = (process.cpuSeconds - cpuBefore) / seconds;
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99), samples: latencies.length, cores, load };
  } finally {
    await producer.close();
    await reader.close();
    await process.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

export interface Recovery {
  readonly restoredPerSecond: number;
  readonly restored: number;
  /** From the start of the new process, after kill -9, to the first committed output of a record that came meanwhile. */
  readonly firstOutputMs: number;
  readonly load: string;
}

/** Does the whole input, is killed, loses its folder or keeps it, and comes back. */
export async function measureRecovery(side: Side, scene: Scene, state: "kept" | "lost"): Promise<Recovery> {
  const { log } = scene;
  const { options, directory } = await prepare(side, scene);
  const load = loadText();
  let process = new SideProcess(await side.command(options));
  const reader = log.reader();
  try {
    await untilCommitted(log, options.applicationId, scene.input, await endsOf(log, scene.input));
    // Its rows may follow the commit by a moment.
    await sleep(500);
    await process.kill();
    if (state === "lost") await rm(directory, { recursive: true, force: true });
    const ends = await endsOf(log, options.output);
    reader.assign(ends.map((offset, partition) => ({ topic: options.output, partition, offset, outOfRange: "fail" as const })));
    await new PositionTraffic({ seed: 99, drivers: 10_000 }).load(log, scene.input, 20_000);
    const begun = performance.now();
    process = new SideProcess(await side.command(options));
    while (reader.poll().length === 0) {
      if (performance.now() - begun > COMMIT_MS_MAX) throw new Error(`${side.name} did not come back`);
      await sleep(LOOK_MS);
    }
    const firstOutputMs = performance.now() - begun;
    // Stores of other partitions may still be on their way.
    await sleep(2_000);
    const [records = 0, ms = 0] = process.lastSaid("restored")?.split(" ").slice(1).map(Number) ?? [];
    return { restored: records, restoredPerSecond: ms === 0 ? 0 : (records / ms) * 1_000, firstOutputMs, load };
  } finally {
    await reader.close();
    await process.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function prepare(
  side: Side,
  { log, brokers, topology, input, threads, round }: Scene,
): Promise<{ readonly options: SideOptions; readonly directory: string }> {
  const name = `${side.name}-${topology}-${round}-${Date.now().toString(36)}`;
  const output = `${name}-out`;
  await log.topics.ensure([{ name: output, partitions: PARTITIONS, cleanup: "delete" }]);
  const directory = await mkdtemp(join(tmpdir(), `slackline-bench-${side.name}-`));
  return { options: { topology, brokers, applicationId: name, directory, input, output, threads, sessionMs: SESSION_MS }, directory };
}

export function endsOf(log: Log, topic: string): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => log.offsets.bound({ topic, partition }, "stable")));
}

async function untilCommitted(log: Log, group: string, topic: string, ends: readonly number[]): Promise<void> {
  const places = ends.map((_, partition) => ({ topic, partition }));
  const until = performance.now() + COMMIT_MS_MAX;
  for (;;) {
    const committed = await log.offsets.committed(group, places);
    if (ends.every((end, partition) => (committed[partition]?.offset ?? 0) >= end)) return;
    if (performance.now() >= until)
      throw new Error(`${group} has committed ${committed.map((each) => each?.offset ?? 0).join()} of ${ends.join()}`);
    await sleep(LOOK_MS);
  }
}

async function outputsOf(log: Log, topic: string): Promise<{ readonly outputs: number; readonly digest: string }> {
  const ends = await endsOf(log, topic);
  const reader: Reader = log.reader();
  reader.assign(ends.map((_, partition) => ({ topic, partition, offset: 0, outOfRange: "fail" as const })));
  const cursor = new RecordBatchCursor();
  let outputs = 0;
  let sum = 0n;
  while (ends.some((end, partition) => reader.position({ topic, partition }) < end)) {
    const batches = reader.poll();
    if (batches.length === 0) await sleep(LOOK_MS);
    for (const batch of batches) {
      cursor.reset(batch.bytes, batch.baseOffset);
      while (cursor.next()) {
        outputs++;
        const hash = createHash("md5")
          .update(cursor.key() ?? "")
          .update(cursor.value() ?? "");
        sum = BigInt.asUintN(64, sum + hash.digest().readBigUInt64LE());
      }
    }
  }
  await reader.close();
  return { outputs, digest: sum.toString(16) };
}

function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000);
}

/** Of the machine in the last minute, which is told beside each figure. */
function loadText(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
