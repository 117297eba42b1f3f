/** What can go wrong with a log. The code says what the caller does next; `docs/errors.md` has cause and remedy of each. */

export type LogErrorCode =
  | "TOPIC_MISMATCH"
  | "UNKNOWN_TOPIC"
  | "RECORD_TOO_LARGE"
  | "TIMESTAMP_INVALID"
  | "KEY_REQUIRED"
  | "OFFSET_OUT_OF_RANGE"
  | "BATCH_CORRUPT"
  | "COMPRESSION_UNSUPPORTED"
  | "COMMIT_UNKNOWN"
  | "COMMIT_REFUSED"
  | "WRITER_FENCED"
  | "MEMBER_FENCED"
  | "LOG_FORBIDDEN"
  | "LOG_UNAVAILABLE"
  | "LOG_FORMAT_UNKNOWN";

/** Where it happened, as far as it is known. */
export interface LogErrorFacts {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly cause?: unknown;
}

/** Every condition that a log reports. Bugs are assertions, not LogErrors. */
export class LogError extends Error {
  readonly code: LogErrorCode;
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: number | undefined;

  constructor(code: LogErrorCode, message: string, facts: LogErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.topic = facts.topic;
    this.partition = facts.partition;
    this.offset = facts.offset;
  }
}

/** One record cannot be written as it is; nothing was changed. The caller drops it or dead-letters it and goes on. */
export class RecordRefusedError extends LogError {}

/** The writer is dead: close it, make a new one, read the committed offsets, go on from there. */
export class WriterLostError extends LogError {}
