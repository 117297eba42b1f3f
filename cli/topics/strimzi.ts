/** The table of topics, and the rights of the application, as Strimzi's resources. */
import type { TopicConfig } from "#log";
import { deadLetterTopic, type Topology } from "#streams";
import { yamlText, type Plain } from "./yaml-text.ts";

export interface StrimziOptions {
  readonly application: string;
  /** Name of the Kafka resource. */
  readonly cluster: string;
  readonly replicas: number;
}

const API = "kafka.strimzi.io/v1";
/** Kafka's own overhead of a batch of one record beside key, value and headers. */
const BATCH_OVERHEAD_BYTES = 128;

/** One KafkaTopic a document. */
export function topicManifests(table: readonly TopicConfig[], options: StrimziOptions): string {
  return documents(table.map((config) => topicManifest(config, options)));
}

/** A KafkaUser that logs in by SCRAM-SHA-512 and may do what the application does, and nothing else. */
export function userManifest(topology: Topology, { application, cluster }: StrimziOptions): string {
  const read = new Set<string>();
  const written = new Set<string>();
  const purged = new Set<string>();
  for (const { sources, sinkTopics } of topology.subtopologies) {
    for (const { topic } of sources) {
      read.add(topic.name);
      if (topic.purgeCommittedAfterMs !== undefined) purged.add(topic.name);
    }
    for (const { name } of sinkTopics) written.add(name);
  }
  // The HTTP server writes what upstream sends, and reads what it shows.
  const names = [...new Set([...read, ...written])].sort();
  const acls = [
    ...names.map((name) =>
      acl("topic", name, "literal", ["Read", "Write", "Describe", "DescribeConfigs", ...(purged.has(name) ? ["Delete"] : [])]),
    ),
    acl("topic", deadLetterTopic(application), "literal", ["Write", "Describe", "DescribeConfigs"]),
    acl("topic", `${application}-`, "prefix", ["Read", "Write", "Describe", "DescribeConfigs"]),
    acl("group", application, "literal", ["Read", "Describe"]),
    acl("transactionalId", `${application}-`, "prefix", ["Write", "Describe"]),
  ];
  return documents([
    {
      apiVersion: API,
      kind: "KafkaUser",
      metadata: { name: application, labels: { "strimzi.io/cluster": cluster } },
      spec: { authentication: { type: "scram-sha-512" }, authorization: { type: "simple", acls } },
    },
  ]);
}

function topicManifest(config: TopicConfig, { cluster, replicas }: StrimziOptions): Plain {
  const { name, partitions, cleanup, retentionMs, recordBytesMax } = config;
  return {
    apiVersion: API,
    kind: "KafkaTopic",
    metadata: { name, labels: { "strimzi.io/cluster": cluster } },
    spec: {
      topicName: name,
      partitions,
      replicas,
      config: {
        "cleanup.policy": cleanup,
        "retention.ms": retentionMs ?? -1,
        "min.insync.replicas": Math.max(1, replicas - 1),
        ...(recordBytesMax === undefined ? {} : { "max.message.bytes": recordBytesMax + BATCH_OVERHEAD_BYTES }),
      },
    },
  };
}

function acl(type: string, name: string, patternType: string, operations: readonly string[]): Plain {
  return { resource: { type, name, patternType }, operations };
}

function documents(all: readonly Plain[]): string {
  return all.map((each) => `---\n${yamlText(each)}`).join("");
}
