/** What can go wrong in the engine. The class names the reaction, the code the condition; `docs/errors.md` has cause and remedy of each. */

export type StreamsErrorCode =
  | "TOPOLOGY_INVALID"
  | "STORE_NOT_CONNECTED"
  | "SINK_NOT_CONNECTED"
  | "CHILD_UNKNOWN"
  | "STORE_UNKNOWN"
  | "MANIFEST_MISMATCH"
  | "MANIFEST_UNREADABLE"
  | "PROCESSOR_FAILED"
  | "TIMESTAMP_OUT_OF_RANGE"
  | "INVALID_KEY"
  | "PARTITION_INVALID"
  | "TASK_FAILED"
  | "FAILURE_RATIO"
  | "CHANGELOG_CUT"
  | "OFFSETS_LOST"
  | "TASK_TAKEN"
  | "STOP_TIMEOUT"
  | "GROUP_DATA_INVALID"
  | "STOPPED_BY_MEMBER";

/** Where it happened, as far as it is known. */
export interface StreamsErrorFacts {
  readonly task?: string;
  readonly node?: string;
  readonly store?: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly cause?: unknown;
}

/** Every condition that the engine reports. Bugs are assertions, not StreamsErrors. */
export class StreamsError extends Error {
  readonly code: StreamsErrorCode;
  readonly facts: StreamsErrorFacts;

  constructor(code: StreamsErrorCode, message: string, facts: StreamsErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.facts = facts;
  }
}

/** The topology and the code or the state beside it do not fit: nothing starts until somebody changes one of them. */
export class TopologyError extends StreamsError {
  /** Everything found, one sentence each. */
  readonly problems: readonly string[];

  constructor(code: StreamsErrorCode, problems: readonly string[], facts: StreamsErrorFacts = {}) {
    super(code, problems.join("\n"), facts);
    this.problems = problems;
  }
}

/** This record, timer or punctuation cannot be processed: it is rolled back and dead-lettered, or stops the task if its topic says so. */
export class RecordFailedError extends StreamsError {}

/** The task's uncommitted work is void: drop it and start again from what was committed. */
export class TaskRebuildError extends StreamsError {}

/** The task stops, and its thread with it; what was committed stays. */
export class TaskFailedError extends StreamsError {}
