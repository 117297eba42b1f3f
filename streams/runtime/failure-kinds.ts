/** What kind of failure ended a thread's session. */
import { DiskError, type Disk } from "#disk";
import { LogError, WriterLostError } from "#log";
import { SerdeError } from "#state";
import { TaskFailedError, TaskRebuildError } from "../errors.ts";
import { isRetriableCondition } from "../retriable.ts";

/** Known to have failed, and what was to be written is to blame: trying again at once in careful mode finds the culprit. */
export function isContentsFault(error: Error): boolean {
  return error instanceof SerdeError || isRefused(error);
}

export function isRefused(error: unknown): error is LogError {
  return error instanceof LogError && error.code === "COMMIT_REFUSED";
}

/**
 * The disk is full although there is room: the database met the end of its volume and stays read-only until it is opened again, which
 * nobody but the next process can do.
 */
export function isStuck(error: Error, disk: Pick<Disk, "freeBytes">, reserveBytes: number): boolean {
  return error instanceof DiskError && error.code === "DISK_FULL" && disk.freeBytes() >= reserveBytes;
}

/** Somebody has asked for the writer's id since. */
export function isFenced(error: Error): boolean {
  return error instanceof LogError && error.code === "WRITER_FENCED";
}

/** A fenced writer must not come back by itself: it would fence the newer one. */
export function isRetriable(error: Error): boolean {
  if (error instanceof DiskError) return error.code === "DISK_FULL";
  if (error instanceof SerdeError || error instanceof TaskRebuildError || isRetriableCondition(error)) return true;
  if (!(error instanceof LogError) || isFenced(error)) return false;
  return (
    error instanceof WriterLostError ||
    error.code === "LOG_UNAVAILABLE" ||
    error.code === "LOG_FORBIDDEN" ||
    error.code === "COMMIT_UNKNOWN" ||
    error.code === "COMMIT_REFUSED"
  );
}

/** Nothing that is tried again would go better. */
export function hopeless(thread: number, cause: Error): TaskFailedError {
  return new TaskFailedError("TASK_FAILED", `Thread ${thread}: even the dead letter of one record is refused. ${cause.message}`, { cause });
}

/** Rows that cannot be read will not be readable the next time either; any other error comes back as it is. */
export function asUnreadable(thread: number, cause: unknown): unknown {
  if (!(cause instanceof SerdeError) || isRetriableCondition(cause)) return cause;
  return new TaskFailedError("TASK_FAILED", `Thread ${thread}: the state of its tasks cannot be read. ${cause.message}`, { cause });
}
