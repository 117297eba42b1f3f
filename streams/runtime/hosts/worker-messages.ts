/** What the main thread and a worker say to each other. Everything is structured-cloneable. */
import type { Disk, DiskShare } from "#disk";
import type { KafkaLogOptions, Log, LogShare } from "#log";
import type { Topology } from "../../dsl/builder.ts";
import type { GroupOptions, GroupStatus } from "../../assignment/group-thread.ts";
import type { RowFeedMessage } from "../../query/row-feed.ts";
import type { Assignment } from "../assignment.ts";
import type { TimeScale } from "../scaled-clock.ts";
import type { StreamThreadConfig, StreamThreadState, ThreadMetrics } from "../thread.ts";

/** Where a worker finds the topology: functions do not travel. */
export interface TopologyModule {
  /** `import.meta.resolve`d or `file:` address of a module. */
  readonly url: string;
  /** Name of the exported TopologyFactory. */
  readonly name: string;
  /** Handed to the factory; structured-cloneable. */
  readonly argument?: unknown;
}

/** What a TopologyModule exports: called once in each worker, with what the worker is attached to. */
export type TopologyFactory = (context: {
  readonly log: Log;
  readonly disk: Disk;
  readonly argument: unknown;
}) => Topology | Promise<Topology>;

/** How a worker comes to its log. */
export type WorkerLog =
  | { readonly kind: "shared"; readonly share: LogShare }
  /** Connections of its own. Functions do not travel: an OAUTHBEARER token callback cannot be among the options. */
  | { readonly kind: "kafka"; readonly options: KafkaLogOptions };

/** Where a thread's tasks come from. */
export type ThreadTasks =
  | { readonly kind: "static"; readonly assignment: Assignment }
  | { readonly kind: "group"; readonly group: GroupOptions };

export interface WorkerStart {
  readonly disk: DiskShare;
  readonly log: WorkerLog;
  readonly topology: TopologyModule;
  readonly config: StreamThreadConfig;
  /** Its tasks for ever, or how it is a member of its group. */
  readonly tasks: ThreadTasks;
  /** Default: real time. */
  readonly time?: TimeScale;
  /** Whose committed rows are told of; default: none. */
  readonly fedStores?: readonly string[];
}

export type ToWorker = { readonly kind: "stop" } | { readonly kind: "metrics" } | { readonly kind: "pause"; readonly paused: boolean };

export type FromWorker =
  | { readonly kind: "state"; readonly state: StreamThreadState }
  | { readonly kind: "metrics"; readonly metrics: ThreadMetrics }
  | { readonly kind: "status"; readonly status: GroupStatus }
  | { readonly kind: "rows"; readonly message: RowFeedMessage }
  | { readonly kind: "log"; readonly level: "debug" | "info" | "warn" | "error"; readonly fields: object; readonly message: string }
  | { readonly kind: "ended"; readonly error: PortableError | undefined };

/** Errors lose their class on the way, and a clone of what they carry may fail: what they say goes as text. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
}

export function portableError(error: unknown): PortableError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined, code: undefined };
  const { name, message, stack } = error;
  return { name, message, stack, code: "code" in error ? String(error.code) : undefined };
}

/** Fields of a log line, with errors as texts. */
export function portableFields(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? portableError(value) : value]));
}
