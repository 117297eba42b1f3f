/** One instance of the application as a production process: opened, served, watched, drained. */
import { mkdirSync } from "node:fs";
import type { Access } from "#api";
import { Application, topicConfigs, type StructuredLogger, type ThreadMetrics } from "#streams";
import { openSystem, type System, type SystemOptions } from "../system/open-system.ts";
import { serveSystem } from "../system/serve-system.ts";
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

/**
 * Resolves when it has drained: unready, everything done is committed, out of the group, all closed. Rejects with what made it stop,
 * or with `STOP_TIMEOUT` when draining took longer than `shutdownMs`; what was not committed is done again by whoever comes next.
 */
export async function runInstance(options: RunOptions): Promise<void> {
  const { directory, kind } = options.system;
  mkdirSync(directory, { recursive: true });
  await using system = await openSystem(options.system);
  const { log, topology, applicationId } = system;
  // Before anything is served: queries and streams read topics.
  await log.topics.ensure(topicConfigs(topology, applicationId, log.capabilities));
  const { access, host, port, logger, peers, instanceToken } = options;
  await using served = await serveSystem({
    system,
    directory: kind === "memory" ? undefined : directory,
    access,
    host,
    port,
    logger,
    others: { peers, ...(instanceToken === undefined ? {} : { token: instanceToken }) },
  });
  const { url } = served;
  const app = application(options, system, options.advertise ?? { host, port: Number(new URL(url).port) });
  served.watch(app);
  try {
    options.onOpen({ url, instanceId: app.instanceId, system });
    const ended = Promise.race([options.until, app.ended]);
    const started = app.start();
    started.then(
      () => logger.info({ instance: app.instanceId, url }, "running"),
      () => undefined,
    );
    await untilTold({ ended, started, report: () => served.counts(), onRestore: options.onRestore });
  } finally {
    served.drain();
    logger.info({ instance: app.instanceId, shutdownMs: options.shutdownMs }, "draining");
    if (app.state !== "failed") await app.stop({ deadlineMs: options.shutdownMs });
    // Its other threads commit what they have before the database is closed under them.
    else await withinMs(app.ended, options.shutdownMs);
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
