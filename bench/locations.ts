/**
 * Locations through the `drivers` subtopology: embedded log on RocksDB, exactly once, one stream thread in one worker. Everything
 * is in the log before the time counts, from the first poll to the last commit, and the run is checked against the log afterwards.
 */
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { progress } from "#cli";
import { openDisk, type Disk, type DiskKind } from "#disk";
import { openEmbeddedLog, openKafkaLog, type Durability, type Log } from "#log";
import { KafkaCluster } from "#log/kafka/testing";
import { createSerdes, memoryRegistry } from "#schemas";
import { topicConfigs, WORKER_RESOURCE_LIMITS, type WorkerLog } from "#streams";
import { buildDispatch, type DispatchEntryOptions } from "#topologies";
import { checkRun } from "./locations/check-run.ts";
import { DriverTraffic, STEP_MS } from "./locations/driver-traffic.ts";
import { preloadLocations, preloadShifts } from "./locations/preload.ts";
import { APPLICATION_ID, type WorkerOrder, type WorkerReport } from "./locations/worker-messages.ts";
import { median, type Bench, type BenchResult } from "./result.ts";

const PARTITIONS = 12;
/** Fewer would measure little but the start, when no state is in memory. */
const STEPS_MIN = 4;
/** What is sent unless told otherwise: fifty seconds of driving, the first five of which find no row and no cell in memory. */
const STEPS = 10;
const RECORDS = 1_000_000;
const PROFILE_LINES = 25;
/** A broker beside it on a busy machine may be slow to answer; the records count, not the patience. */
const PATIENCE_MS = 60_000;

interface RunOptions {
  readonly seed: number;
  readonly drivers: number;
  readonly records: number;
  readonly kind: DiskKind;
  readonly logKind: "embedded" | "kafka";
  readonly durability: Durability;
  readonly profile: string | undefined;
}

interface FinishedRun extends WorkerReport {
  readonly records: number;
  readonly cellChanges: number;
  readonly valueBytes: number;
}

export const locations: Bench = async ({ seed, runs, flags }) => {
  const logKind = flags["log"] ?? "embedded";
  if (logKind !== "embedded" && logKind !== "kafka") throw new RangeError(`there is no log "${logKind}": embedded or kafka`);
  const kind = (flags["disk"] ?? "rocksdb") as DiskKind; // openDisk refuses what it does not know
  const results: BenchResult[] = [];
  // Rows on Kafka are never synced: the changelogs are.
  const durabilities = logKind === "kafka" ? "process" : (flags["durability"] ?? "process,power");
  for (const durability of durabilities.split(",") as Durability[]) {
    for (const drivers of (flags["drivers"] ?? "10000,400000").split(",").map(Number)) {
      const wanted = Number(flags["records"] ?? Math.max(RECORDS, STEPS * drivers));
      const records = Math.max(Math.ceil(wanted / drivers), STEPS_MIN) * drivers;
      const finished: FinishedRun[] = [];
      for (let run = 0; run < runs; run++) {
        const profile = flags["cpu-prof"] !== undefined && run === 0 ? profileFile(drivers, durability) : undefined;
        finished.push(await runOnce({ seed: seed + run, drivers, records, kind, logKind, durability, profile }));
      }
      results.push(resultOf(finished, { seed, drivers, kind, logKind, durability }));
    }
  }
  return results;
};

async function runOnce(options: RunOptions): Promise<FinishedRun> {
  const { seed, drivers, records, kind, logKind, durability, profile } = options;
  const directory = await mkdtemp(join(tmpdir(), "slackline-bench-"));
  const disk = await openDisk({ location: directory, kind });
  const place = logKind === "kafka" ? await kafkaPlace() : await embeddedPlace(disk, durability);
  const { log } = place;
  const bar = progress({ label: `${drivers} drivers, ${durability}`, total: records, unit: "locations" });
  try {
    const registry = memoryRegistry();
    const topology = buildDispatch({ registry, partitions: PARTITIONS });
    const serdes = createSerdes(registry);
    await log.topics.ensure(topicConfigs(topology, APPLICATION_ID, log.capabilities));
    // The past, up to now: what an application finds that was stopped for a while.
    const steps = records / drivers;
    const traffic = new DriverTraffic({ seed, drivers, startAt: Date.now() - (steps + 1) * STEP_MS });
    const entry = { schemas: registry.all(), partitions: PARTITIONS };
    const preload = { log, serdes, partitions: PARTITIONS, traffic, progress: (done: number) => bar.update(done, records, "written") };
    await preloadShifts(preload);
    await inWorker({ disk, log: place.workerLog, entry, records: drivers, profile: undefined });
    const valueBytes = await preloadLocations(preload, records);
    bar.update(records, records, "running");
    const report = await inWorker({ disk, log: place.workerLog, entry, records, profile });
    const wrong = await checkRun({ disk, log, topology, serdes, traffic, partitions: PARTITIONS });
    bar.end(`${Math.round((records / report.ms) * 1_000)}/s`);
    if (wrong.length > 0) throw new Error(`the run did not do its work exactly once: ${wrong.join("; ")}`);
    return { ...report, records, cellChanges: traffic.cellChanges, valueBytes };
  } finally {
    await place.close();
    await disk.close();
    await rm(directory, { recursive: true, force: true });
  }
}

interface LogPlace {
  readonly log: Log;
  readonly workerLog: WorkerLog;
  close(): Promise<void>;
}

async function embeddedPlace(disk: Disk, durability: Durability): Promise<LogPlace> {
  const log = await openEmbeddedLog({ disk, durability });
  const share = log.share();
  if (share === undefined) throw new RangeError(`a log on a ${disk.kind} database cannot be shared with a worker`);
  return { log, workerLog: { kind: "shared", share }, close: () => log.close() };
}

/** A broker of its own for each run: the topics' names are the application's. */
async function kafkaPlace(): Promise<LogPlace> {
  const cluster = await KafkaCluster.start({ heapMb: 1_024 });
  const patience = { transactionMsMax: PATIENCE_MS, sessionMsMax: PATIENCE_MS, rebalanceMsMax: PATIENCE_MS };
  const options = { brokers: cluster.brokers, clientId: APPLICATION_ID, ...patience };
  const log = await openKafkaLog(options);
  const close = async (): Promise<void> => {
    await log.close();
    await cluster.close();
  };
  return { log, workerLog: { kind: "kafka", options }, close };
}

async function inWorker({
  disk,
  log,
  entry,
  records,
  profile,
}: {
  readonly disk: Disk;
  readonly log: WorkerLog;
  readonly entry: DispatchEntryOptions;
  readonly records: number;
  readonly profile: string | undefined;
}): Promise<WorkerReport> {
  const diskShare = disk.share();
  if (diskShare === undefined) throw new RangeError(`a ${disk.kind} database cannot be shared with a worker`);
  const order: WorkerOrder = { disk: diskShare, log, topology: entry, records, profile };
  const program = new URL("locations/locations-worker.ts", import.meta.url);
  const worker = new Worker(program, { workerData: order, resourceLimits: WORKER_RESOURCE_LIMITS });
  let report: WorkerReport | undefined;
  worker.on("message", (message: WorkerReport) => {
    report = message;
  });
  await new Promise<void>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
  if (report === undefined) throw new Error("the worker ended without a report");
  return report;
}

function resultOf(
  finished: readonly FinishedRun[],
  { seed, drivers, kind, logKind, durability }: Pick<RunOptions, "seed" | "drivers" | "kind" | "logKind" | "durability">,
): BenchResult {
  const runs = finished.map(({ records, ms }) => (records / ms) * 1_000);
  const of = (fact: (run: FinishedRun) => number): number => median(finished.map(fact));
  const facts = {
    drivers,
    records: of(({ records }) => records),
    "bytes of a value": of(({ valueBytes, records }) => valueBytes / records),
    "share that changes the fine cell": of(({ cellChanges, records }) => cellChanges / records),
    "records sent to matching, per location": of(({ sent, records }) => sent / records),
    "disk, log, guarantee": `${kind}, ${logKind}, exactly once; a commit survives the loss of ${durability === "power" ? "power" : "the process"}`,
    "second half alone, records/s": of(({ laterRate }) => laterRate),
    "fastest tenth alone, records/s": of(({ bestRate }) => bestRate),
    "CPU of the thread, µs a record": of(({ cpuMs, records }) => (cpuMs / records) * 1_000),
    "CPU of the process, µs a record": of(({ processCpuMs, records }) => (processCpuMs / records) * 1_000),
    commits: of(({ commits }) => commits),
    "commits that failed and were done again": of(({ aborts }) => aborts),
    "a commit in the log, ms": of(({ commitMs }) => commitMs),
    verified: "each location consumed, accepted and told to matching exactly once",
    ...profileFacts(finished),
  };
  return {
    name: `${drivers} drivers, ${logKind === "kafka" ? "on Kafka" : `durability ${durability}`}`,
    unit: "records/s",
    runs,
    median: median(runs),
    seed,
    facts,
  };
}

function profileFacts(finished: readonly FinishedRun[]): Readonly<Record<string, string>> {
  const profile = finished.find((run) => run.profile !== undefined)?.profile ?? [];
  return Object.fromEntries(
    profile.slice(0, PROFILE_LINES).map(({ where, share }, index) => [`own time ${index + 1}`, `${(share * 100).toFixed(1)} % ${where}`]),
  );
}

function profileFile(drivers: number, durability: Durability): string {
  const folder = join("bench", "results", "local");
  mkdirSync(folder, { recursive: true });
  return join(folder, `locations-${drivers}-${durability}.cpuprofile`);
}
