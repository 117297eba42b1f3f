/** What an application needs to exist in the log before it starts. */
import type { LogCapabilities, TopicConfig } from "#log";
import { changelogConfigs } from "../changelog/changelog-topics.ts";
import type { Topology } from "../dsl/builder.ts";
import { deadLetterTopic } from "../task/dead-letter.ts";
import type { Topic } from "../topic.ts";
import { CHANGELOG_EXTRA_BYTES, DEAD_LETTER_EXTRA_BYTES, DEAD_LETTER_RETENTION_MS, RECORD_BYTES_MAX } from "./defaults.ts";

/** Topics of sources and sinks, each once, then the dead letters; with the log's capabilities, its changelogs if it needs them. */
export function topicConfigs(topology: Topology, applicationId: string, capabilities?: LogCapabilities): readonly TopicConfig[] {
  const topics = topicsOf(topology);
  const largest = Math.max(...topics.map(({ recordBytesMax }) => recordBytesMax ?? RECORD_BYTES_MAX));
  const deadLetters: TopicConfig = {
    name: deadLetterTopic(applicationId),
    partitions: 1,
    cleanup: "delete",
    retentionMs: DEAD_LETTER_RETENTION_MS,
    recordBytesMax: largest + DEAD_LETTER_EXTRA_BYTES,
  };
  const recordBytesMax = largest + CHANGELOG_EXTRA_BYTES;
  const changelogs = capabilities?.atomicRows === false ? changelogConfigs({ topology, applicationId, recordBytesMax }) : [];
  return [...topics.map(topicConfig), deadLetters, ...changelogs];
}

/** Every topic that a topology reads or writes, each once. */
export function topicsOf(topology: Topology): readonly Topic<unknown, unknown>[] {
  const topics = new Map<string, Topic<unknown, unknown>>();
  for (const { sources, sinkTopics } of topology.subtopologies)
    for (const topic of [...sources.map((source) => source.topic), ...sinkTopics]) topics.set(topic.name, topic);
  return [...topics.values()];
}

/** The part of a descriptor that the log is to know. */
export function topicConfig(topic: Topic<unknown, unknown>): TopicConfig {
  const { name, partitions, cleanup, retentionMs, recordBytesMax } = topic;
  return {
    name,
    partitions,
    cleanup,
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(recordBytesMax === undefined ? {} : { recordBytesMax }),
  };
}
