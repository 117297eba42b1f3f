/**
 * Changelogs, as the rest of the engine sees them. Where a log cannot take rows (`atomicRows` is false), each dirty key of a commit
 * is one record, its last value, in the compacted topic of its store; rows follow the commit and may lag it, never lead it.
 * Contract only.
 */
import type { TopicPartition } from "#log";
import type { TaskId } from "../task/task-id.ts";

/** `<application>-<store>-changelog`: compacted, one partition per task that owns the store. */
export function changelogTopic(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

/** How far one changelog partition is in the rows of this process. */
export interface ChangelogProgress extends TopicPartition {
  readonly store: string;
  /** Everything below is in the rows. */
  readonly position: number;
  /** Restoring: where it ends; standby: the stable end as it is known now. */
  readonly end: number;
}

/** A task whose rows are being brought up to its changelogs: before it may run, or for as long as another member runs it. */
export interface TaskProgress {
  readonly task: TaskId;
  readonly role: "restoring" | "standby";
  readonly changelogs: readonly ChangelogProgress[];
  /** Offsets behind it since this began (markers count). */
  readonly done: number;
  /** Offsets it has or had to go through since this began; of a standby: done and its lag. */
  readonly total: number;
  /** Records a second since this began; 0 before the first step. */
  readonly recordsPerSecond: number;
  /** Of a restoring task at that rate; Infinity while the rate is 0. */
  readonly msLeft: number;
}

/** What a member can say of a task that it has rows of, whoever runs it: what an assignor compares with the changelogs' ends. */
export interface StoredPosition {
  readonly task: TaskId;
  /** Sum over the task's changelogs. */
  readonly position: number;
}
