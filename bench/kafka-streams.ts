/**
 * Kafka Streams and this engine on the same broker, the same data and the same topology, by turns: records a second, CPU, memory,
 * latency at a steady rate, restore, and how soon an instance is back after kill -9. Both are measured from outside.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openKafkaLog, type Log } from "#log";
import { KafkaCluster } from "#log/kafka/testing";
import { sizeNamed, type BenchSize } from "./kafka-streams/bench-size.ts";
import { alternating, compare, resultsOf, tableOf, type Comparison } from "./kafka-streams/comparison.ts";
import { javaCommand } from "./kafka-streams/java-side.ts";
import { measureLatency } from "./kafka-streams/measure-latency.ts";
import { measureRecovery } from "./kafka-streams/measure-recovery.ts";
import { measureThroughput } from "./kafka-streams/measure-throughput.ts";
import { PARTITIONS, type TopologyName } from "./kafka-streams/position-topologies.ts";
import { PositionTraffic } from "./kafka-streams/position-traffic.ts";
import type { Outputs, Scene, Side } from "./kafka-streams/side-run.ts";
import { slacklineCommand } from "./kafka-streams/slackline-command.ts";
import { thisMachine } from "./machine.ts";
import type { Bench, BenchResult } from "./result.ts";

const BROKER_HEAP_MB = 1_024;
const MEASURES = ["presence", "count", "latency", "crash", "restore"] as const;

type Measure = (typeof MEASURES)[number];

interface Stage {
  readonly log: Log;
  readonly brokers: readonly string[];
  readonly sides: readonly Side[];
  readonly size: BenchSize;
  readonly seed: number;
  readonly threads: number;
  /** Topics of this bench begin so. */
  readonly prefix: string;
  /** The same for all runs, so that all have the same bytes. */
  readonly startMicros: number;
}

/**
 * KAFKA_BROKERS names a broker; else one is started from Kafka's jars. At full size with both sides each measure is written to
 * `bench/results/kafka-streams` as soon as it is there, otherwise to `bench/results/local/kafka-streams`.
 */
export const kafkaStreams: Bench = async ({ seed, runs, flags, conclude }) => {
  const named = process.env["KAFKA_BROKERS"];
  const wanted = measuresOf(flags["measure"]);
  const size = sizeOf(flags, runs);
  const sides = sidesOf(flags);
  const cluster = named === undefined ? await KafkaCluster.start({ heapMb: BROKER_HEAP_MB }) : undefined;
  const brokers = cluster?.brokers ?? named?.split(",") ?? [];
  const log = await openKafkaLog({ brokers, clientId: "bench" });
  const forGood = flags["size"] !== "small" && flags["records"] === undefined && sides.length > 1 && size.runs >= 3;
  const folder = join("bench", "results", ...(forGood ? [] : ["local"]), "kafka-streams");
  mkdirSync(folder, { recursive: true });
  try {
    const stage: Stage = {
      log,
      brokers,
      sides,
      size,
      seed,
      threads: Number(flags["threads"] ?? 1),
      prefix: `bench-${Date.now().toString(36)}`,
      startMicros: (Date.now() - 3_600_000) * 1_000,
    };
    const comparisons: Comparison[] = [];
    const results: BenchResult[] = [];
    for (const measure of wanted) {
      const comparison = await take(measure, stage);
      comparisons.push(comparison);
      results.push(...resultsOf(comparison, seed));
      writeFileSync(join(folder, `${measure}.json`), `${JSON.stringify({ machine: thisMachine(), seed, comparison }, null, 2)}\n`);
    }
    conclude(tableOf(comparisons));
    return results;
  } finally {
    await log.close();
    await cluster?.close();
  }
};

function measuresOf(flag: string | undefined): readonly Measure[] {
  const wanted = flag?.split(",") ?? MEASURES;
  const unknown = wanted.find((each) => !MEASURES.some((known) => known === each));
  if (unknown !== undefined) throw new RangeError(`there is no measure "${unknown}"; there are: ${MEASURES.join(", ")}`);
  return MEASURES.filter((each) => wanted.includes(each));
}

function sizeOf(flags: Readonly<Record<string, string>>, runs: number): BenchSize {
  const size = sizeNamed(flags["size"] ?? "full");
  const records = flags["records"] === undefined ? undefined : Number(flags["records"]);
  return {
    ...size,
    runs: flags["runs"] === undefined ? size.runs : runs,
    throughputRecords: records ?? size.throughputRecords,
    recoveryRecords: records ?? size.recoveryRecords,
  };
}

function sidesOf(flags: Readonly<Record<string, string>>): readonly Side[] {
  const nodeWords = flags["node-words"]?.trim().split(/\s+/) ?? [];
  if (flags["cpu-prof"] !== undefined) {
    const folder = join("bench", "results", "local", "kafka-streams-profiles");
    mkdirSync(folder, { recursive: true });
    nodeWords.push("--cpu-prof", `--cpu-prof-dir=${folder}`);
  }
  const all: readonly Side[] = [
    { name: "kafka-streams", command: javaCommand },
    { name: "slackline", command: (options) => slacklineCommand(options, nodeWords) },
  ];
  const wanted = all.filter(({ name }) => flags["side"] === undefined || flags["side"] === name);
  if (wanted.length === 0) throw new RangeError(`there is no side "${flags["side"] ?? ""}"; there are: kafka-streams, slackline`);
  return wanted;
}

function take(measure: Measure, stage: Stage): Promise<Comparison> {
  if (measure === "latency") return latency(stage);
  if (measure === "crash") return recovery(stage, "kept");
  if (measure === "restore") return recovery(stage, "lost");
  return throughput(stage, measure);
}

async function throughput(stage: Stage, topology: TopologyName): Promise<Comparison> {
  const { sides, size, threads } = stage;
  const input = `${stage.prefix}-positions`;
  await loadOnce(stage, input, size.throughputRecords);
  const label = `${topology}, throughput`;
  const all = await alternating(sides, { runs: size.runs, label }, (side, round) =>
    measureThroughput(side, sceneOf(stage, { topology, input, round })),
  );
  return compare(
    topology,
    all,
    [
      { name: "throughput", unit: "records/s", of: ({ perSecond }) => perSecond, wanted: "≥ 1.5, aim 3" },
      { name: "CPU", unit: "s/million", of: ({ cpuPerMillion }) => cpuPerMillion, wanted: "≤ 0.5, aim 0.33" },
      { name: "RSS", unit: "MB", of: ({ rssMb }) => rssMb },
    ],
    { ...factsOf(all), records: size.throughputRecords, threads, guarantee: "exactly once, commits each 100 ms" },
  );
}

async function latency(stage: Stage): Promise<Comparison> {
  const { log, sides, size } = stage;
  const { runs, drivers, latencyPerSecond: perSecond, latencyWarmUpSeconds: warmUpSeconds, latencySeconds: seconds } = size;
  const label = `latency at ${perSecond}/s`;
  const all = await alternating(sides, { runs, label }, async (side, round) => {
    const input = `${stage.prefix}-live-${side.name}-${round}`;
    await log.topics.ensure([{ name: input, partitions: PARTITIONS, cleanup: "delete" }]);
    return measureLatency(side, sceneOf(stage, { topology: "presence", input, round }), { drivers, perSecond, warmUpSeconds, seconds });
  });
  return compare(
    `end to end at ${perSecond}/s`,
    all,
    [
      { name: "p50", unit: "ms", of: ({ p50 }) => p50 },
      { name: "p99", unit: "ms", of: ({ p99 }) => p99 },
      { name: "CPU", unit: "cores", of: ({ cores }) => cores },
      { name: "sent", unit: "records/s", of: (run) => run.perSecond },
    ],
    { load: loadsOf(all), samples: samplesOf(all) },
  );
}

async function recovery(stage: Stage, state: "kept" | "lost"): Promise<Comparison> {
  const { sides, size, startMicros } = stage;
  const { runs, drivers, recoveryRecords, laterRecords } = size;
  const all = await alternating(sides, { runs, label: `kill -9, state ${state}` }, async (side, round) => {
    // Of its own: positions that come after the kill are added to it.
    const input = `${stage.prefix}-${state}-${side.name}-${round}`;
    await loadOnce(stage, input, recoveryRecords);
    const laterMicros = startMicros + recoveryRecords * 500;
    return measureRecovery(side, sceneOf(stage, { topology: "presence", input, round }), { state, drivers, laterMicros, laterRecords });
  });
  const firstOutput = { name: "first output", unit: "ms", of: (run: { readonly firstOutputMs: number }) => run.firstOutputMs };
  return compare(
    `kill -9, state ${state}`,
    all,
    [
      state === "kept" ? { ...firstOutput, wanted: "≤ 13,000 ms" } : firstOutput,
      { name: "all committed", unit: "ms", of: ({ drainedMs }) => drainedMs },
      { name: "restored", unit: "records", of: ({ restored }) => restored },
      { name: "restore", unit: "records/s", of: ({ restoredPerSecond }) => restoredPerSecond },
    ],
    { ...factsOf(all), records: recoveryRecords, later: laterRecords, "session timeout": "10 s on both sides" },
  );
}

function sceneOf({ log, brokers, threads }: Stage, own: Pick<Scene, "topology" | "input" | "round">): Scene {
  return { log, brokers, threads, ...own };
}

async function loadOnce({ log, seed, size, startMicros }: Stage, topic: string, count: number): Promise<void> {
  await log.topics.ensure([{ name: topic, partitions: PARTITIONS, cleanup: "delete" }]);
  if ((await log.offsets.bound({ topic, partition: 0 }, "stable")) > 0) return;
  await new PositionTraffic({ seed, drivers: size.drivers }).load(log, topic, { count, startMicros });
}

/** Throws when any run of any side has written anything else than the others. */
function factsOf(all: ReadonlyMap<string, readonly (Outputs & { readonly load: string })[]>): Readonly<Record<string, string>> {
  const digests = new Set([...all.values()].flat().map(({ outputs, digest }) => `${outputs} records, ${digest}`));
  if (digests.size > 1) throw new Error(`the runs did not do the same: ${[...digests].join("; ")}`);
  return { outputs: `${[...digests].join("")}, byte for byte the same in all runs of all sides`, load: loadsOf(all) };
}

function loadsOf(all: ReadonlyMap<string, readonly { readonly load: string }[]>): string {
  return [...all].map(([side, each]) => `${side} ${each.map(({ load }) => load).join(" ")}`).join("; ");
}

function samplesOf(all: ReadonlyMap<string, readonly { readonly samples: number }[]>): string {
  return [...all].map(([side, each]) => `${side} ${each.map(({ samples }) => samples).join(" ")}`).join("; ");
}
