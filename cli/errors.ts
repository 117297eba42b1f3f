/** Conditions that a person at the terminal can mend: one sentence says what happened, the next what to type. */
import { ExitCode } from "./exit-code.ts";

export type CliErrorCode =
  /** A flag, argument or environment variable that cannot be used. */
  | "USAGE"
  /** Nothing answers where the command was told to look. */
  | "CANNOT_REACH"
  /** A check ran and its threshold was missed. */
  | "THRESHOLD_MISSED";

const exitCodes: Readonly<Record<CliErrorCode, ExitCode>> = {
  USAGE: ExitCode.usage,
  CANNOT_REACH: ExitCode.cannotReach,
  THRESHOLD_MISSED: ExitCode.failedThreshold,
};

/** Conditions of other folders that a person at the terminal meets, and what the exit status says of them. */
const exitCodesOfOthers: Readonly<Record<string, ExitCode>> = {
  BAD_REQUEST: ExitCode.usage,
  TOPIC_NOT_FOUND: ExitCode.usage,
  STORE_NOT_FOUND: ExitCode.usage,
  CITY_INVALID: ExitCode.usage,
  INSTANCE_FILE_MISSING: ExitCode.usage,
  INSTANCE_MALFORMED: ExitCode.usage,
  DISK_LOCKED: ExitCode.cannotReach,
  DISK_UNAVAILABLE: ExitCode.cannotReach,
  DISK_FORMAT_UNKNOWN: ExitCode.cannotReach,
  DISK_FAILED: ExitCode.cannotReach,
  LOG_FORBIDDEN: ExitCode.cannotReach,
  LOG_UNAVAILABLE: ExitCode.cannotReach,
  REGISTRY_UNAVAILABLE: ExitCode.cannotReach,
  INSTANCE_UNREACHABLE: ExitCode.cannotReach,
  EADDRINUSE: ExitCode.cannotReach,
  EADDRNOTAVAIL: ExitCode.cannotReach,
};

/** Whatever is not in a table failed while it ran. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return exitCodesOfOthers[code] ?? ExitCode.failedThreshold;
}

export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;
  readonly exitCode: ExitCode;

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.exitCode = exitCodes[code];
  }
}
