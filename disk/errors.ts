/** What can go wrong with the database. `docs/errors.md` has cause and remedy of each code. */

export type DiskErrorCode =
  | "DISK_CLOSED"
  | "DISK_FULL"
  | "DISK_CORRUPT"
  | "DISK_FAILED"
  | "DISK_LOCKED"
  | "DISK_FORMAT_UNKNOWN"
  | "DISK_UNAVAILABLE";

/** Every condition that a disk reports. The message names the location and the remedy. */
export class DiskError extends Error {
  readonly code: DiskErrorCode;
  readonly location: string;

  constructor(code: DiskErrorCode, message: string, facts: { readonly location: string; readonly cause?: unknown }) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.location = facts.location;
  }
}
