/** What kind of failure ended a thread's session. */
import { LogError, WriterLostError } from "#log";
import { SerdeError } from "#state";
import { TaskRebuildError } from "../errors.ts";
import { isRetriableCondition } from "../retriable.ts";

/** Known to have failed, and what was to be written is to blame: trying again at once in careful mode finds the culprit. */
export function isContentsFault(error: Error): boolean {
  return error instanceof SerdeError || isRefused(error);
}

export function isRefused(error: unknown): error is LogError {
  return error instanceof LogError && error.code === "COMMIT_REFUSED";
}

/** A fenced writer must not come back: it would fence the newer one. */
export function isRetriable(error: Error): boolean {
  if (error instanceof SerdeError || error instanceof TaskRebuildError || isRetriableCondition(error)) return true;
  if (!(error instanceof LogError) || error.code === "WRITER_FENCED") return false;
  return (
    error instanceof WriterLostError ||
    error.code === "LOG_UNAVAILABLE" ||
    error.code === "LOG_FORBIDDEN" ||
    error.code === "COMMIT_UNKNOWN" ||
    error.code === "COMMIT_REFUSED"
  );
}
