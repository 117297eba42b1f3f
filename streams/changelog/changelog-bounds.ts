/** Where the changelogs of a task begin and end, asked of the log. */
import type { Offsets, TopicPartition } from "#log";
import type { Topology } from "../dsl/builder.ts";
import type { TaskId } from "../task/task-id.ts";
import { changelogTopic } from "./changelog.ts";

export interface ChangelogBounds extends TopicPartition {
  readonly store: string;
  readonly start: number;
  /** One past the last record, committed or not: whoever is committed and not yet seen by readers lies below it. */
  readonly end: number;
}

export interface ChangelogBoundsOptions {
  readonly offsets: Pick<Offsets, "bound">;
  readonly topology: Topology;
  readonly applicationId: string;
}

/**
 * Of all stores of one task. To restore to the end that this names, ask after the committed offsets: what they cover is below it
 * then, though its markers may still be on their way.
 */
export function changelogBounds(
  { offsets, topology, applicationId }: ChangelogBoundsOptions,
  { subtopology, partition }: TaskId,
): Promise<readonly ChangelogBounds[]> {
  const stores = topology.subtopologies[subtopology]?.stores ?? [];
  return Promise.all(
    stores.map(async ({ name }): Promise<ChangelogBounds> => {
      const at = { topic: changelogTopic(applicationId, name), partition };
      const [start, end] = await Promise.all([offsets.bound(at, "start"), offsets.bound(at, "high-watermark")]);
      return { ...at, store: name, start, end };
    }),
  );
}
