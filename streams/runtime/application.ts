/** A topology running in this process: topics made sure of, tasks split over threads, threads started, watched and stopped. */
import assert from "node:assert/strict";
import { markDamaged, type Disk } from "#disk";
import type { Log } from "#log";
import type { Topology } from "../dsl/builder.ts";
import { StreamsError } from "../errors.ts";
import { CommittedPurge } from "./committed-purge.ts";
import { nextApplicationState, type ApplicationEvent, type ApplicationState } from "./application-life.ts";
import { scaledClock, type TimeScale } from "./scaled-clock.ts";
import { createGroupThread, type GroupOptions, type GroupStatus } from "../assignment/group-thread.ts";
import { announceStop } from "../assignment/stop-announcement.ts";
import { splitTasks } from "./assignment.ts";
import {
  EMBEDDED_COMMIT_INTERVAL_MS,
  MAINTAIN_INTERVAL_MS,
  realClock,
  silentLogger,
  STOP_DEADLINE_MS,
  STREAM_THREAD_DEFAULTS,
  type HostClock,
  type StreamThreadDefaults,
} from "./defaults.ts";
import type { HostedThread } from "./hosts/hosted-thread.ts";
import { InThreadHost } from "./hosts/in-thread-host.ts";
import { instanceStatusOf, type InstanceStatus } from "./instance-status.ts";
import { keptInstanceId } from "./instance-id.ts";
import { prepareState } from "./prepare-state.ts";
import { ReplacementLimit } from "./replacement-limit.ts";
import type { CommittedFeed } from "../query/committed-feed.ts";
import type { RowFeedMessage } from "../query/row-feed.ts";
import { createStreamThread } from "./stream-thread.ts";
import type { StreamThreadConfig, StructuredLogger, ThreadMetrics } from "./thread.ts";
import { topicConfigs, topicsOf } from "./topic-configs.ts";
import { WorkerHost } from "./hosts/worker-host.ts";
import type { ThreadTasks, TopologyModule, WorkerLog } from "./hosts/worker-messages.ts";

/** What becomes of the application when a thread has failed: a new thread, this instance stops, all instances stop. */
export type FailureDecision = "replace" | "stop" | "stop-application";

export interface ApplicationOptions {
  readonly topology: Topology;
  /** Consumer group, and prefix of transactional ids and of the dead letters' topic. */
  readonly applicationId: string;
  /** Kept from start to start: a new instance with the same id fences the old one. Default "0"; in a group a name kept in the database. */
  readonly instanceId?: string;
  /** How its threads are members of the application's group; default on a log without `atomicRows`. Else tasks are split over the threads for ever. */
  readonly group?: GroupOptions;
  readonly log: Log;
  readonly disk: Disk;
  /** Default 1. */
  readonly threads?: number;
  /** Each thread in a worker that builds the topology from here; default: all on this event loop. */
  readonly workers?: TopologyModule;
  /** How each worker opens a log of its own; needed where `log` cannot be shared (Kafka), default: a share of `log`. */
  readonly openLog?: WorkerLog;
  readonly config?: Partial<StreamThreadDefaults>;
  /** Stores whose rows may be deleted because the topology changed. */
  readonly dropStores?: readonly string[];
  /** Hears of the committed rows of its stores; over a view of the same topology. */
  readonly feed?: CommittedFeed;
  readonly logger?: StructuredLogger;
  readonly clock?: HostClock;
  /** Time runs faster, here and in the workers; instead of `clock`. */
  readonly time?: TimeScale;
  /** Default: "stop". A thread is replaced at most 3 times a minute. */
  readonly onThreadFailure?: (error: Error, thread: number) => FailureDecision;
}

export class Application implements AsyncDisposable {
  /** Resolves once it has stopped or failed. */
  readonly ended: Promise<void>;
  readonly #options: ApplicationOptions;
  readonly #clock: HostClock;
  /** Deadlines and upkeep are real: a clock that runs faster does not make stopping quicker. */
  readonly #patience: HostClock;
  readonly #logger: StructuredLogger;
  readonly #replacements = new Map<number, ReplacementLimit>();
  #state: ApplicationState = "created";
  #error: Error | undefined;
  readonly #statuses = new Map<number, GroupStatus>();
  #threads: HostedThread[] = [];
  #instanceId: string | undefined;
  #epoch = 0;
  #paused = false;
  #telling: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #end: () => void = () => {};

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (options.time === undefined ? realClock : scaledClock(options.time));
    this.#patience = options.clock ?? realClock;
    this.#logger = options.logger ?? silentLogger;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get state(): ApplicationState {
    return this.#state;
  }

  /** Why it failed. */
  get error(): Error | undefined {
    return this.#error;
  }

  /**
   * Creates missing topics, checks that the state belongs to this topology, starts the threads; resolves when all of them run.
   * Rejects with TopologyError (`MANIFEST_MISMATCH`), LogError (`TOPIC_MISMATCH`), or what made a thread fail.
   */
  async start(): Promise<void> {
    this.#become("start");
    const { topology, applicationId, log, disk, dropStores = [] } = this.#options;
    try {
      await log.topics.ensure(topicConfigs(topology, applicationId, log.capabilities));
      prepareState({ disk, topology, applicationId, dropStores });
      // Read from the database before anything relies on it.
      assert(this.instanceId !== "", "an instance has a name");
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      this.#end();
      throw error;
    }
    this.#threads = this.#tasksOf(this.#options.threads ?? 1).map((tasks, thread) => this.#host(thread, tasks));
    await Promise.all(this.#threads.map(({ running }) => running));
    // Whoever failed at once is heard before this goes on.
    await Promise.all(this.#threads.filter(({ state }) => state === "failed").map(({ ended }) => ended));
    if (this.#error !== undefined) throw this.#error;
    this.#become("started");
    void this.#maintain();
  }

  /**
   * Commits what is done and ends every thread. Rejects with `STOP_TIMEOUT` after `deadlineMs` (default 30 s): threads that
   * still run are then ended without a commit, and what they had not committed is done again at the next start.
   */
  stop(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.deadlineMs ?? STOP_DEADLINE_MS);
    return this.#stopping;
  }

  /** Who runs what in the group, and what of it runs here, as far as this instance has heard. */
  get status(): InstanceStatus {
    return instanceStatusOf(this.instanceId, this.#epoch, [...this.#statuses.values()]);
  }

  /** First part of its members' names. */
  get instanceId(): string {
    const { instanceId, disk } = this.#options;
    this.#instanceId ??= instanceId ?? (this.#group === undefined ? "0" : keptInstanceId(disk));
    return this.#instanceId;
  }

  /** One more member of the group; resolves with its number when it runs, or has failed. Only in a group. */
  async addThread(): Promise<number> {
    const group = this.#mustGroup();
    const taken = new Set(this.#threads.map(({ thread }) => thread));
    let number = 0;
    while (taken.has(number)) number++;
    const hosted = this.#host(number, { kind: "group", group });
    this.#threads.push(hosted);
    await hosted.running;
    return number;
  }

  /** The last thread commits, leaves and ends; its tasks go to others. Resolves with its number; undefined when there is none. Only in a group. */
  async removeThread(): Promise<number | undefined> {
    this.#mustGroup();
    const hosted = this.#threads.pop();
    if (hosted === undefined) return undefined;
    hosted.stop();
    await hosted.ended;
    return hosted.thread;
  }

  /** Nothing is read or processed until `resume`; what was done is committed, and tasks stay here. */
  pause(): void {
    this.#pauseAll(true);
  }

  resume(): void {
    this.#pauseAll(false);
  }

  /** The newest counts of every thread. */
  metrics(): Promise<readonly ThreadMetrics[]> {
    return Promise.all(this.#threads.map((thread) => thread.metrics()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #group(): GroupOptions | undefined {
    const { group, log } = this.#options;
    return group ?? (log.capabilities.atomicRows ? undefined : {});
  }

  #mustGroup(): GroupOptions {
    assert(this.#state === "running", "threads come and go while the application runs");
    const group = this.#group;
    assert(group !== undefined, "tasks that are split for ever cannot be split anew: give `group`");
    return group;
  }

  #tasksOf(threads: number): readonly ThreadTasks[] {
    const group = this.#group;
    if (group !== undefined) return Array.from({ length: threads }, () => ({ kind: "group", group }));
    return splitTasks(this.#options.topology, threads).map((assignment) => ({ kind: "static", assignment }));
  }

  #pauseAll(paused: boolean): void {
    this.#paused = paused;
    for (const hosted of this.#threads) hosted.setPaused(paused);
  }

  #host(thread: number, tasks: ThreadTasks): HostedThread {
    const { log, disk, workers, topology, time, openLog, feed } = this.#options;
    const config = this.#threadConfig(thread);
    const onStatus = (status: GroupStatus): void => {
      this.#epoch++;
      this.#statuses.set(thread, status);
    };
    const onRows = (message: RowFeedMessage): void => feed?.hear(thread, message);
    let hosted: HostedThread;
    if (workers === undefined) {
      const dependencies = {
        topology,
        log,
        disk,
        stepClock: () => this.#clock.monotonic(),
        logger: this.#logger,
        ...(feed === undefined ? {} : { rowFeed: { stores: feed.stores, tell: onRows } }),
      };
      const plain =
        tasks.kind === "static"
          ? createStreamThread({ config, dependencies, assignment: tasks.assignment })
          : createGroupThread({ config, dependencies, group: tasks.group, onStatus });
      hosted = new InThreadHost({ number: thread, thread: plain, log, clock: this.#clock });
    } else {
      const diskShare = disk.share();
      const workerLog = openLog ?? sharedLog(log);
      assert(diskShare, `a ${disk.kind} database cannot be shared with workers: leave out the workers`);
      assert(workerLog, `a ${log.name} log cannot be shared with workers: give openLog, or leave out the workers`);
      hosted = new WorkerHost({
        start: {
          disk: diskShare,
          log: workerLog,
          topology: workers,
          config,
          tasks,
          ...(time === undefined ? {} : { time }),
          ...(feed === undefined ? {} : { fedStores: feed.stores }),
        },
        logger: this.#logger,
        onStatus,
        onRows,
      });
    }
    if (this.#paused) hosted.setPaused(true);
    void hosted.ended.then((error) => this.#threadEnded(hosted, tasks, error));
    return hosted;
  }

  #threadConfig(thread: number): StreamThreadConfig {
    const { applicationId, log, config } = this.#options;
    const commitIntervalMs = log.capabilities.atomicRows ? EMBEDDED_COMMIT_INTERVAL_MS : STREAM_THREAD_DEFAULTS.commitIntervalMs;
    return { ...STREAM_THREAD_DEFAULTS, commitIntervalMs, ...config, applicationId, instanceId: this.instanceId, thread };
  }

  #threadEnded(hosted: HostedThread, tasks: ThreadTasks, error: Error | undefined): void {
    if (this.#statuses.delete(hosted.thread)) this.#epoch++;
    this.#options.feed?.threadGone(hosted.thread);
    if (error === undefined || (this.#state !== "running" && this.#state !== "starting")) return;
    const { thread } = hosted;
    const limit = this.#replacements.get(thread) ?? new ReplacementLimit();
    this.#replacements.set(thread, limit);
    const decision = endsAll(error) ? "stop" : (this.#options.onThreadFailure?.(error, thread) ?? "stop");
    this.#logger.error({ thread, error, decision }, "a stream thread has failed");
    const index = this.#threads.indexOf(hosted);
    if (decision === "replace" && this.#state === "running" && index >= 0 && limit.allows(this.#clock.now())) {
      this.#threads[index] = this.#host(thread, tasks);
      return;
    }
    if (decision === "stop-application" && tasks.kind === "group") this.#telling = this.#tellAll();
    this.#fail(error);
  }

  /** Best effort: whoever does not hear it goes on. */
  async #tellAll(): Promise<void> {
    const { log, topology, applicationId } = this.#options;
    try {
      await announceStop({ log, topology, applicationId, instanceId: this.instanceId, clock: this.#clock });
    } catch (error) {
      this.#logger.error({ error }, "the other instances could not be told to stop");
    }
  }

  /** The others commit what they have; nothing goes on. */
  #fail(cause: Error): void {
    this.#error ??= cause;
    this.#become("fail");
    const { disk, log } = this.#options;
    // Rows can be made anew from their changelogs, a log cannot.
    if ("code" in cause && cause.code === "DISK_CORRUPT" && !log.capabilities.atomicRows) markDamaged(disk.location, cause.message);
    for (const hosted of this.#threads) hosted.stop();
    void Promise.all([...this.#threads.map(({ ended }) => ended), this.#telling]).then(() => this.#end());
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#become("stop");
    for (const hosted of this.#threads) hosted.stop();
    const ended = Promise.all(this.#threads.map((hosted) => hosted.ended));
    await this.#patience.sleep(deadlineMs, ended);
    const late = this.#threads.filter(({ state }) => state !== "stopped" && state !== "failed");
    for (const hosted of late) hosted.abandon();
    if (late.length > 0) {
      this.#error ??= new StreamsError(
        "STOP_TIMEOUT",
        `Threads ${late.map(({ thread }) => thread).join(", ")} had not stopped after ${deadlineMs} ms; they are ended.`,
      );
      this.#become("fail");
    } else {
      const [error] = (await ended).filter((each) => each !== undefined);
      this.#error ??= error;
      this.#become(this.#error === undefined ? "ended" : "fail");
    }
    this.#end();
    if (late.length > 0) throw this.#error;
  }

  /** What is committed and old, retention and compaction, now and then. */
  async #maintain(): Promise<void> {
    const { log, topology, applicationId } = this.#options;
    const purge = new CommittedPurge({ log, group: applicationId, topics: topicsOf(topology), logger: this.#logger });
    while (this.#state === "running") {
      await this.#patience.sleep(MAINTAIN_INTERVAL_MS, this.ended);
      if (this.#state !== "running") return;
      await purge.round(this.#clock.now());
      try {
        await log.maintain(this.#clock.now());
      } catch (error) {
        this.#logger.warn({ error }, "the upkeep of the log failed; it is tried again later");
      }
    }
  }

  #become(event: ApplicationEvent): void {
    const next = nextApplicationState(this.#state, event);
    assert(next !== null, `${event} cannot happen while the application is ${this.#state}`);
    this.#state = next;
  }
}

/** Whatever the host would decide: another thread would come to the same end, by the same member, place or database. */
const ENDS_ALL: readonly unknown[] = ["STOPPED_BY_MEMBER", "MEMBER_FENCED", "DISK_FULL", "DISK_CORRUPT"];

function endsAll(error: Error): boolean {
  return "code" in error && ENDS_ALL.includes(error.code);
}

function sharedLog(log: Log): WorkerLog | undefined {
  const share = log.share();
  return share === undefined ? undefined : { kind: "shared", share };
}
