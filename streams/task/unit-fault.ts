/** Whose fault is it? Only what a record, timer or punctuation did may end in the dead letters. */
import { AssertionError } from "node:assert/strict";
import { DiskError } from "#disk";
import { LogError, WriterLostError } from "#log";
import { TaskFailedError } from "../errors.ts";
import { isRetriableCondition } from "../retriable.ts";

const NOT_THE_RECORDS = new Set<string>(["UNKNOWN_TOPIC", "LOG_FORBIDDEN", "LOG_UNAVAILABLE"]);

/**
 * False for what would fail for any record: a writer or database that is gone, a topic that is missing, and assertions, which
 * are bugs, and what will pass by itself. Those stop or rebuild the task.
 */
export function isUnitsFault(error: unknown): boolean {
  if (error instanceof AssertionError || error instanceof DiskError || error instanceof WriterLostError) return false;
  // A row that will be readable in a moment.
  if (isRetriableCondition(error)) return false;
  if (error instanceof LogError) return !NOT_THE_RECORDS.has(error.code);
  return !(error instanceof TaskFailedError);
}
