/** A stream thread as the application sees it, wherever it runs. Contract only. */
import type { StreamThreadState, ThreadMetrics } from "../thread.ts";

export interface HostedThread {
  readonly thread: number;
  readonly state: StreamThreadState;
  /** Resolves once it has ended: undefined after a stop, else the error that ended it. Never rejects. */
  readonly ended: Promise<Error | undefined>;
  /** Resolves when it runs for the first time, or has ended before. */
  readonly running: Promise<void>;
  /** The newest counts; those it had last when it does not answer any more. */
  metrics(): Promise<ThreadMetrics>;
  /** Commits what is done and ends; `ended` tells how it went. */
  stop(): void;
  /** Ends it now, committing nothing. */
  abandon(): void;
  /** While it is set nothing is read or processed. */
  setPaused(paused: boolean): void;
}

export const NO_METRICS: ThreadMetrics = {
  recordsProcessed: 0,
  recordsForwarded: 0,
  deadLetters: 0,
  commits: 0,
  aborts: 0,
  bufferedRecords: 0,
  lag: [],
};
