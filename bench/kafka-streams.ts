/**
 * Kafka Streams and this engine on the same broker, the same data and the same topology, by turns: records a second, CPU, memory,
 * latency at a steady rate, restore, and how soon an instance is back after kill -9. Both are measured from outside.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { progress } from "#cli";
import { openKafkaLog } from "#log";
import { KafkaCluster } from "#log/kafka/testing";
import { javaCommand } from "./kafka-streams/java-side.ts";
import { measureLatency, measureRecovery, measureThroughput } from "./kafka-streams/measure-side.ts";
import type { Latency, Recovery, Scene, Side, Throughput } from "./kafka-streams/measure-side.ts";
import { PARTITIONS, type TopologyName } from "./kafka-streams/position-topologies.ts";
import { PositionTraffic } from "./kafka-streams/position-traffic.ts";
import { slacklineCommand } from "./kafka-streams/slackline-command.ts";
import { median, type Bench, type BenchResult } from "./result.ts";

const DRIVERS = 10_000;
const BROKER_HEAP_MB = 1_024;

const java: Side = { name: "kafka-streams", command: javaCommand };

/**
 * Flags: `topology` (presence,count), `records` (2,000,000), `threads` (1), `measure` (throughput,latency,recovery), `side` (both;
 * slackline, kafka-streams), `cpu-prof` (a profile of each of our threads, of those runs that end by themselves). KAFKA_BROKERS names a broker; else one is
 * started from Kafka's jars.
 */
export const kafkaStreams: Bench = async ({ seed, runs, flags }) => {
  const named = process.env["KAFKA_BROKERS"];
  const cluster = named === undefined ? await KafkaCluster.start({ heapMb: BROKER_HEAP_MB }) : undefined;
  const brokers = cluster?.brokers ?? named?.split(",") ?? [];
  const log = await openKafkaLog({ brokers, clientId: "bench" });
  try {
    const records = Number(flags["records"] ?? 2_000_000);
    const input = `bench-positions-${Date.now().toString(36)}`;
    await log.topics.ensure([{ name: input, partitions: PARTITIONS, cleanup: "delete" }]);
    await new PositionTraffic({ seed, drivers: DRIVERS }).load(log, input, records);
    const wanted = (flags["measure"] ?? "throughput,latency,recovery").split(",");
    const sides = [java, slackline(flags)].filter(({ name }) => flags["side"] === undefined || flags["side"] === name);
    const results: BenchResult[] = [];
    for (const topology of (flags["topology"] ?? "presence,count").split(",") as TopologyName[]) {
      const scene = { log, brokers, topology, input, threads: Number(flags["threads"] ?? 1), round: 0 };
      if (wanted.includes("throughput")) results.push(...(await throughput(sides, scene, { runs, seed })));
      if (topology !== "presence") continue;
      if (wanted.includes("latency")) results.push(...(await latency(sides, scene, { runs, seed })));
      if (wanted.includes("recovery"))
        for (const state of ["kept", "lost"] as const) results.push(...(await recovery(sides, scene, state, { runs, seed, records })));
    }
    return results;
  } finally {
    await log.close();
    await cluster?.close();
  }
};

function slackline(flags: Readonly<Record<string, string>>): Side {
  if (flags["cpu-prof"] === undefined) return { name: "slackline", command: (options) => slacklineCommand(options) };
  const folder = join("bench", "results", "local", "kafka-streams-profiles");
  mkdirSync(folder, { recursive: true });
  return { name: "slackline", command: (options) => slacklineCommand(options, folder) };
}

interface Told {
  readonly runs: number;
  readonly seed: number;
}

async function throughput(sides: readonly Side[], scene: Scene, { runs, seed }: Told): Promise<BenchResult[]> {
  const all = await alternating(sides, runs, `${scene.topology}, throughput`, (side, round) =>
    measureThroughput(side, { ...scene, round }),
  );
  const digests = new Set([...all.values()].flat().map(({ outputs, digest }) => `${outputs} ${digest}`));
  // Count forwards 8-byte totals of two kinds (a double, a long): only their number can be the same.
  const same = scene.topology === "presence" ? digests.size === 1 : new Set([...digests].map((each) => each.split(" ")[0])).size === 1;
  if (!same) throw new Error(`the sides did not do the same: ${[...digests].join("; ")}`);
  return told(
    all,
    { what: `${scene.topology}, ${scene.threads} threads`, unit: "records/s", seed },
    ({ perSecond }: Throughput) => perSecond,
    (each) => ({
      records: median(each.map(({ records }) => records)),
      outputs: `${each[0]?.outputs}, ${scene.topology === "presence" ? "byte for byte the same on both sides" : "as many on both sides"}`,
      "CPU s per million records": median(each.map(({ cpuPerMillion }) => cpuPerMillion)),
      "RSS MB": median(each.map(({ rssMb }) => rssMb)),
      "load of the machine before": each.map(({ load }) => load).join("  "),
    }),
  );
}

async function latency(sides: readonly Side[], scene: Scene, { runs, seed }: Told): Promise<BenchResult[]> {
  const input = `${scene.input}-live`;
  const all = await alternating(sides, runs, "latency at 2,000/s", async (side, round) => {
    const own = `${input}-${side.name}-${round}`;
    await scene.log.topics.ensure([{ name: own, partitions: PARTITIONS, cleanup: "delete" }]);
    return measureLatency(side, { ...scene, input: own, round });
  });
  return told(
    all,
    { what: "end to end at 2,000/s, p50", unit: "ms", seed },
    ({ p50 }: Latency) => p50,
    (each) => ({
      "p99 ms": median(each.map(({ p99 }) => p99)),
      "cores used": median(each.map(({ cores }) => cores)),
      samples: median(each.map(({ samples }) => samples)),
      "load of the machine before": each.map(({ load }) => load).join("  "),
    }),
  );
}

async function recovery(
  sides: readonly Side[],
  scene: Scene,
  state: "kept" | "lost",
  { runs, seed, records }: Told & { readonly records: number },
): Promise<BenchResult[]> {
  const all = await alternating(sides, runs, `kill -9, state ${state}`, async (side, round) => {
    // Of its own: positions that come after the kill are added to it.
    const input = `${scene.input}-${state}-${side.name}-${round}`;
    await scene.log.topics.ensure([{ name: input, partitions: PARTITIONS, cleanup: "delete" }]);
    await new PositionTraffic({ seed, drivers: DRIVERS }).load(scene.log, input, records);
    return measureRecovery(side, { ...scene, input, round }, state);
  });
  return told(
    all,
    { what: `kill -9, state ${state}: first output`, unit: "ms", seed },
    ({ firstOutputMs }: Recovery) => firstOutputMs,
    (each) => ({
      "records restored": median(each.map(({ restored }) => restored)),
      "restored/s": median(each.map(({ restoredPerSecond }) => restoredPerSecond)),
      "session timeout": "10 s on both sides",
      "load of the machine before": each.map(({ load }) => load).join("  "),
    }),
  );
}

/** Side by side, as many times each: what else the machine does hits both. */
async function alternating<R>(
  sides: readonly Side[],
  runs: number,
  label: string,
  measure: (side: Side, round: number) => Promise<R>,
): Promise<ReadonlyMap<string, readonly R[]>> {
  const all = new Map<string, R[]>(sides.map(({ name }) => [name, []]));
  const bar = progress({ label, total: runs * sides.length, unit: "runs" });
  let done = 0;
  for (let round = 0; round < runs; round++)
    for (const side of sides) {
      all.get(side.name)?.push(await measure(side, round));
      bar.update(++done, runs * sides.length);
    }
  bar.end();
  return all;
}

function told<R>(
  all: ReadonlyMap<string, readonly R[]>,
  { what, unit, seed }: { readonly what: string; readonly unit: string; readonly seed: number },
  valueOf: (run: R) => number,
  factsOf: (runs: readonly R[]) => Readonly<Record<string, string | number>>,
): BenchResult[] {
  const medians = new Map([...all].map(([name, runs]) => [name, median(runs.map(valueOf))]));
  return [...all].map(([name, each]) => {
    const facts: Record<string, string | number> = { ...factsOf(each) };
    const other = medians.get(java.name);
    if (name !== java.name && other !== undefined) facts["ratio to kafka-streams"] = (medians.get(name) ?? Number.NaN) / other;
    return { name: `${what}, ${name}`, unit, runs: each.map(valueOf), median: medians.get(name) ?? Number.NaN, seed, facts };
  });
}
