/** A whole application in virtual time over a log in memory: real threads, tasks, stores and commits, and no real clock. */
import { memoryDisk, type Disk } from "#disk";
import { openEmbeddedLog, type Log } from "#log";
import type { Topology } from "../dsl/builder.ts";
import type { CommittedFeed } from "../query/committed-feed.ts";
import type { RowFeedMessage } from "../query/row-feed.ts";
import { splitTasks } from "../runtime/assignment.ts";
import { silentLogger, STREAM_THREAD_DEFAULTS, turnOfLoop, type StreamThreadDefaults } from "../runtime/defaults.ts";
import { runVirtual, VirtualClock, type VirtualActor } from "../runtime/hosts/in-process-host.ts";
import { prepareState } from "../runtime/prepare-state.ts";
import { createStreamThread, type AbandonableStreamThread } from "../runtime/stream-thread.ts";
import type { StructuredLogger, ThreadDependencies, ThreadMetrics } from "../runtime/thread.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";

export interface VirtualApplicationOptions {
  readonly topology: Topology;
  /** Default "app". */
  readonly applicationId?: string;
  /** Default 1. */
  readonly threads?: number;
  /** Default 0. */
  readonly startAt?: number;
  /** Default: a new one in memory. */
  readonly disk?: Disk;
  /** Default: an embedded log over the disk. Wrapped, for faults, when the application is opened. */
  readonly log?: Log;
  readonly wrapLog?: (log: Log, clock: VirtualClock) => Log & VirtualActor;
  /** Defaults in virtual time: values frozen, a commit as soon as there is nothing more to do (`idleCommitMs` 0), every 20 ms else. */
  readonly config?: Partial<StreamThreadDefaults>;
  /** Monotonic milliseconds of the step's yield; default a constant: a step ends when nothing is left to do. */
  readonly stepClock?: () => number;
  readonly logger?: StructuredLogger;
  /** Over the same disk and log. */
  readonly feed?: CommittedFeed;
}

/** Opened by `openApplication`; nothing moves but by `run`. */
export class VirtualApplication {
  readonly clock: VirtualClock;
  readonly disk: Disk;
  readonly log: Log;
  readonly topology: Topology;
  readonly #options: VirtualApplicationOptions;
  readonly #faults: VirtualActor | undefined;
  #threads: readonly AbandonableStreamThread[];

  constructor(options: VirtualApplicationOptions, parts: { readonly disk: Disk; readonly log: Log; readonly clock: VirtualClock }) {
    this.#options = options;
    this.clock = parts.clock;
    this.disk = parts.disk;
    const wrapped = options.wrapLog?.(parts.log, parts.clock);
    this.log = wrapped ?? parts.log;
    this.#faults = wrapped;
    this.topology = options.topology;
    this.#threads = this.#start();
  }

  get threads(): readonly AbandonableStreamThread[] {
    return this.#threads;
  }

  /** Works through every instant up to and at `until`. Rejects with the error of a thread that failed. */
  run(until: number, actors: readonly VirtualActor[] = [], done?: () => boolean): Promise<void> {
    const all = this.#faults === undefined ? actors : [this.#faults, ...actors];
    return runVirtual({ threads: this.#threads, actors: all, clock: this.clock, until, ...(done === undefined ? {} : { done }) });
  }

  /** The threads die without a word, and new ones start over the same log and rows. */
  crash(): void {
    for (const thread of this.#threads) thread.abandon();
    for (const thread of this.#threads.keys()) this.#options.feed?.threadGone(thread);
    this.#threads = this.#start();
  }

  /** Commits what is done and ends the threads; time goes on only as far as delayed commits need it. */
  async stop(): Promise<void> {
    const stopped = Promise.all(this.#threads.map((thread) => thread.stop()));
    for (await turnOfLoop(); this.#threads.some(({ state }) => state === "draining"); await turnOfLoop()) {
      const dueAt = this.#faults?.nextDueAt() ?? Infinity;
      if (dueAt === Infinity) continue;
      this.clock.advanceTo(Math.max(this.clock.now(), dueAt));
      await this.#faults?.run(this.clock.now());
    }
    await stopped;
  }

  /** Stops cleanly and starts anew. */
  async restart(): Promise<void> {
    await this.stop();
    this.#threads = this.#start();
  }

  metrics(): readonly ThreadMetrics[] {
    return this.#threads.map((thread) => thread.metrics());
  }

  #start(): readonly AbandonableStreamThread[] {
    const { topology, applicationId = "app", threads = 1, config, stepClock = () => 0, logger = silentLogger, feed } = this.#options;
    const virtual = { ...STREAM_THREAD_DEFAULTS, commitIntervalMs: 20, idleCommitMs: 0, freeze: true, ...config };
    return splitTasks(topology, threads).map((assignment, thread) =>
      createStreamThread({
        config: { ...virtual, applicationId, instanceId: "virtual", thread },
        dependencies: { topology, log: this.log, disk: this.disk, stepClock, logger, ...rowFeedOf(feed, thread) },
        assignment,
      }),
    );
  }
}

function rowFeedOf(feed: CommittedFeed | undefined, thread: number): Pick<ThreadDependencies, "rowFeed"> {
  if (feed === undefined) return {};
  return { rowFeed: { stores: feed.stores, tell: (message: RowFeedMessage) => feed.hear(thread, message) } };
}

/** Makes topics and state ready; the first step of the threads begins them. */
export async function openApplication(options: VirtualApplicationOptions): Promise<VirtualApplication> {
  const disk = options.disk ?? memoryDisk();
  const log = options.log ?? (await openEmbeddedLog({ disk }));
  const { topology, applicationId = "app" } = options;
  await log.topics.ensure(topicConfigs(topology, applicationId));
  prepareState({ disk, topology, applicationId });
  return new VirtualApplication(options, { disk, log, clock: new VirtualClock(options.startAt ?? 0) });
}

/** Opens an application, runs it with these actors up to `until`, and stops it cleanly. */
export async function runApplication(
  options: VirtualApplicationOptions & { readonly until: number; readonly actors?: readonly VirtualActor[] },
): Promise<VirtualApplication> {
  const application = await openApplication(options);
  await application.run(options.until, options.actors);
  await application.stop();
  return application;
}
