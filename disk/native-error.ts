import { DiskError, type DiskErrorCode } from "./errors.ts";

const remedies = {
  DISK_FULL: "Free space on the volume, then close this database and open it again; nothing acknowledged is lost.",
  DISK_CORRUPT: "Restore the directory from a copy, or remove it and start anew.",
  DISK_LOCKED: "Stop the other process, or use another directory.",
  DISK_FAILED: "Close the database and open it again.",
} as const;

/** What a binding threw, as the condition that it is. Both bindings speak LevelDB's codes and RocksDB's or LevelDB's texts. */
export function toDiskError(error: unknown, location: string): DiskError {
  if (error instanceof DiskError) return error;
  const { code, text } = innermostCause(error);
  const kind = conditionOf(code, text);
  const remedy = /EACCES|EPERM|EROFS|permission denied|read-only/i.test(text) ? "Make the directory writable." : remedies[kind];
  return new DiskError(kind, `The database in ${location}: ${text.replace(/\.$/, "")}. ${remedy}`, { location, cause: error });
}

function conditionOf(code: string, text: string): DiskErrorCode & keyof typeof remedies {
  if (/no space left|ENOSPC|quota exceeded|EDQUOT/i.test(text)) return "DISK_FULL";
  if (code === "LEVEL_LOCKED") return "DISK_LOCKED";
  // A directory that has our format file and no database any more has lost one; and what the database misses of its files is lost too.
  if (code === "LEVEL_CORRUPTION" || /corruption|does not exist \(create_if_missing is false\)/i.test(text)) return "DISK_CORRUPT";
  if (code === "LEVEL_IO_ERROR" && /no such file or directory/i.test(text)) return "DISK_CORRUPT";
  return "DISK_FAILED";
}

/** Bindings wrap: the code that says what happened is the innermost one. */
export function innermostCause(error: unknown): { readonly code: string; readonly text: string } {
  if (!(error instanceof Error)) return { code: "", text: String(error) };
  if (error.cause instanceof Error) return innermostCause(error.cause);
  return { code: "code" in error ? String(error.code) : "", text: error.message };
}
