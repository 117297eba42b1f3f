/**
 * The write-ahead logs of a LevelDB. It leaves out what is damaged and goes on behind it, so that a batch in the middle is missing and
 * nobody is told: here the log ends where the damage begins, as it does for RocksDB.
 */
import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { manifestOf } from "./manifest.ts";
import { readRecordLog } from "./record-log.ts";

export interface LogCut {
  readonly file: string;
  /** Bytes that are whole. */
  readonly at: number;
}

/** Where logs have to end so that nothing in the middle is missing. Reads only. */
export function findLogCuts(directory: string): readonly LogCut[] {
  const cuts: LogCut[] = [];
  const manifest = manifestOf(directory);
  if (manifest === undefined) return cuts;
  for (const name of logsOf(directory, manifest.firstLog)) {
    const file = join(directory, name);
    const bytes = readFileSync(file);
    // What comes after the damaged one was written later.
    const at = cuts.length > 0 ? 0 : readRecordLog(bytes).damagedAt;
    if (at !== undefined && at < bytes.length) cuts.push({ file, at });
  }
  return cuts;
}

/** Nobody has the database open. */
export function cutLogs(cuts: readonly LogCut[]): void {
  for (const { file, at } of cuts) truncateSync(file, at);
}

/** That are needed, in the order in which they were written. */
function logsOf(directory: string, firstLog: number): readonly string[] {
  return readdirSync(directory)
    .filter((name) => /^\d+\.log$/.test(name) && Number.parseInt(name, 10) >= firstLog)
    .toSorted((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10));
}
