/** A Kafka log with its schemas and no database: for commands beside an application. */
import { openKafkaLog, type Log } from "#log";
import { createSerdes, topicSchemas } from "#schemas";
import { topicConfigs, type Topology } from "#streams";
import type { TopicConfig } from "#log";
import { buildDispatch, dispatchTopics, type DispatchTopics } from "#topologies";
import { CliError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { kafkaOptions, registryEndpoint } from "./connections.ts";
import { dispatchTopology } from "./dispatch-topology.ts";
import { openRegistry } from "./open-registry.ts";

export interface LogAlone extends AsyncDisposable {
  readonly log: Log;
  readonly topics: DispatchTopics;
  readonly topology: Topology;
  readonly partitions: number;
}

/** Needs the registry. Rejects with CliError `USAGE` where no brokers are given, with LogError or SerdeError. */
export async function openLogAlone(settings: Settings): Promise<LogAlone> {
  await using stack = new AsyncDisposableStack();
  const log = await openKafka(settings);
  stack.defer(() => log.close());
  const endpoint = registryEndpoint(settings);
  const applicationId = settings.application.value;
  const options = endpoint === undefined ? {} : { endpoint, register: settings["register-schemas"].value === "yes" };
  const { registry, flush, close } = await openRegistry(log, { ...options, applicationId });
  stack.defer(close);
  const serdes = createSerdes(registry);
  const partitions = await partitionsOf(log, settings);
  const topology = buildDispatch({ registry, partitions });
  await flush();
  const kept = stack.move();
  return { log, topics: dispatchTopics(serdes, { partitions }), topology, partitions, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Rejects with CliError `USAGE` where no brokers are given, and with LogError `LOG_UNAVAILABLE` where none answers. */
export function openKafka(settings: Settings): Promise<Log> {
  const options = kafkaOptions(settings);
  if (options === undefined) throw new CliError("USAGE", "this needs a Kafka: give --kafka HOST:PORT (KAFKA_BROKERS)");
  return openKafkaLog(options);
}

/** Of the topics as they are; before the first, as they will be created. */
export async function partitionsOf(log: Log, settings: Settings): Promise<number> {
  const existing = await log.topics.describe(topicSchemas.orders.topic);
  return existing?.partitions ?? Number(settings.partitions.value);
}

/** The one table of topics: sources, sinks, dead letters, changelogs. */
export function topicTable(applicationId: string, partitions: number): readonly TopicConfig[] {
  return topicConfigs(dispatchTopology(partitions), applicationId, { atomicRows: false });
}
