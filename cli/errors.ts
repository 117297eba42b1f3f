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
