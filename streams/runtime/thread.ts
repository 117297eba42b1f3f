/** The steppable stream thread and its hosts, as everything else sees them. Contract only. */
import type { Disk } from "#disk";
import type { Log } from "#log";
import type { TaskProgress } from "../changelog/changelog.ts";
import type { Topology } from "../dsl/builder.ts";
import type { LatencyCounts } from "../metrics/latency-histogram.ts";
import type { RowFeed } from "../query/row-feed.ts";

export interface StreamThreadConfig {
  /** Consumer group, prefix of internal topics and transactional ids. */
  readonly applicationId: string;
  readonly instanceId: string;
  readonly thread: number;
  /** Default 100; the embedded log uses 20. */
  readonly commitIntervalMs: number;
  /** Commit this long after the buffers ran empty; default 5. */
  readonly idleCommitMs: number;
  /** Commit early above this; default 16 MiB. */
  readonly commitBytesMax: number;
  /** A step yields after this much time of the step clock; default 10. */
  readonly stepMs: number;
  /** Records buffered per partition before it is paused, resumed at half; default 1,000. */
  readonly bufferRecordsMax: number;
  /** Default 4 MiB per partition. */
  readonly bufferBytesMax: number;
  /** 0: wait only while an empty partition has lag; > 0: wait further that long; −1: never wait. Default 0. */
  readonly taskIdleMs: number;
  /** The breaker: a task stops when more than this share of a window of records failed; default 0.5 of 1,000. */
  readonly failureRatioMax: number;
  readonly failureWindowRecords: number;
  /** Records further ahead of the wall clock than this are refused with TIMESTAMP_OUT_OF_RANGE; default 1 h. */
  readonly timestampLeadMsMax: number;
  /** Where rows are not the log's own: room on their volume that commits and restores leave alone; default 256 MiB. 0: none. */
  readonly reserveBytes: number;
  /** Deep-freeze values; on in tests and simulation. */
  readonly freeze: boolean;
}

export interface StepResult {
  /** Something moved: step again at once. */
  readonly worked: boolean;
  /** When `step` has something to do by the clock alone; Infinity if nothing. */
  readonly nextDueAt: number;
  /** An opening or a commit is under way: step again when `settled()` resolves. */
  readonly pending: boolean;
}

export type StreamThreadState = "created" | "starting" | "running" | "draining" | "stopped" | "failed";

export interface StreamThread {
  readonly state: StreamThreadState;
  /** One bounded slice of work: poll, process, fire, commit. Never blocks, never throws for conditions: they become a state. */
  step(now: number): StepResult;
  /** A commit in flight settles by a promise; a virtual-time host awaits this between rounds. */
  settled(): Promise<void>;
  /** Finish the record in hand, commit, close. Resolves when stopped; rejects past `deadlineMs` after aborting. */
  stop(): Promise<void>;
  readonly error: Error | undefined;
  metrics(): ThreadMetrics;
}

export interface ThreadMetrics {
  readonly recordsProcessed: number;
  readonly recordsForwarded: number;
  readonly deadLetters: number;
  readonly commits: number;
  readonly aborts: number;
  readonly bufferedRecords: number;
  readonly lag: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly task: string;
    readonly records: number;
    readonly headTimestamp: number;
    /** Code of what the next record waits for before it can be decoded. */
    readonly waitsFor?: string;
  }[];
  /** Parts of `deadLetters` by the code of their cause. */
  readonly deadLettersByCode?: Readonly<Record<string, number>>;
  readonly bufferedBytes?: number;
  /** Tasks opened with committed state behind them. */
  readonly restores?: number;
  /** Changelog records read by tasks that waited for their rows; standbys' do not count. */
  readonly restoredRecords?: number;
  readonly commitLatency?: LatencyCounts;
  /** Tasks that cannot run yet, and standbys. */
  readonly following?: readonly TaskProgress[];
  /** Stores of tasks whose rows were dropped because they did not fit their changelog, to be restored from its start. */
  readonly rowsDropped?: number;
}

export interface ThreadDependencies {
  readonly topology: Topology;
  readonly log: Log;
  readonly disk: Disk;
  /** Monotonic milliseconds, for the yield only; virtual hosts pass a constant. */
  readonly stepClock: () => number;
  readonly logger: StructuredLogger;
  /** Hears of committed rows. */
  readonly rowFeed?: RowFeed;
}

/** pino's shape, so that the engine does not import it. */
export interface StructuredLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
