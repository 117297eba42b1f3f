/** What can be wrong with the data that a world is made of. All are for the user to mend; nothing is retried. */
export type WorldErrorCode = "INSTANCE_FILE_MISSING" | "INSTANCE_MALFORMED" | "CITY_INVALID";

/** Where it was found, as far as it is known. */
export interface WorldErrorFacts {
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly cause?: unknown;
}

/** Every condition that the world reports. */
export class WorldError extends Error {
  readonly code: WorldErrorCode;
  readonly file: string | undefined;
  readonly line: number | undefined;

  constructor(code: WorldErrorCode, message: string, facts: WorldErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "WorldError";
    this.code = code;
    this.file = facts.file;
    this.line = facts.line;
  }
}
