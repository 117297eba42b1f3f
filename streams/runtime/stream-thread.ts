/**
 * A stream thread: the tasks it was given, one reader, one writer, one transaction at a time. Plain and passive: a host calls
 * `step`, and everything that takes a while is a promise whose outcome the next step finds.
 */
import assert from "node:assert/strict";
import type { LogError, Membership } from "#log";
import { SerdeError } from "#state";
import { StreamsError } from "../errors.ts";
import { LatencyHistogram } from "../metrics/latency-histogram.ts";
import { codeOf } from "../task/dead-letter.ts";
import type { InputPartition } from "../task/input-partition.ts";
import type { Task } from "../task/task.ts";
import { asError } from "./as-error.ts";
import type { Assignment } from "./assignment.ts";
import { CarefulMode } from "./careful-mode.ts";
import { UNITS_PER_STEP_MAX, UNITS_PER_TURN } from "./defaults.ts";
import { asUnreadable, hopeless, isContentsFault, isFenced, isRefused, isRetriable, isStuck } from "./failure-kinds.ts";
import { memberIdOf, transactionalIdOf } from "./instance-id.ts";
import { ReplacementLimit } from "./replacement-limit.ts";
import { RetryBackoff } from "./retry-backoff.ts";
import { CommitGate } from "./session/commit-gate.ts";
import { prepareOpening, taskNames, type Opening } from "./session/prepare-tasks.ts";
import { ThreadSession } from "./session/thread-session.ts";
import { countWork, NO_WORK, type WorkCounts } from "./thread-counts.ts";
import { nextThreadState, type ThreadEvent } from "./thread-life.ts";
import type { StepResult, StreamThread, StreamThreadConfig, StreamThreadState, ThreadDependencies, ThreadMetrics } from "./thread.ts";

export interface StreamThreadOptions {
  readonly config: StreamThreadConfig;
  readonly dependencies: ThreadDependencies;
  readonly assignment: Assignment;
  /** The member of the group that the assignment is for: commits are fenced by its generation. */
  readonly membership?: Membership;
}

const NEVER = Infinity;

/** A stream thread that has not begun; its first step begins it. */
export function createStreamThread(options: StreamThreadOptions): AbandonableStreamThread {
  return new TaskThread(options);
}

/** What a host uses beyond the contract. */
export interface AbandonableStreamThread extends StreamThread {
  /** Drops everything at once, committing nothing: for a stop that takes too long, or because of an error from outside. */
  abandon(error?: Error): void;
  /** Asked in each step until it is true: what was done at the first time is committed, and nothing more is until `resumeCommits`. */
  endTransaction(): boolean;
  resumeCommits(): void;
  /** The member was put out of its group: nothing of what is not committed may be committed any more, and no task is its own. */
  loseTasks(): void;
  /** While it is set nothing is read or processed; what was done is committed. */
  paused: boolean;
  /**
   * The tasks of a new generation. Those that stay go on; the others take nothing more, are committed and closed by the next steps;
   * new ones are opened as soon as their rows are there. Whoever owned these before must have given them up.
   */
  reassign(assignment: Assignment): void;
  /** True until the tasks that are not assigned any more are given up. */
  readonly retiring: boolean;
  readonly tasks: readonly Task[];
}

class TaskThread implements AbandonableStreamThread {
  paused = false;
  readonly #config: StreamThreadConfig;
  readonly #dependencies: ThreadDependencies;
  readonly #membership: Membership | undefined;
  readonly #careful = new CarefulMode();
  readonly #gate = new CommitGate();
  readonly #backoff: RetryBackoff;
  readonly #fences = new ReplacementLimit();
  readonly #latency = new LatencyHistogram();
  #state: StreamThreadState = "created";
  #error: Error | undefined;
  #now = -NEVER;
  #session: ThreadSession | undefined;
  #assignment: Assignment;
  #retryAt = -NEVER;
  /** An opening or a closing under way. */
  #pending: Promise<void> | undefined;
  #opened: Opening | Error | undefined;
  #stopping: Promise<void> | undefined;
  #turn = 0;
  #committedWork: WorkCounts = NO_WORK;
  #baseWork: WorkCounts = NO_WORK;
  #sealedWork: WorkCounts = NO_WORK;
  #commits = 0;
  #aborts = 0;
  /** Of the sessions before this one. */
  #restores = 0;
  #restoredRecords = 0;
  #rowsDropped = 0;

  constructor({ config, dependencies, assignment, membership }: StreamThreadOptions) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#assignment = assignment;
    this.#membership = membership;
    this.#backoff = new RetryBackoff(config.thread + 1);
  }

  get state(): StreamThreadState {
    return this.#state;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  get tasks(): readonly Task[] {
    return this.#session?.tasks ?? [];
  }

  step(now: number): StepResult {
    // A clock that jumps back stands still.
    if (now > this.#now) this.#now = now;
    let worked = true;
    try {
      if (this.#state === "created") this.#start();
      else if (this.#state === "starting") worked = this.#goOnStarting();
      else if (this.#state === "running") worked = this.#work();
      else worked = false;
    } catch (error) {
      this.#broke(error);
    }
    const session = this.#session;
    const pending = this.#pending !== undefined || session?.commits.waiting === true || session?.preparing !== undefined;
    return { worked, pending, nextDueAt: this.#nextDueAt() };
  }

  async settled(): Promise<void> {
    const session = this.#session;
    if (this.#pending !== undefined || session === undefined) await this.#pending;
    else if (session.preparing === undefined || !session.commits.waiting) await (session.preparing ?? session.commits.settling);
    else await Promise.race([session.preparing, session.commits.settling]);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  endTransaction(): boolean {
    return this.#gate.close();
  }

  resumeCommits(): void {
    this.#gate.open();
  }

  loseTasks(): void {
    this.#assignment = { generation: -1, tasks: [], standbys: [] };
    if (this.#state !== "running") return;
    this.#dependencies.logger.warn({ thread: this.#config.thread }, "this member was put out of its group: uncommitted work is dropped");
    this.#aborts++;
    this.#dropSession();
    this.#become("lost");
  }

  abandon(error?: Error): void {
    if (this.#state === "stopped" || this.#state === "failed") return;
    this.#fail(
      error ?? new StreamsError("STOP_TIMEOUT", `Thread ${this.#config.thread} did not stop in time; its uncommitted work is dropped.`),
    );
  }

  reassign(assignment: Assignment): void {
    this.#assignment = assignment;
    this.#dependencies.logger.info({ thread: this.#config.thread, tasks: taskNames(assignment.tasks) }, "tasks are assigned anew");
    this.#session?.reassign(assignment);
  }

  get retiring(): boolean {
    return this.#session?.retiring ?? false;
  }

  metrics(): ThreadMetrics {
    const { recordsProcessed, recordsSent, deadLettersByCode } = this.#committedWork;
    const inputs = this.tasks.flatMap(({ name, inputs }) => inputs.map((input) => ({ name, input })));
    return {
      recordsProcessed,
      recordsForwarded: recordsSent,
      deadLetters: Object.values(deadLettersByCode).reduce((sum, count) => sum + count, 0),
      deadLettersByCode,
      commits: this.#commits,
      aborts: this.#aborts,
      restores: this.#restores + (this.#session?.restores ?? 0),
      restoredRecords: this.#restoredRecords + (this.#session?.restoredRecords ?? 0),
      rowsDropped: this.#rowsDropped + (this.#session?.rowsDropped ?? 0),
      following: this.#session?.following(this.#now) ?? [],
      commitLatency: this.#latency.counts(),
      bufferedRecords: inputs.reduce((sum, { input }) => sum + input.bufferedRecords, 0),
      bufferedBytes: inputs.reduce((sum, { input }) => sum + input.bufferedBytes, 0),
      lag: inputs.map(({ name, input }) => this.#lag(name, input)),
    };
  }

  #start(): void {
    this.#become("start");
    this.#dependencies.logger.info({ thread: this.#config.thread, tasks: taskNames(this.#assignment.tasks) }, "stream thread starts");
    if (this.#isMember) this.#beginOpening();
  }

  /** Where there is a group, it is a member first and writes then: whoever is fenced for being gone from it has not come back. */
  get #isMember(): boolean {
    return this.#membership === undefined || this.#membership.generation >= 0;
  }

  #beginOpening(): void {
    const { topology, log } = this.#dependencies;
    const { applicationId } = this.#config;
    const closing = this.#pending ?? Promise.resolve();
    const membership = this.#membership;
    this.#pending = closing
      .then(() =>
        prepareOpening({
          log,
          topology,
          assignment: this.#assignment,
          group: applicationId,
          transactionalId: transactionalIdOf(applicationId, memberIdOf(this.#config)),
          ...(membership === undefined ? {} : { membership }),
        }),
      )
      .then(
        (opening) => this.#settle(opening),
        (error: unknown) => this.#settle(asError(error)),
      );
  }

  #settle(opened: Opening | Error): void {
    this.#opened = opened;
    this.#pending = undefined;
  }

  #goOnStarting(): boolean {
    this.#gate.advance(undefined);
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened instanceof Error) throw opened;
    if (opened !== undefined) {
      this.#open(opened);
      return true;
    }
    if (this.#pending !== undefined || this.#now < this.#retryAt || !this.#isMember) return false;
    this.#beginOpening();
    return true;
  }

  #open(opening: Opening): void {
    const config = this.#config;
    const { condemned } = this.#careful;
    let session: ThreadSession | undefined;
    try {
      session = new ThreadSession({ config, dependencies: this.#dependencies, opening, condemned, latency: this.#latency });
      session.open(this.#assignment, this.#now);
    } catch (error) {
      session?.closeTasks();
      this.#closeAfter(Promise.resolve(), session ?? { close: () => opening.writer.close() });
      throw asUnreadable(this.#config.thread, error);
    }
    this.#session = session;
    this.#baseWork = this.#committedWork;
    this.#become("opened");
    this.#dependencies.logger.info({ thread: config.thread, careful: this.#careful.on }, "stream thread runs");
  }

  #work(): boolean {
    const session = this.#session;
    assert(session, "a running thread has tasks");
    const settled = this.#takeOutcome(session);
    if (this.#state !== "running") return true;
    const moved = this.#stepSession(session) || settled;
    if (this.#gate.advance(session.commits)) {
      this.#commit(session);
      return true;
    }
    return (this.#careful.on ? this.#workCarefully(session) : this.#workFreely(session)) || moved;
  }

  /** Once a step, so that tasks that run keep their pace beside those that are restored. */
  #stepSession(session: ThreadSession): boolean {
    try {
      return session.step(this.#now);
    } catch (error) {
      throw asUnreadable(this.#config.thread, error);
    }
  }

  #workFreely(session: ThreadSession): boolean {
    const { feed, commits } = session;
    const endsAt = this.#dependencies.stepClock() + this.#config.stepMs;
    let total = 0;
    let fedOnce = false;
    for (;;) {
      const fed = !this.paused && feed.feed();
      const units = this.#turns(session, endsAt);
      total += units;
      fedOnce ||= fed;
      const over = this.#dependencies.stepClock() >= endsAt || total >= UNITS_PER_STEP_MAX;
      if (this.#gate.isOpen && commits.due(this.#now, units === 0 && !fed)) {
        this.#commit(session);
        return true;
      }
      if (over || (units === 0 && !fed) || commits.full) return total > 0 || fedOnce;
    }
  }

  /** Each task in turn, until none has anything to do or the time is over. The next call goes on with the next task. */
  #turns({ tasks, commits }: ThreadSession, endsAt: number): number {
    let total = 0;
    let idle = 0;
    while (!this.paused && idle < tasks.length && !commits.full && total < UNITS_PER_STEP_MAX) {
      const task = tasks[this.#turn++ % tasks.length] as Task; // in bounds
      const units = task.run(this.#now, UNITS_PER_TURN);
      idle = units === 0 ? idle + 1 : 0;
      total += units;
      if (units > 0) commits.worked(this.#now, units);
      if (this.#dependencies.stepClock() >= endsAt) break;
    }
    return total;
  }

  #workCarefully(session: ThreadSession): boolean {
    const { feed, tasks, commits } = session;
    if (commits.inFlight || this.paused || !this.#gate.isOpen) return false;
    const fed = feed.feed();
    for (let tried = 0; tried < tasks.length; tried++) {
      const task = tasks[this.#turn++ % tasks.length] as Task; // in bounds
      if (task.run(this.#now, 1) === 0) continue;
      commits.worked(this.#now, 1);
      if (commits.dirty) this.#commitCarefully(session, task);
      return true;
    }
    return fed;
  }

  #commit({ commits, tasks }: ThreadSession): void {
    const { units } = commits;
    this.#sealedWork = countWork(this.#baseWork, tasks);
    try {
      commits.start();
    } catch (error) {
      if (isContentsFault(asError(error))) this.#careful.enter(units);
      throw error;
    }
  }

  #commitCarefully(session: ThreadSession, task: Task): void {
    this.#careful.carries(task, false);
    try {
      session.commits.start();
    } catch (error) {
      if (isRefused(error)) throw this.#blamed(error, 1);
      if (!(error instanceof SerdeError)) throw error;
      task.condemnLastUnit(error);
      session.commits.start();
      this.#careful.carries(task, true);
    }
    this.#sealedWork = countWork(this.#baseWork, session.tasks);
  }

  /** True when there was one. A failed commit throws. */
  #takeOutcome({ commits }: ThreadSession): boolean {
    const outcome = commits.takeOutcome();
    if (outcome === undefined) return false;
    if (outcome.committed) {
      this.#commits++;
      this.#committedWork = this.#sealedWork;
      this.#backoff.succeeded();
      if (this.#careful.on) this.#careful.committed();
      return true;
    }
    const { error, units } = outcome;
    throw isRefused(error) ? this.#blamed(error, units + commits.units) : error;
  }

  /** The content of a commit of so many units was refused: from now on one by one, or without the one that it was. */
  #blamed(error: LogError, units: number): Error {
    if (this.#careful.on && !this.#careful.refused(error)) return hopeless(this.#config.thread, error);
    this.#careful.enter(units);
    return error;
  }

  #broke(error: unknown): void {
    const cause = asError(error);
    const { logger, disk } = this.#dependencies;
    if (!(isRetriable(cause) || this.#isAnswered(cause)) || isStuck(cause, disk, this.#config.reserveBytes)) return this.#fail(cause);
    const retryAt = this.#backoff.next(this.#now, isContentsFault(cause));
    if (retryAt === undefined) return this.#fail(cause);
    logger.warn({ thread: this.#config.thread, error: cause, retryAt }, "uncommitted work is dropped; going on from what was committed");
    this.#aborts++;
    this.#retryAt = retryAt;
    this.#dropSession();
    this.#become("lost");
  }

  /** In a group it says who goes on: fenced by others who took it for dead, a member that is one still, or again, writes anew. */
  #isAnswered(error: Error): boolean {
    return isFenced(error) && this.#membership !== undefined && this.#fences.allows(this.#now);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#dependencies.logger.error({ thread: this.#config.thread, error }, "stream thread failed");
    this.#dropSession();
    this.#become("fatal");
  }

  /** Tasks end now, reader and writer as soon as what is under way has ended. */
  #dropSession(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    this.#restores += session.restores;
    this.#restoredRecords += session.restoredRecords;
    this.#rowsDropped += session.rowsDropped;
    session.closeTasks();
    this.#closeAfter(session.commits.settling, session);
  }

  /** Nothing is opened again before what was open is closed. */
  #closeAfter(settling: Promise<void>, open: { close(): Promise<void> }): void {
    const closing = settling.then(() => open.close());
    const pending = closing.finally(() => {
      if (this.#pending === pending) this.#pending = undefined;
    });
    this.#pending = pending;
  }

  async #stop(): Promise<void> {
    this.#become("stop");
    await this.#nothingPending();
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined && !(opened instanceof Error)) await opened.writer.close();
    if (this.#session !== undefined) await this.#drain(this.#session);
    await this.#nothingPending();
    if (this.#state !== "draining") return;
    this.#become("drained");
    this.#dependencies.logger.info({ thread: this.#config.thread }, "stream thread stopped");
  }

  async #nothingPending(): Promise<void> {
    while (this.#pending !== undefined) await this.#pending;
  }

  /** Commits what is done. What cannot be committed is dropped: the next start does it again. */
  async #drain(session: ThreadSession): Promise<void> {
    try {
      for (let commits = 0; commits < 2 && this.#session === session; commits++) {
        await session.commits.settling;
        // Abandoned meanwhile: what was written with that commit may be somebody else's by now.
        if (this.#session !== session) return;
        this.#takeOutcome(session);
        if (!session.commits.dirty) break;
        this.#commit(session);
      }
      await session.commits.settling;
      if (this.#session !== session) return;
      this.#takeOutcome(session);
      this.#dropSession();
    } catch (error) {
      if (this.#state === "draining") this.#broke(error);
    }
  }

  #lag(task: string, input: InputPartition): ThreadMetrics["lag"][number] {
    const { topic, partition, position, headTimestamp, waitsFor } = input;
    const end = this.#session?.reader.endOffset({ topic: topic.name, partition }) ?? position;
    const waits = waitsFor === undefined ? {} : { waitsFor: codeOf(waitsFor, "UNKNOWN") };
    return { task, topic: topic.name, partition, records: Math.max(0, end - position), headTimestamp, ...waits };
  }

  #nextDueAt(): number {
    if (this.#state === "starting") return this.#pending === undefined && this.#isMember ? this.#retryAt : NEVER;
    const session = this.#session;
    if (this.#state !== "running" || session === undefined) return NEVER;
    const { commits, tasks } = session;
    // Nothing more is taken before the answer is there, whatever is due: the answer wakes the host, not the clock.
    if ((commits.waiting || !this.#gate.isOpen) && (this.#careful.on || commits.full)) return NEVER;
    let due = this.#gate.isOpen ? commits.nextDueAt() : NEVER;
    if (this.paused) return due;
    for (const task of tasks) due = Math.min(due, task.nextDueAt());
    return due;
  }

  #become(event: ThreadEvent): void {
    const next = nextThreadState(this.#state, event);
    assert(next !== null, `thread ${this.#config.thread}: ${event} cannot happen while ${this.#state}`);
    this.#state = next;
  }
}
