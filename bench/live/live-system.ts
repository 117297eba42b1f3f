/**
 * The application as it lives: embedded log on RocksDB, one stream thread in a worker, the API on the main thread, and in another
 * worker everybody who produces and consumes.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { dispatchServices, localInspector, startServer } from "#api";
import { openDisk } from "#disk";
import { openEmbeddedLog } from "#log";
import { createSerdes, memoryRegistry } from "#schemas";
import { Application, EMBEDDED_COMMIT_INTERVAL_MS, openCommittedView, topicConfigs } from "#streams";
import { buildDispatch, defaultPolicy, dispatchModule, dispatchTopics } from "#topologies";
import { DriverTraffic } from "../locations/driver-traffic.ts";
import { preloadShifts } from "../locations/preload.ts";
import type { Phase, PhaseReport, TrafficMessage, TrafficOrder } from "./messages.ts";

const GROUP = "bench-live";
const PARTITIONS = 12;

export interface LiveOptions {
  readonly seed: number;
  readonly drivers: number;
  readonly policy: string;
}

/** Opens it, puts every driver on duty, and closes it again after `work`. */
export async function withLiveSystem<T>(options: LiveOptions, work: (system: LiveSystem) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "slackline-bench-"));
  const disk = await openDisk({ location: directory, kind: "rocksdb" });
  const log = await openEmbeddedLog({ disk, durability: "process" });
  try {
    const registry = memoryRegistry();
    const policy = { ...defaultPolicy, policy: options.policy };
    const topology = buildDispatch({ registry, partitions: PARTITIONS, defaultPolicy: policy });
    const serdes = createSerdes(registry);
    const topics = dispatchTopics(serdes, { partitions: PARTITIONS });
    await log.topics.ensure(topicConfigs(topology, GROUP));
    const view = openCommittedView({ topology, disk, log, group: GROUP });
    const failures: unknown[] = [];
    const onFailure = (error: unknown): void => void failures.push(error);
    const entry = { schemas: registry.all(), partitions: PARTITIONS, defaultPolicy: policy };
    await using app = new Application({
      topology,
      applicationId: GROUP,
      log,
      disk,
      threads: 1,
      workers: dispatchModule(entry),
      config: { commitIntervalMs: EMBEDDED_COMMIT_INTERVAL_MS },
    });
    await app.start();
    await using services = await dispatchServices({ log, view, topics, policy, now: () => Date.now(), onFailure });
    await using server = await startServer({
      inspector: localInspector({
        log,
        topology,
        view,
        group: GROUP,
      }),
      metrics: () => Promise.resolve(""),
      services,
      onFailure,
      health: {
        ready: () => ({
          ready: true,
          reason: "running",
        }),
      },
      access: { kind: "open" },
      port: 0,
    });
    const startAt = Date.now();
    await preloadShifts({ log, serdes, partitions: PARTITIONS, traffic: new DriverTraffic({ ...options, startAt }) });
    const [diskShare, logShare] = [disk.share(), log.share()];
    if (diskShare === undefined || logShare === undefined) throw new RangeError("this database cannot be shared with workers");
    const order = { disk: diskShare, log: logShare, schemas: registry.all(), partitions: PARTITIONS, ...options, startAt };
    const result = await work({
      url: server.url,
      traffic: (phases, onPhase) => runTraffic({ ...order, phases }, onPhase),
      queries: services.queries,
    });
    if (failures.length > 0) throw failures[0];
    return result;
  } finally {
    await log.close();
    await disk.close();
    await rm(directory, { recursive: true, force: true });
  }
}

export interface LiveSystem {
  readonly url: string;
  readonly queries: Awaited<ReturnType<typeof dispatchServices>>["queries"];
  /** Locations all the time, orders as the phases say; resolves when the last phase is over. */
  traffic(phases: readonly Phase[], onPhase?: (name: string) => void): Promise<readonly PhaseReport[]>;
}

function runTraffic(order: TrafficOrder, onPhase: (name: string) => void = () => {}): Promise<readonly PhaseReport[]> {
  return inWorker<TrafficMessage, readonly PhaseReport[]>(new URL("traffic-worker.ts", import.meta.url), order, (message) => {
    if (message.kind === "done") return message.phases;
    onPhase(message.name);
    return undefined;
  });
}

/** Resolves with the first answer that `take` accepts. */
export function inWorker<M, R>(program: URL, workerData: unknown, take: (message: M) => R | undefined): Promise<R> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { workerData });
    let result: R | undefined;
    worker.on("message", (message: M) => {
      result = take(message) ?? result;
    });
    worker.once("error", reject);
    worker.once("exit", () => {
      if (result === undefined) reject(new Error(`${program.href} ended without a report`));
      else resolve(result);
    });
  });
}

/** Others' work on this machine is in every figure: its load stands beside them. */
export function loadFacts(before: number): Readonly<Record<string, string>> {
  return { "load of the machine, 1 min": `${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after` };
}

export function loadNow(): number {
  return loadavg()[0] ?? 0;
}
