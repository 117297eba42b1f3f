/**
 * What stream threads count, as Prometheus reads it. Threads report plain snapshots (they may live in workers); the text is
 * computed from the last snapshot of each when somebody scrapes. No label ever holds an entity's id.
 */
import { Registry, type Metric } from "prom-client";
import type { TaskProgress } from "../changelog/changelog.ts";
import type { ThreadMetrics } from "../runtime/thread.ts";
import { taskName } from "../task/task-id.ts";
import { LATENCY_BOUNDS_MS } from "./latency-histogram.ts";

interface Report {
  readonly thread: string;
  readonly snapshot: ThreadMetrics;
  readonly now: number;
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it differs from the family's: buckets, sum and count of a histogram. */
  readonly metricName?: string;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: (report: Report) => readonly Sample[];
}

type PartitionLag = ThreadMetrics["lag"][number];

const msPerSecond = 1_000;

/** One registry of its own; what else the process measures may be registered there too, under the prefix `slackline_`. */
export class StreamsMetrics {
  readonly registry = new Registry();
  readonly #reports = new Map<number, Report>();
  #setAside = 0;

  constructor() {
    for (const family of families) this.registry.registerMetric(this.#metric(family));
    const [name, help] = ["slackline_state_set_aside_total", "Times that damaged rows were set aside, to be made anew from changelogs."];
    const get = () => Promise.resolve({ name, help, type: "counter", aggregator: "sum", values: [{ labels: {}, value: this.#setAside }] });
    this.registry.registerMetric({ name, get } as unknown as Metric); // see #metric
  }

  /** The database of this process was found damaged when it was opened. */
  stateSetAside(): void {
    this.#setAside++;
  }

  /** Replaces what this thread reported before. `now`: milliseconds since the epoch, which lag in seconds is counted to. */
  report(thread: number, snapshot: ThreadMetrics, now: number): void {
    this.#reports.set(thread, { thread: String(thread), snapshot, now });
  }

  /** A thread that will not come back; its partitions are others' now. */
  forget(thread: number): void {
    this.#reports.delete(thread);
  }

  /** prom-client asks a metric for its name and, at each scrape, for `get()`; it needs nothing else of its class. */
  #metric({ name, help, type, samples }: Family): Metric {
    const get = () =>
      Promise.resolve({ name, help, type, aggregator: "sum", values: [...this.#reports.values()].flatMap((report) => samples(report)) });
    return { name, get } as unknown as Metric;
  }
}

/** The exposition format of Prometheus, version 0.0.4. */
export function metricsText(registry: Registry): Promise<string> {
  return registry.metrics();
}

/** A family with one number per thread; absent where the thread does not count it. */
function perThread(type: "counter" | "gauge", name: string, help: string, of: (snapshot: ThreadMetrics) => number | undefined): Family {
  return {
    name,
    help,
    type,
    samples({ thread, snapshot }) {
      const value = of(snapshot);
      return value === undefined ? [] : [{ labels: { thread }, value }];
    },
  };
}

/** Absent for a partition of which the number is not known. */
function perPartition(name: string, help: string, of: (lag: PartitionLag, now: number) => number | undefined): Family {
  return {
    name,
    help,
    type: "gauge",
    samples: ({ snapshot, now }) =>
      snapshot.lag.flatMap((lag) => {
        const value = of(lag, now);
        return value === undefined ? [] : [{ labels: { topic: lag.topic, partition: lag.partition, task: lag.task }, value }];
      }),
  };
}

/** Tasks whose rows are brought up to their changelogs here: before they run, or as standbys. */
function perFollowed(name: string, help: string, of: (progress: TaskProgress) => number | undefined): Family {
  return {
    name,
    help,
    type: "gauge",
    samples: ({ snapshot }) =>
      (snapshot.following ?? []).flatMap((progress) => {
        const value = of(progress);
        return value === undefined ? [] : [{ labels: { task: taskName(progress.task), role: progress.role }, value }];
      }),
  };
}

/** Age of the head, which is not known (−1) before it was fetched. */
function lagSeconds({ records, headTimestamp }: PartitionLag, now: number): number | undefined {
  if (records === 0) return 0;
  return headTimestamp < 0 ? undefined : Math.max(0, now - headTimestamp) / msPerSecond;
}

const families: readonly Family[] = [
  perThread("counter", "slackline_records_processed_total", "Records taken from source topics.", (s) => s.recordsProcessed),
  perThread("counter", "slackline_records_forwarded_total", "Records written to topics.", (s) => s.recordsForwarded),
  {
    name: "slackline_dead_letters_total",
    help: "Records, timers and punctuations that failed and were dead-lettered, by code.",
    type: "counter",
    samples({ thread, snapshot: { deadLetters, deadLettersByCode = {} } }) {
      const codes = Object.entries(deadLettersByCode);
      const rest = deadLetters - codes.reduce((sum, [, count]) => sum + count, 0);
      const shown = rest > 0 || codes.length === 0 ? [...codes, ["OTHER", rest] as const] : codes;
      return shown.map(([code, value]) => ({ labels: { thread, code }, value }));
    },
  },
  {
    name: "slackline_commits_total",
    help: "Commits, by outcome.",
    type: "counter",
    samples: ({ thread, snapshot }) => [
      { labels: { thread, outcome: "committed" }, value: snapshot.commits },
      { labels: { thread, outcome: "aborted" }, value: snapshot.aborts },
    ],
  },
  {
    name: "slackline_commit_duration_seconds",
    help: "From the start of a commit to its acknowledgement.",
    type: "histogram",
    samples: commitDurations,
  },
  perPartition("slackline_lag_records", "Committed records of the partition that are not processed yet.", ({ records }) => records),
  perPartition("slackline_lag_seconds", "Age of the oldest record that is not processed yet.", lagSeconds),
  perPartition(
    "slackline_waiting",
    "Whether the next record waits for something outside (1), such as a schema registry that is down.",
    ({ waitsFor }) => (waitsFor === undefined ? 0 : 1),
  ),
  perThread("gauge", "slackline_buffered_records", "Records fetched and not processed yet.", (s) => s.bufferedRecords),
  perThread("gauge", "slackline_buffered_bytes", "Bytes fetched and not processed yet.", (s) => s.bufferedBytes),
  perThread("counter", "slackline_restores_total", "Tasks opened with committed state behind them.", (s) => s.restores),
  perThread(
    "counter",
    "slackline_restored_records_total",
    "Changelog records read by tasks that waited for their rows.",
    (s) => s.restoredRecords,
  ),
  perThread("counter", "slackline_rows_dropped_total", "Stores of tasks whose rows did not fit their changelog.", (s) => s.rowsDropped),
  perFollowed(
    "slackline_follow_left_records",
    "Offsets of its changelogs that are not in the rows of this process yet.",
    (each) => each.total - each.done,
  ),
  perFollowed("slackline_follow_records_per_second", "Records of its changelogs that become rows.", (each) => each.recordsPerSecond),
  perFollowed("slackline_restore_seconds_left", "Until the task can run, at that rate.", ({ role, msLeft }) =>
    role === "standby" || msLeft === Infinity ? undefined : msLeft / msPerSecond,
  ),
];

function commitDurations({ thread, snapshot: { commitLatency } }: Report): readonly Sample[] {
  if (commitLatency === undefined) return [];
  const name = "slackline_commit_duration_seconds";
  let below = 0;
  const buckets = commitLatency.counts.map((count, index): Sample => {
    below += count;
    const bound = LATENCY_BOUNDS_MS[index];
    return { metricName: `${name}_bucket`, labels: { thread, le: bound === undefined ? "+Inf" : bound / msPerSecond }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { thread }, value: commitLatency.sumMs / msPerSecond },
    { metricName: `${name}_count`, labels: { thread }, value: below },
  ];
}
