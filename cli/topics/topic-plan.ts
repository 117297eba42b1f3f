/** The table of topics beside what the cluster has. */
import type { Log, TopicConfig } from "#log";

export interface PlannedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: string;
  readonly retentionMs: number | undefined;
  readonly state: "missing" | "as wanted" | "differs";
  /** What differs, as wanted and as found. */
  readonly difference: string;
}

/** In the order of the table. Rejects as the log does. */
export async function planTopics(log: Pick<Log, "topics">, table: readonly TopicConfig[]): Promise<readonly PlannedTopic[]> {
  const found = new Map((await log.topics.list()).map((config) => [config.name, config]));
  return table.map((wanted) => {
    const { name, partitions, cleanup, retentionMs } = wanted;
    const existing = found.get(name);
    const difference = existing === undefined ? "" : differences(wanted, existing).join("; ");
    const state = existing === undefined ? "missing" : difference === "" ? "as wanted" : "differs";
    return { name, partitions, cleanup, retentionMs, state, difference };
  });
}

function differences(wanted: TopicConfig, found: TopicConfig): readonly string[] {
  const reasons: string[] = [];
  if (found.partitions !== wanted.partitions) reasons.push(`${found.partitions} partitions, ${wanted.partitions} wanted`);
  if (found.cleanup !== wanted.cleanup) reasons.push(`cleanup ${found.cleanup}, ${wanted.cleanup} wanted`);
  // Longer than wanted loses nothing.
  if (found.retentionMs !== undefined && (wanted.retentionMs === undefined || found.retentionMs < wanted.retentionMs))
    reasons.push(`retention ${found.retentionMs} ms, ${wanted.retentionMs ?? "no end"} wanted`);
  if (found.recordBytesMax !== undefined && wanted.recordBytesMax !== undefined && found.recordBytesMax < wanted.recordBytesMax)
    reasons.push(`records up to ${found.recordBytesMax} bytes, ${wanted.recordBytesMax} wanted`);
  return reasons;
}
