/** The topics that an application's stores need where rows are not atomic with the log. */
import type { TopicConfig } from "#log";
import type { Topology } from "../dsl/builder.ts";
import { changelogTopic } from "./changelog.ts";

export interface ChangelogTopicOptions {
  readonly topology: Topology;
  readonly applicationId: string;
  /** What one record of a changelog may have. */
  readonly recordBytesMax: number;
}

/** One for each store, by the tasks that own it. */
export function changelogConfigs({ topology, applicationId, recordBytesMax }: ChangelogTopicOptions): readonly TopicConfig[] {
  return topology.subtopologies.flatMap(({ stores, partitions }) =>
    stores.map(({ name }): TopicConfig => ({
      name: changelogTopic(applicationId, name),
      partitions,
      cleanup: "compact",
      recordBytesMax,
      internal: true,
    })),
  );
}
