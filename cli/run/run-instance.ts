/** One instance of the application as a production process: opened, served, watched, drained. */
import { mkdirSync } from "node:fs";
import { collectDefaultMetrics } from "prom-client";
import { acrossInstances, dispatchServices, failureForLog, instanceOwnership, startServer, type Access, type RunningServer } from "#api";
import {
  Application,
  metricsText,
  Placements,
  StreamsMetrics,
  topicConfigs,
  type InstanceStatus,
  type StructuredLogger,
  type ThreadMetrics,
} from "#streams";
import { publishAddress, withdrawAddress } from "../inspect/living-process.ts";
import { registerCellLoad } from "../system/cell-load-metrics.ts";
import { openSystem, type System, type SystemOptions } from "../system/open-system.ts";
import { readinessOf } from "./readiness.ts";
import { restoreProgress, type RestorePicture } from "./restore-progress.ts";

export interface RunOptions {
  readonly system: SystemOptions;
  readonly threads: number;
  readonly dropStores: readonly string[];
  readonly standbys: number;
  readonly commitIntervalMs?: number;
  readonly access: Access;
  readonly host: string;
  readonly port: number;
  /** Patterns of other instances that questions may be sent to; none: each answers for itself. */
  readonly peers: readonly string[];
  /** Shown to them. */
  readonly instanceToken?: string;
  /** Where other instances reach this one; default: where it listens. */
  readonly advertise?: { readonly host: string; readonly port: number };
  readonly logger: StructuredLogger;
  /** Resolves when the instance is to drain. */
  readonly until: Promise<unknown>;
  readonly shutdownMs: number;
  /** Everything is open, and the threads are about to start. */
  readonly onOpen: (instance: OpenInstance) => void;
  /** Every second while tasks are being restored. */
  readonly onRestore: (picture: RestorePicture) => void;
}

export interface OpenInstance {
  readonly url: string;
  readonly instanceId: string;
  readonly system: System;
}

const RESTORE_LOOK_MS = 1_000;
/** Of an instance whose threads have not begun. */
const NO_MEMBER: InstanceStatus = {
  epoch: -1,
  instanceId: "",
  generation: -1,
  owners: { instances: [], tasks: [] },
  running: [],
  restoring: [],
};

/**
 * Resolves when it has drained: unready, everything done is committed, out of the group, all closed. Rejects with what made it stop,
 * or with `STOP_TIMEOUT` when draining took longer than `shutdownMs`; what was not committed is done again by whoever comes next.
 */
export async function runInstance(options: RunOptions): Promise<void> {
  mkdirSync(options.system.directory, { recursive: true });
  await using system = await openSystem(options.system);
  const { log, topology, applicationId } = system;
  // Before anything is served: queries and streams read topics.
  await log.topics.ensure(topicConfigs(topology, applicationId, log.capabilities));
  const holder: { app?: Application } = {};
  const metrics = new StreamsMetrics();
  registerCellLoad(metrics.registry, system.view);
  collectDefaultMetrics({ register: metrics.registry, prefix: "slackline_" });
  const report = async (): Promise<readonly ThreadMetrics[]> => {
    const counts = (await holder.app?.metrics()) ?? [];
    counts.forEach((count, thread) => metrics.report(thread, count, Date.now()));
    return counts;
  };
  await using server = await serve(options, system, {
    app: () => holder.app,
    metrics: async () => {
      await report();
      return metricsText(metrics.registry);
    },
  });
  const app = application(options, system, endpointOf(options, server));
  holder.app = app;
  const { directory, kind } = options.system;
  const { url, operatorToken: token } = server;
  if (kind !== "memory") publishAddress(directory, { pid: process.pid, url, ...(token === undefined ? {} : { token }) });
  try {
    options.onOpen({ url, instanceId: app.instanceId, system });
    const ended = Promise.race([options.until, app.ended]);
    const started = app.start();
    started.then(
      () => options.logger.info({ instance: app.instanceId, url }, "running"),
      () => undefined,
    );
    await untilTold({ ended, started, report, onRestore: options.onRestore });
  } finally {
    server.drain();
    options.logger.info({ instance: app.instanceId, shutdownMs: options.shutdownMs }, "draining");
    try {
      if (app.state !== "failed") await app.stop({ deadlineMs: options.shutdownMs });
      // Its other threads commit what they have before the database is closed under them.
      else await withinMs(app.ended, options.shutdownMs);
    } finally {
      if (kind !== "memory") withdrawAddress(directory);
    }
  }
  if (app.error !== undefined) throw app.error;
}

/** Until it is told to end or has ended; meanwhile whoever watches hears how restoring goes. */
async function untilTold(run: {
  readonly ended: Promise<unknown>;
  readonly started: Promise<void>;
  readonly report: () => Promise<readonly ThreadMetrics[]>;
  readonly onRestore: (picture: RestorePicture) => void;
}): Promise<void> {
  const { ended, started, report, onRestore } = run;
  const over = { now: false };
  const end = ended.finally(() => {
    over.now = true;
  });
  // What made the start fail is why it ended.
  const failed = started.then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => {
      throw error;
    },
  );
  const watch = async (): Promise<void> => {
    while (!over.now) {
      await withinMs(end, RESTORE_LOOK_MS);
      const picture = over.now ? undefined : restoreProgress(await report());
      if (picture !== undefined) onRestore(picture);
    }
  };
  await Promise.race([end, failed, watch().then(() => end)]);
}

/** Until it has settled, or so long. */
async function withinMs(settling: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const slept = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([settling, slept]);
  clearTimeout(timer);
}

function application(options: RunOptions, system: System, endpoint: { readonly host: string; readonly port: number }): Application {
  const { topology, log, disk, applicationId, hosting } = system;
  const { threads, logger, dropStores, commitIntervalMs, standbys } = options;
  return new Application({
    topology,
    applicationId,
    log,
    disk,
    threads,
    logger,
    dropStores,
    config: commitIntervalMs === undefined ? {} : { commitIntervalMs },
    // Where one process has everything there is no group.
    ...(log.capabilities.atomicRows ? {} : { group: { endpoint, assignor: { standbyReplicas: standbys } } }),
    onThreadFailure: () => "replace",
    ...hosting,
  });
}

async function serve(
  { logger, host, port, access, peers, instanceToken }: RunOptions,
  system: System,
  { app, metrics }: { readonly app: () => Application | undefined; readonly metrics: () => Promise<string> },
): Promise<RunningServer> {
  const { log, view, topics, topology, inspector } = system;
  const onFailure = (error: unknown, request: string): void => logger.error({ failure: failureForLog(error), request }, "a request failed");
  // Where one process has everything, nothing is ever elsewhere.
  const placements = log.capabilities.atomicRows ? undefined : new Placements({ topology, status: () => app()?.status ?? NO_MEMBER });
  const ownership = placements === undefined ? {} : { ownership: instanceOwnership(placements) };
  const own = await dispatchServices({ log, view, topics, now: Date.now, onFailure, ...ownership });
  const across =
    placements === undefined
      ? undefined
      : acrossInstances({
          services: own,
          placements,
          topics,
          peers,
          metrics: async () => (await app()?.metrics()) ?? [],
          ...(instanceToken === undefined ? {} : { token: instanceToken }),
        });
  const services = across ?? own;
  const health = { ready: () => readinessOf(app(), system) };
  const server = await startServer({ inspector, services, access, health, metrics, onFailure, host, port });
  const close = async (): Promise<void> => {
    await server.close();
    across?.close();
    await own[Symbol.asyncDispose]();
  };
  return { ...server, close, [Symbol.asyncDispose]: close };
}

function endpointOf({ advertise, host }: RunOptions, { url }: RunningServer): { readonly host: string; readonly port: number } {
  return advertise ?? { host, port: Number(new URL(url).port) };
}
