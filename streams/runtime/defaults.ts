/** Every number a stream thread is run with unless it is told otherwise, and the real clocks and timers that hosts inject. */
import { randomBytes } from "node:crypto";
import { RESERVE_BYTES } from "#log";
import type { StreamThreadConfig, StructuredLogger } from "./thread.ts";

/** What a user may leave out. */
export type StreamThreadDefaults = Omit<StreamThreadConfig, "applicationId" | "instanceId" | "thread">;

export const STREAM_THREAD_DEFAULTS: StreamThreadDefaults = {
  commitIntervalMs: 100,
  idleCommitMs: 5,
  commitBytesMax: 16 * 1024 * 1024,
  stepMs: 10,
  bufferRecordsMax: 1_000,
  bufferBytesMax: 4 * 1024 * 1024,
  taskIdleMs: 0,
  failureRatioMax: 0.5,
  failureWindowRecords: 1_000,
  timestampLeadMsMax: 60 * 60 * 1000,
  reserveBytes: RESERVE_BYTES,
  freeze: false,
};

/** For a worker with a stream thread: objects that live from one commit to the next die young, and are not copied twice. */
export const WORKER_RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 64 } as const;

/** Where rows and records are committed together a commit is cheap. */
export const EMBEDDED_COMMIT_INTERVAL_MS = 20;

export const POLL_BYTES_MAX = 1024 * 1024;
/** Restored between two looks at the volume. */
export const FOLLOWED_LOOK_BYTES = 1024 * 1024;
/** Units a task does before the next task has its turn and the step looks at its clock. */
export const UNITS_PER_TURN = 64;
/** Units a step does at most, whatever its clock says: a timer that sets itself again and again yields to the host too. */
export const UNITS_PER_STEP_MAX = 100_000;

/** A record that cannot be decoded yet is looked at again after that long; what it waits for has its own pauses. */
export const DECODE_RETRY_MS = 20;

export const RETRY_BASE_MS = 50;
export const RETRY_CAP_MS = 5_000;
/** Retries without a pause, one after another, of a thread that goes on in careful mode. */
export const RETRIES_SOON_MAX = 3;
/** A thread that has not got through for so long gives up. */
export const RETRY_BUDGET_MS = 5 * 60 * 1000;
/** Failures further apart than this do not belong together. */
export const RETRY_SERIES_GAP_MS = 60 * 1000;

/** Rounds within one instant of virtual time; more is a loop that never ends. */
export const INSTANT_ROUNDS_MAX = 1_000_000;

/** An idle host looks at its thread at least this often. */
export const IDLE_WAIT_MS_MAX = 1_000;
export const STOP_DEADLINE_MS = 30_000;
/** Between two rounds of retention and compaction. */
export const MAINTAIN_INTERVAL_MS = 10_000;
/** Partitions of which a round deletes what is committed and old: a synced write each. The others have their turn later. */
export const PURGE_PARTITIONS_PER_ROUND = 4;
/** A thread that is replaced more often than this within a minute is not replaced again. */
export const REPLACEMENTS_PER_MINUTE_MAX = 3;
export const DEAD_LETTER_RETENTION_MS = 14 * 24 * 60 * 60 * 1000;
export const RECORD_BYTES_MAX = 1024 * 1024;
/** Room for the headers that a dead letter adds. */
export const DEAD_LETTER_EXTRA_BYTES = 64 * 1024;
/** What a store may keep beside the largest record that it came from. */
export const CHANGELOG_EXTRA_BYTES = 64 * 1024;

/** Time as a host sees it; a virtual one in tests and simulation. */
export interface HostClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, for the yield only. */
  monotonic(): number;
  /** Resolves after `ms`, or as soon as `cancelled` does. */
  sleep(ms: number, cancelled: Promise<unknown>): Promise<void>;
}

export const realClock: HostClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, cancelled) {
    let timer: NodeJS.Timeout | undefined;
    const slept = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([slept, cancelled]);
    clearTimeout(timer);
  },
};

/** One turn of the event loop. */
export function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export const silentLogger: StructuredLogger = { debug() {}, info() {}, warn() {}, error() {} };

/** A name that no other instance has. */
export function newInstanceId(): string {
  return randomBytes(6).toString("hex");
}
