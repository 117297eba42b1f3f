/**
 * What lives from one opening of a thread to the next: reader, writer, the tasks that run, those whose rows are still being restored,
 * the standbys, and the commits. Its tasks can change while it lives.
 *
 *     prepared ──rows restored──▶ running ──not assigned any more──▶ retired ──committed──▶ closed
 */
import assert from "node:assert/strict";
import { VolumeReserve } from "#disk";
import type { Reader } from "#log";
import { SerdeError } from "#state";
import type { TaskProgress } from "../../changelog/changelog.ts";
import { ChangelogFollower } from "../../changelog/changelog-follower.ts";
import { ChangelogWriter } from "../../changelog/changelog-writer.ts";
import { lostOrTaken, offsetsLookLost, type StateOfTask } from "../../changelog/offsets-lost.ts";
import { isRetriableCondition } from "../../retriable.ts";
import type { LatencyHistogram } from "../../metrics/latency-histogram.ts";
import type { CondemnedUnit, Task } from "../../task/task.ts";
import { RowTap } from "../../query/row-feed.ts";
import { taskName } from "../../task/task-id.ts";
import { asError } from "../as-error.ts";
import type { Assignment } from "../assignment.ts";
import { CommitCycle } from "../commit-cycle.ts";
import { FOLLOWED_LOOK_BYTES, POLL_BYTES_MAX } from "../defaults.ts";
import { prepareState } from "../prepare-state.ts";
import type { StreamThreadConfig, ThreadDependencies } from "../thread.ts";
import { InputFeed } from "./input-feed.ts";
import { openTask, type TaskDependencies } from "./open-task.ts";
import { prepareTasks, subtopologyOf, type Opening, type Prepared, type PreparedStandby, type PreparedTask } from "./prepare-tasks.ts";

export interface ThreadSessionOptions {
  readonly config: StreamThreadConfig;
  readonly dependencies: ThreadDependencies;
  readonly opening: Opening;
  readonly condemned: readonly CondemnedUnit[];
  readonly latency: LatencyHistogram;
}

export class ThreadSession {
  readonly reader: Reader;
  readonly feed: InputFeed;
  readonly commits: CommitCycle;
  /** Running or retired. */
  readonly tasks: Task[] = [];
  /** Tasks opened with committed state behind them. */
  restores = 0;
  readonly #options: ThreadSessionOptions;
  readonly #taskDependencies: TaskDependencies;
  readonly #follower: ChangelogFollower | undefined;
  readonly #tap: RowTap | undefined;
  /** Tasks whose rows are not there yet. */
  readonly #restoring = new Map<string, PreparedTask>();
  /** Rows of these were dropped as unreadable: not a second time. */
  readonly #startedOver = new Set<string>();
  /** Tasks whose rows were beyond the end of a changelog when the log was asked. */
  readonly #askedAgain = new Set<string>();
  #assignment: Assignment;
  #preparing: Promise<void> | undefined;
  /** Asked once more for offsets that seem to be lost; what becomes of it is thrown by the next step. */
  #doubting: Promise<void> | undefined;
  #prepared: Prepared | Error | undefined;
  #closed = false;

  /** Nothing is opened yet. Throws TopologyError for rows of another application or topology. */
  constructor(options: ThreadSessionOptions) {
    const { config, dependencies, opening, condemned, latency } = options;
    const { topology, log, disk, stepClock, logger } = dependencies;
    const { writer } = opening;
    this.#options = options;
    this.#assignment = opening.assignment;
    const storeIds = prepareState({ disk, topology, applicationId: config.applicationId });
    // One poll beyond its mark is what a buffer holds at most.
    this.reader = log.reader({ pollBytesMax: Math.min(POLL_BYTES_MAX, config.bufferBytesMax) });
    this.feed = new InputFeed(this.reader);
    const { atomicRows } = log.capabilities;
    const { reserveBytes } = config;
    const reserve = (lookBytes: number): VolumeReserve => new VolumeReserve({ disk, reserveBytes, lookBytes });
    this.#follower = atomicRows
      ? undefined
      : new ChangelogFollower({ log, disk, topology, storeIds, logger, reserve: reserve(FOLLOWED_LOOK_BYTES) });
    const changelogs = atomicRows ? undefined : new ChangelogWriter({ applicationId: config.applicationId, writer, storeIds, disk });
    const { rowFeed } = dependencies;
    this.#tap = rowFeed === undefined ? undefined : new RowTap(rowFeed, topology, storeIds);
    this.commits = new CommitCycle({
      config,
      writer,
      tasks: this.tasks,
      disk,
      changelogs,
      stepClock,
      latency,
      tap: this.#tap,
      ...(atomicRows ? {} : { reserve: reserve(0) }),
    });
    this.#taskDependencies = { topology, disk, reader: this.reader, writer, storeIds, config, condemned };
  }

  /**
   * Opens what needs no restoring; the rest comes by `step`. Where another assignment has come since the opening was asked for, all of
   * it is asked for once more: a task may have been another member's between the two. Throws SerdeError for rows that cannot be read.
   */
  open(assignment: Assignment, now: number): void {
    if (assignment !== this.#assignment) return this.reassign(assignment);
    this.#take(this.#options.opening.prepared, now);
    this.#openRestored(now);
  }

  /** The tasks of a new generation: those that stay go on, the others are committed and closed by the next steps. */
  reassign(assignment: Assignment): void {
    this.#assignment = assignment;
    // As old as the assignment before: another member may have had the task since, and have committed.
    if (!(this.#prepared instanceof Error)) this.#prepared = undefined;
    const wanted = new Set(assignment.tasks.map(taskName));
    for (const task of this.tasks) task.retired = !wanted.has(task.name);
    for (const [name, { id }] of this.#restoring) {
      if (wanted.has(name)) continue;
      this.#restoring.delete(name);
      this.#follower?.forget(id);
    }
    const standbys = new Set((assignment.standbys ?? []).map(taskName));
    for (const { task, role } of this.#follower?.progress(0) ?? [])
      if (role === "standby" && !standbys.has(taskName(task)) && !wanted.has(taskName(task))) this.#follower?.forget(task);
    this.#prepare();
  }

  /** Tasks that are not assigned any more and not given up yet. */
  get retiring(): boolean {
    return this.tasks.some(({ retired }) => retired);
  }

  /** Tasks are being asked for in the log. */
  get preparing(): Promise<void> | undefined {
    return this.#preparing ?? this.#doubting;
  }

  /** What was given up is closed, what was prepared is opened, what is followed goes a piece further. True when something moved. */
  step(now: number): boolean {
    let moved = this.#closeRetired();
    const prepared = this.#prepared;
    if (prepared !== undefined) {
      this.#prepared = undefined;
      if (prepared instanceof Error) throw prepared;
      this.#take(prepared, now);
      moved = true;
    }
    if (this.#follower === undefined) return moved;
    moved = this.#follower.step(now) || moved;
    return this.#openRestored(now) || moved;
  }

  following(now: number): readonly TaskProgress[] {
    return this.#follower?.progress(now) ?? [];
  }

  get restoredRecords(): number {
    return this.#follower?.restoredRecords ?? 0;
  }

  get rowsDropped(): number {
    return this.#follower?.rowsDropped ?? 0;
  }

  /** Tasks end now. */
  closeTasks(): void {
    this.#closed = true;
    for (const task of this.tasks) this.#closeTask(task);
    this.tasks.length = 0;
    this.#restoring.clear();
  }

  /** When nothing is in flight any more. */
  async close(): Promise<void> {
    await Promise.allSettled([this.reader.close(), this.#follower?.close(), this.#options.opening.writer.close()]);
  }

  /** Asks the log about what is assigned and not here; what is asked meanwhile is asked once more then. */
  #prepare(): void {
    if (this.#preparing !== undefined) return;
    const assignment = this.#assignment;
    const here = new Set([...this.tasks.map(({ name }) => name), ...this.#restoring.keys()]);
    const followed = new Set(this.following(0).map(({ task }) => taskName(task)));
    const tasks = assignment.tasks.filter((id) => !here.has(taskName(id)));
    const standbys = (assignment.standbys ?? []).filter((id) => !followed.has(taskName(id)));
    if (tasks.length === 0 && standbys.length === 0) return;
    const { dependencies, config } = this.#options;
    const settle = (prepared: Prepared | Error): void => {
      this.#preparing = undefined;
      if (this.#closed) return;
      if (assignment === this.#assignment) this.#prepared = prepared;
      else this.#prepare();
    };
    this.#preparing = prepareTasks({ ...dependencies, group: config.applicationId }, { tasks, standbys }).then(settle, (error: unknown) =>
      settle(asError(error)),
    );
  }

  /** Of what was asked for, what is still assigned and not here meanwhile. */
  #take(prepared: Prepared, now: number): void {
    const tasks = prepared.tasks.filter((each) => this.#isTimely(each));
    const standbys = prepared.standbys.filter((each) => this.#isTimely(each));
    this.#begin({ tasks, standbys }, now);
    if (tasks.length + standbys.length < prepared.tasks.length + prepared.standbys.length) this.#prepare();
  }

  /**
   * Not when rows have been written since the log was asked, by another thread of this process. Of a task once only: what is behind
   * the rows for a second time is a changelog that was cut.
   */
  #isTimely({ id, changelogs }: PreparedStandby): boolean {
    const name = taskName(id);
    if (this.#askedAgain.delete(name) || this.#follower?.isBeyond(changelogs) !== true) return true;
    this.#askedAgain.add(name);
    return false;
  }

  #begin({ tasks, standbys }: Prepared, now: number): void {
    const follower = this.#follower;
    const assigned = new Set(this.#assignment.tasks.map(taskName));
    const followed = new Set((this.#assignment.standbys ?? []).map(taskName));
    let opened = false;
    for (const prepared of tasks) {
      const name = taskName(prepared.id);
      if (!assigned.has(name) || this.#restoring.has(name) || this.tasks.some((task) => task.name === name)) continue;
      if (follower === undefined || prepared.changelogs.length === 0) {
        this.#openTask(prepared, now);
        opened = true;
      } else {
        this.#restoring.set(name, prepared);
        follower.restore(prepared.id, prepared.changelogs, now);
      }
    }
    for (const { id, changelogs } of standbys)
      // A task that is being given up is followed from where its last commit left it.
      if (
        follower !== undefined &&
        changelogs.length > 0 &&
        followed.has(taskName(id)) &&
        !this.tasks.some(({ name }) => name === taskName(id))
      )
        follower.standBy(id, changelogs, now);
    if (opened) this.feed.feedOnly(this.tasks);
  }

  #openRestored(now: number): boolean {
    const restored = this.#follower?.takeRestored(now) ?? [];
    for (const id of restored) {
      const prepared = this.#restoring.get(taskName(id));
      assert(prepared, `task ${taskName(id)} was restored and nobody waits for it`);
      this.#restoring.delete(taskName(id));
      this.#openTask(prepared, now);
    }
    if (restored.length > 0) this.feed.feedOnly(this.tasks);
    return restored.length > 0;
  }

  #openTask(prepared: PreparedTask, now: number): void {
    const name = taskName(prepared.id);
    if (this.#follower !== undefined && this.#looksLost(prepared)) return;
    try {
      this.tasks.push(openTask(prepared, this.#taskDependencies, now));
      this.#tap?.opened(prepared.id);
      if (prepared.starts.some(({ committed }) => committed)) this.restores++;
    } catch (error) {
      if (!(error instanceof SerdeError) || isRetriableCondition(error)) throw error;
      if (this.#follower === undefined || this.#startedOver.has(name)) throw error;
      this.#startedOver.add(name);
      this.#restoring.set(name, prepared);
      this.#follower.startOver(prepared.id, prepared.changelogs, now);
    }
  }

  /** What was asked for may be older than the state by now: then somebody else has the tasks, and nothing is lost. */
  #looksLost({ id, starts }: PreparedTask): boolean {
    const { disk, storeIds: ids, topology } = this.#taskDependencies;
    const storeIds = subtopologyOf(topology, id).stores.flatMap(({ name }) => ids.get(name) ?? []);
    const state: StateOfTask = { id, group: this.#options.config.applicationId, inputs: starts, storeIds };
    if (!offsetsLookLost(disk, state)) return false;
    const assignment = this.#assignment;
    const settle = (error: Error): void => {
      this.#doubting = undefined;
      if (this.#closed) return;
      if (assignment === this.#assignment) this.#prepared = error;
      else this.#prepare();
    };
    this.#doubting ??= lostOrTaken(this.#options.dependencies.log.offsets, state).then(settle, (error: unknown) => settle(asError(error)));
    return true;
  }

  #closeRetired(): boolean {
    const retired = this.tasks.filter((task) => task.retired);
    // What the others did meanwhile is no reason to wait: under load there is always something.
    if (retired.length === 0 || this.commits.inFlight || retired.some(({ tookPart }) => tookPart)) return false;
    for (const task of retired) {
      this.#closeTask(task);
      this.tasks.splice(this.tasks.indexOf(task), 1);
    }
    this.feed.feedOnly(this.tasks);
    // They may be standbys now.
    this.#prepare();
    return true;
  }

  #closeTask(task: Task): void {
    this.#tap?.closed(task.id);
    try {
      task.close();
    } catch (error) {
      const { config, dependencies } = this.#options;
      dependencies.logger.warn({ thread: config.thread, task: task.name, error }, "a processor failed to close");
    }
  }
}
