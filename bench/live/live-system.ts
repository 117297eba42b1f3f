/**
 * The application as it lives: embedded log or Kafka, RocksDB, one stream thread in a worker, the API on the main thread, and in
 * another worker everybody who produces and consumes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { loadavg } from "node:os";
import { Worker } from "node:worker_threads";
import { dispatchServices, INDEXED_STORES, localInspector, startServer, warmSearch } from "#api";
import { createSerdes, memoryRegistry } from "#schemas";
import { Application, CommittedFeed, openCommittedView, topicConfigs } from "#streams";
import { buildDispatch, defaultPolicy, dispatchModule, dispatchTopics } from "#topologies";
import { DriverTraffic } from "../locations/driver-traffic.ts";
import { preloadShifts } from "../locations/preload.ts";
import { openGround, type LogKind } from "./ground.ts";
import type { Phase, PhaseReport, TrafficMessage, TrafficOrder } from "./messages.ts";

const GROUP = "bench-live";
const PARTITIONS = 12;
const STARTED_MS_MAX = 120_000;

export interface LiveOptions {
  readonly seed: number;
  readonly drivers: number;
  readonly policy: string;
  /** Default: embedded. */
  readonly log?: LogKind;
  /** False: drivers are looked for in the stores. Default true. */
  readonly index?: boolean;
}

/** Opens it, puts every driver on duty, and closes it again after `work`. */
export async function withLiveSystem<T>(options: LiveOptions, work: (system: LiveSystem) => Promise<T>): Promise<T> {
  await using ground = await openGround(options.log ?? "embedded");
  const { disk, log, workerLog } = ground;
  const registry = memoryRegistry();
  const policy = { ...defaultPolicy, policy: options.policy };
  const topology = buildDispatch({ registry, partitions: PARTITIONS, defaultPolicy: policy });
  const serdes = createSerdes(registry);
  const topics = dispatchTopics(serdes, { partitions: PARTITIONS });
  await log.topics.ensure(topicConfigs(topology, GROUP, log.capabilities));
  const view = openCommittedView({ topology, disk, log, group: GROUP });
  await using feed = new CommittedFeed({ topology, view, stores: INDEXED_STORES });
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  const entry = { schemas: registry.all(), partitions: PARTITIONS, defaultPolicy: policy };
  await using app = new Application({
    topology,
    applicationId: GROUP,
    log,
    disk,
    threads: 1,
    feed,
    workers: dispatchModule(entry),
    ...ground.application,
  });
  await app.start();
  await untilAllRun(app);
  // As `run` and `demo` do.
  warmSearch();
  await using services = await dispatchServices({
    log,
    view,
    topics,
    ...(options.index === false ? {} : { feed }),
    policy,
    now: () => Date.now(),
    onFailure,
  });
  await using server = await startServer({
    inspector: localInspector({ log, topology, view, group: GROUP }),
    metrics: () => Promise.resolve(""),
    services,
    onFailure,
    health: { ready: () => ({ ready: true, reason: "running" }) },
    access: { kind: "open" },
    port: 0,
  });
  const startAt = Date.now();
  await preloadShifts({ log, serdes, partitions: PARTITIONS, traffic: new DriverTraffic({ ...options, startAt }) });
  const { seed, drivers } = options;
  const order = { disk: ground.diskShare, log: workerLog, schemas: registry.all(), partitions: PARTITIONS, seed, drivers, startAt };
  const result = await work({
    url: server.url,
    traffic: (phases, onPhase) => runTraffic({ ...order, phases }, onPhase),
    queries: services.queries,
    effort: () => effortOf(app),
  });
  if (app.error !== undefined) throw app.error;
  if (failures.length > 0) throw failures[0];
  return result;
}

/** In a group tasks come behind the start. */
async function untilAllRun(app: Application): Promise<void> {
  for (const until = performance.now() + STARTED_MS_MAX; app.status.restoring.length > 0;) {
    if (performance.now() > until) throw new Error(`tasks are still being restored after ${STARTED_MS_MAX} ms`);
    await sleep(50);
  }
}

export interface LiveSystem {
  readonly url: string;
  readonly queries: Awaited<ReturnType<typeof dispatchServices>>["queries"];
  effort(): Promise<Effort>;
  /** Locations all the time, orders as the phases say; resolves when the last phase is over. */
  traffic(phases: readonly Phase[], onPhase?: (name: string) => void): Promise<readonly PhaseReport[]>;
}

/** What was done up to a moment. */
export interface Effort {
  readonly atMs: number;
  readonly records: number;
  readonly commits: number;
  /** All of them together, each from its sealing until its answer. */
  readonly commitMs: number;
  /** Of this process: application, traffic, and not the broker. */
  readonly cpuMs: number;
}

async function effortOf(app: Application): Promise<Effort> {
  const counts = await app.metrics();
  const sum = (of: (count: (typeof counts)[number]) => number): number => counts.reduce((total, count) => total + of(count), 0);
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    records: sum(({ recordsProcessed }) => recordsProcessed),
    commits: sum(({ commits }) => commits),
    commitMs: sum(({ commitLatency }) => commitLatency?.sumMs ?? 0),
    cpuMs: (user + system) / 1_000,
  };
}

/** For a bench's facts: what was done between two moments. */
export function effortFacts(from: Effort, to: Effort): Readonly<Record<string, number>> {
  const seconds = (to.atMs - from.atMs) / 1_000;
  const commits = to.commits - from.commits;
  return {
    "records processed a second": (to.records - from.records) / seconds,
    "commits a second": commits / seconds,
    "mean commit, ms": (to.commitMs - from.commitMs) / commits,
    "cores used, without the broker": (to.cpuMs - from.cpuMs) / (to.atMs - from.atMs),
  };
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
