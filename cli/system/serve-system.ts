/** What is served of a running application, the same in `demo` and `run`: API, readiness, metrics, and its address in its folder. */
import { collectDefaultMetrics } from "prom-client";
import { acrossInstances, dispatchServices, failureForLog, instanceOwnership, startServer, warmSearch, type Access } from "#api";
import type { ZonePolicy } from "#schemas";
import {
  metricsText,
  Placements,
  StreamsMetrics,
  type Application,
  type InstanceStatus,
  type StructuredLogger,
  type ThreadMetrics,
} from "#streams";
import { publishAddress, withdrawAddress } from "../inspect/living-process.ts";
import { registerCellLoad } from "./cell-load-metrics.ts";
import type { System } from "./open-system.ts";
import { readinessOf } from "./readiness.ts";

/** How questions for keys of other instances are passed on. */
export interface OtherInstances {
  /** Patterns of instances that may be asked; none: each answers for itself. */
  readonly peers: readonly string[];
  /** Shown to them. */
  readonly token?: string;
}

export interface ServeOptions {
  readonly system: System;
  /** The folder that the address is left in; undefined: in none. */
  readonly directory: string | undefined;
  readonly access: Access;
  readonly host: string;
  readonly port: number;
  readonly logger: StructuredLogger;
  /** On the clock of the application; default: real time. */
  readonly now?: () => number;
  /** In force where none was published. */
  readonly policy?: ZonePolicy;
  /** Where one process has everything, nothing is ever elsewhere: then it is not used. */
  readonly others?: OtherInstances;
}

export interface ServedSystem extends AsyncDisposable {
  readonly url: string;
  /** From then on its application is what is told of; before, it is not ready. */
  watch(app: Application): void;
  /** The newest counts of every thread; what `/metrics` shows is brought up to them. */
  counts(): Promise<readonly ThreadMetrics[]>;
  /** Unready from now on; questions are still answered. */
  drain(): void;
}

/** Of an instance whose threads have not begun. */
const NO_MEMBER: InstanceStatus = {
  epoch: -1,
  instanceId: "",
  generation: -1,
  owners: { instances: [], tasks: [] },
  running: [],
  restoring: [],
};

/** Listens when it resolves, so that the address may be told to others; topics must exist, for queries and streams read them. */
export async function serveSystem(options: ServeOptions): Promise<ServedSystem> {
  const { system, directory, access, host, port, logger } = options;
  let app: Application | undefined;
  const metrics = new StreamsMetrics();
  registerCellLoad(metrics.registry, system.view);
  const { damage } = system.disk;
  if (damage !== undefined) {
    metrics.stateSetAside();
    logger.warn(damage, "the rows here were damaged: they are set aside and made anew from their changelogs");
  }
  collectDefaultMetrics({ register: metrics.registry, prefix: "slackline_" });
  const counts = async (): Promise<readonly ThreadMetrics[]> => {
    const now = (await app?.metrics()) ?? [];
    now.forEach((count, thread) => metrics.report(thread, count, Date.now()));
    return now;
  };
  const onFailure = (error: unknown, request: string): void => logger.error({ failure: failureForLog(error), request }, "a request failed");
  await using opened = new AsyncDisposableStack();
  // Not ready yet: whoever asks first afterwards does not wait for it.
  warmSearch();
  const services = await servicesOf(options, { app: () => app, counts, onFailure });
  opened.defer(() => services.close());
  const server = await startServer({
    inspector: system.inspector,
    services: services.served,
    access,
    health: { ready: () => readinessOf(app, system) },
    metrics: async () => {
      await counts();
      return metricsText(metrics.registry);
    },
    onFailure,
    host,
    port,
  });
  opened.defer(() => server.close());
  const { url, operatorToken: token } = server;
  if (directory !== undefined) {
    publishAddress(directory, { pid: process.pid, url, ...(token === undefined ? {} : { token }) });
    opened.defer(() => withdrawAddress(directory));
  }
  const stack = opened.move();
  return {
    url,
    watch: (started) => {
      app = started;
    },
    counts,
    drain: () => server.drain(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function servicesOf(
  {
    system: {
      log,
      view,
      topics,
      topology,
      hosting: { feed },
    },
    now = Date.now,
    policy,
    others,
  }: ServeOptions,
  {
    app,
    counts,
    onFailure,
  }: {
    readonly app: () => Application | undefined;
    readonly counts: () => Promise<readonly ThreadMetrics[]>;
    readonly onFailure: (error: unknown, request: string) => void;
  },
) {
  const fallback = policy === undefined ? {} : { policy };
  if (others === undefined || log.capabilities.atomicRows) {
    const own = await dispatchServices({ log, view, feed, topics, now, onFailure, ...fallback });
    return { served: own, close: () => own[Symbol.asyncDispose]() };
  }
  const placements = new Placements({ topology, status: () => app()?.status ?? NO_MEMBER });
  const own = await dispatchServices({ log, view, feed, topics, now, onFailure, ...fallback, ownership: instanceOwnership(placements) });
  const { peers, token } = others;
  const across = acrossInstances({ services: own, placements, topics, peers, metrics: counts, ...(token === undefined ? {} : { token }) });
  const close = async (): Promise<void> => {
    across.close();
    await own[Symbol.asyncDispose]();
  };
  return { served: across, close };
}
