/**
 * Brings the rows of tasks that do not run here up to their changelogs: of those that are to run as soon as their rows are there, and
 * of standbys, for as long as another member runs them. One reader for all, a bounded piece of work per step.
 */
import assert from "node:assert/strict";
import type { Disk, VolumeReserve } from "#disk";
import { LogError, RecordBatchCursor, type FetchedBatch, type Log, type Reader } from "#log";
import type { StoreDescriptor } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { TaskFailedError, TaskRebuildError } from "../errors.ts";
import type { StructuredLogger } from "../runtime/thread.ts";
import { taskName, type TaskId } from "../task/task-id.ts";
import type { TaskProgress } from "./changelog.ts";
import type { ChangelogBounds } from "./changelog-bounds.ts";
import { FOLLOW_BYTES_MAX } from "./defaults.ts";
import { FollowedChangelog } from "./followed-changelog.ts";
import { changelogPositionKey, readPosition } from "./position-rows.ts";

export interface ChangelogFollowerOptions {
  readonly log: Pick<Log, "reader">;
  readonly disk: Disk;
  readonly topology: Topology;
  readonly storeIds: ReadonlyMap<string, number>;
  readonly logger: StructuredLogger;
  /** Room on the volume of the rows that is left alone. */
  readonly reserve?: VolumeReserve;
}

interface FollowedTask {
  readonly task: TaskId;
  readonly changelogs: readonly FollowedChangelog[];
  readonly begunAt: number;
  role: TaskProgress["role"];
  records: number;
  /** Set when it began to wait for its rows. */
  waits: Waiting | undefined;
}

interface Waiting {
  readonly since: number;
  readonly recordsBefore: number;
  /** A standby that is taken over, rows that an earlier life left, or nothing that could be gone on with. */
  from: "standby" | "rows" | "nothing";
}

type RestartReason = "unknown" | "beyond-end" | "truncated" | "too-old" | "unreadable";

export class ChangelogFollower {
  /** Stores of tasks whose rows were dropped since this follower was made. */
  rowsDropped = 0;
  /** Records read by tasks that waited for their rows. */
  restoredRecords = 0;
  readonly #options: ChangelogFollowerOptions;
  readonly #reader: Reader;
  readonly #cursor = new RecordBatchCursor({ checkCrc: false });
  readonly #tasks = new Map<string, FollowedTask>();
  readonly #byTopic = new Map<string, { readonly changelog: FollowedChangelog; readonly task: FollowedTask }[]>();

  constructor(options: ChangelogFollowerOptions) {
    this.#options = options;
    this.#reader = options.log.reader({ pollBytesMax: FOLLOW_BYTES_MAX });
  }

  /** Until the bounds, which were asked for after the committed offsets. A standby goes on where it is. */
  restore(task: TaskId, bounds: readonly ChangelogBounds[], now: number): void {
    const standby = this.#tasks.get(taskName(task));
    const followed = standby ?? this.#add(task, bounds, now);
    followed.role = "restoring";
    const began = followed.changelogs.some(({ hadRows }) => hadRows) ? "rows" : "nothing";
    followed.waits ??= { since: now, recordsBefore: followed.records, from: standby === undefined ? began : "standby" };
    for (const changelog of followed.changelogs) {
      changelog.end = bounds.find(({ store }) => store === changelog.store)?.end ?? changelog.end;
      if (changelog.position > changelog.end) this.#startOver(changelog, now, "beyond-end");
    }
    this.#assign();
  }

  /** For as long as it is not taken over or given up. */
  standBy(task: TaskId, bounds: readonly ChangelogBounds[], now: number): void {
    const followed = this.#tasks.get(taskName(task)) ?? this.#add(task, bounds, now);
    followed.role = "standby";
    followed.waits = undefined;
    this.#assign();
  }

  /** Rows that cannot be read are not believed: all stores of the task, from the start. */
  startOver(task: TaskId, bounds: readonly ChangelogBounds[], now: number): void {
    this.restore(task, bounds, now);
    const followed = this.#tasks.get(taskName(task));
    for (const changelog of followed?.changelogs ?? []) this.#startOver(changelog, now, "unreadable");
    if (followed?.waits !== undefined) followed.waits.from = "nothing";
    this.#assign();
  }

  /** What it wrote stays. */
  forget(task: TaskId): void {
    if (this.#tasks.delete(taskName(task))) this.#assign();
  }

  /** One bounded piece; true when something moved. Throws TaskRebuildError when a changelog was cut below its position, `DISK_FULL`. */
  step(now: number): boolean {
    if (this.#tasks.size === 0) return false;
    const full = this.#options.reserve?.missing(FOLLOW_BYTES_MAX);
    if (full !== undefined) throw full;
    const batches = this.#poll();
    const { disk } = this.#options;
    const rows = disk.batch();
    for (const batch of batches) {
      const followed = this.#byTopic.get(batch.topic)?.[batch.partition];
      if (followed !== undefined) followed.task.records += followed.changelog.apply(batch, this.#cursor, rows);
    }
    let moved = false;
    for (const { role, changelogs } of this.#tasks.values()) {
      for (const changelog of changelogs) {
        if (role === "standby") changelog.end = Math.max(this.#reader.endOffset(changelog), changelog.end);
        // Also over markers, which come as no batch.
        const position = this.#reader.position(changelog);
        if (position <= changelog.position) continue;
        changelog.moveTo(position, rows, now);
        moved = true;
      }
    }
    if (moved) disk.write(rows, { sync: false });
    return moved;
  }

  /** Tasks whose rows are as they were when they were committed last; they are not followed any more. */
  takeRestored(now: number): readonly TaskId[] {
    const restored = [...this.#tasks.values()].filter(
      ({ role, changelogs }) => role === "restoring" && changelogs.every(({ position, end }) => position >= end),
    );
    if (restored.length === 0) return [];
    for (const followed of restored) {
      this.#tasks.delete(taskName(followed.task));
      this.#tell(followed, now);
    }
    this.#assign();
    return restored.map(({ task }) => task);
  }

  progress(now: number): readonly TaskProgress[] {
    return [...this.#tasks.values()].map((followed) => progressOf(followed, now));
  }

  close(): Promise<void> {
    this.#tasks.clear();
    return this.#reader.close();
  }

  /** The rows here go beyond that end: it was asked for before they were written, or the changelog is cut. */
  isBeyond(bounds: readonly ChangelogBounds[]): boolean {
    const { disk, storeIds } = this.#options;
    return bounds.some(({ store, partition, end }) => {
      const storeId = storeIds.get(store);
      return storeId !== undefined && (readPosition(disk, changelogPositionKey(storeId, partition))?.position ?? 0) > end;
    });
  }

  #tell({ task, records, waits }: FollowedTask, now: number): void {
    assert(waits, "what was restored has waited");
    const read = records - waits.recordsBefore;
    this.restoredRecords += read;
    this.#options.logger.info(
      { task: taskName(task), from: waits.from, records: read, ms: now - waits.since },
      "the rows of a task are there",
    );
  }

  #add(task: TaskId, bounds: readonly ChangelogBounds[], now: number): FollowedTask {
    const { topology, disk, storeIds } = this.#options;
    const stores: readonly StoreDescriptor[] = topology.subtopologies[task.subtopology]?.stores ?? [];
    const changelogs = bounds.map((each) => {
      const descriptor = stores.find(({ name }) => name === each.store);
      const storeId = storeIds.get(each.store);
      if (descriptor === undefined || storeId === undefined) throw new RangeError(`task ${taskName(task)} has no store ${each.store}`);
      const changelog = new FollowedChangelog({ disk, bounds: each, descriptor, storeId });
      const plan = changelog.begin(now);
      if (plan.kind === "start-over") this.#startOver(changelog, now, plan.because);
      return changelog;
    });
    const followed: FollowedTask = { task, changelogs, begunAt: now, role: "restoring", records: 0, waits: undefined };
    this.#tasks.set(taskName(task), followed);
    return followed;
  }

  /** Throws TaskFailedError where the changelog has not got what the rows had: less state than there was would be a silent loss. */
  #startOver(changelog: FollowedChangelog, now: number, because: RestartReason): void {
    const { topic, partition, store } = changelog;
    if (because === "beyond-end" || changelog.isCut) throw this.#cut(changelog);
    if (changelog.hasRows) {
      this.rowsDropped++;
      this.#options.logger.warn({ topic, partition, store, because }, "rows do not fit their changelog: they are restored from its start");
    }
    changelog.startOver(now);
  }

  /** Those that wait to run go before those that stand by. */
  #assign(): void {
    const tasks = [...this.#tasks.values()];
    this.#byTopic.clear();
    for (const task of tasks)
      for (const changelog of task.changelogs) {
        const partitions = this.#byTopic.get(changelog.topic) ?? [];
        this.#byTopic.set(changelog.topic, partitions);
        partitions[changelog.partition] = { changelog, task };
      }
    const all = tasks.flatMap(({ changelogs }) => changelogs);
    this.#reader.assign(all.map(({ topic, partition, position }) => ({ topic, partition, offset: position, outOfRange: "fail" as const })));
    const waiting = tasks.some(({ role }) => role === "restoring");
    for (const { role, changelogs } of tasks)
      for (const changelog of changelogs)
        if (waiting && role === "standby") this.#reader.pause(changelog);
        else this.#reader.resume(changelog);
  }

  #cut({ topic, partition, start, end, position }: FollowedChangelog): TaskFailedError {
    const found = `${topic}/${partition} begins at ${start} and ends at ${end}, the rows here go up to ${position}`;
    const remedy = "The changelog was deleted or cut: bring its records back, or reset the application if its state may be lost.";
    return new TaskFailedError("CHANGELOG_CUT", `${found}. ${remedy}`, { topic, partition, offset: position });
  }

  #poll(): readonly FetchedBatch[] {
    try {
      return this.#reader.poll();
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== "OFFSET_OUT_OF_RANGE") throw error;
      const { topic, partition, offset } = error;
      throw new TaskRebuildError("CHANGELOG_CUT", `A changelog does not hold what is to be restored. ${error.message}`, {
        cause: error,
        ...(topic === undefined ? {} : { topic }),
        ...(partition === undefined ? {} : { partition }),
        ...(offset === undefined ? {} : { offset }),
      });
    }
  }
}

function progressOf({ task, role, changelogs, begunAt, records }: FollowedTask, now: number): TaskProgress {
  let done = 0;
  let left = 0;
  for (const { begunAt: from, position, end } of changelogs) {
    done += position - from;
    left += Math.max(0, end - position);
  }
  const seconds = (now - begunAt) / 1_000;
  const recordsPerSecond = seconds > 0 ? records / seconds : 0;
  const offsetsPerMs = seconds > 0 ? done / (now - begunAt) : 0;
  return {
    task,
    role,
    changelogs: changelogs.map(({ topic, partition, store, position, end }) => ({ topic, partition, store, position, end })),
    done,
    total: done + left,
    recordsPerSecond,
    msLeft: left === 0 ? 0 : offsetsPerMs > 0 ? left / offsetsPerMs : Infinity,
  };
}
