/** `topics create` and `topics check`: the application's table of topics on a cluster. */
import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { connectionSettings } from "../setting-definitions.ts";
import { numberOf } from "../settings.ts";
import { openKafka, partitionsOf, topicTable } from "../system/open-log-alone.ts";
import { table } from "../terminal/table.ts";
import { strimziManifests } from "../topics/strimzi-manifests.ts";
import { planTopics, type PlannedTopic } from "../topics/topic-plan.ts";
import { withSettings, type CommonFlags } from "./common-flags.ts";

interface CreateFlags extends CommonFlags {
  readonly dryRun?: boolean;
}

interface ManifestFlags extends CommonFlags {
  readonly cluster: string;
  readonly kind: string;
}

/** What a cluster in production has. */
const REPLICAS = 3;
const names = ["application", "partitions", "replication", ...connectionSettings] as const;

/** Adds the verbs to `topic`. */
export function topicsCommands(topic: Command): void {
  withSettings(topic.command("create").description("create what is missing of the application's topics on Kafka"), names)
    .option("--dry-run", "only say what would be created")
    .action(create);
  withSettings(topic.command("manifests").description("the same topics, and the user's rights, as resources of Strimzi"), [
    "application",
    "partitions",
    "replication",
  ])
    .option("--cluster <name>", "name of the Kafka resource", "kafka")
    .option("--kind <topics|user>", "which", "topics")
    .action(manifests);
  withSettings(topic.command("check").description("are the application's topics on Kafka as they must be"), names).action(check);
}

async function create({ settings: read, dryRun, json }: CreateFlags): Promise<void> {
  const settings = read();
  await using log = await openKafka(settings);
  const wanted = topicTable(settings.application.value, await partitionsOf(log, settings));
  const plan = await planTopics(log, wanted);
  refuseDifferent(plan);
  const missing = plan.filter(({ state }) => state === "missing");
  if (dryRun !== true) await log.topics.ensure(wanted);
  show(plan, json);
  if (json !== true)
    console.log(`${missing.length} topics ${dryRun === true ? "would be" : "were"} created, with ${replicas(settings.replication.value)}`);
}

async function check({ settings: read, json }: CommonFlags): Promise<void> {
  const settings = read();
  await using log = await openKafka(settings);
  const plan = await planTopics(log, topicTable(settings.application.value, await partitionsOf(log, settings)));
  show(plan, json);
  const bad = plan.filter(({ state }) => state !== "as wanted");
  if (bad.length > 0) throw new CliError("THRESHOLD_MISSED", `${bad.length} of ${plan.length} topics are missing or differ`);
}

function manifests({ settings: read, cluster, kind }: ManifestFlags): void {
  const settings = read();
  const [application, partitions] = [settings.application.value, Number(settings.partitions.value)];
  const options = { application, cluster, replicas: numberOf(settings.replication) ?? REPLICAS };
  const { topics, user } = strimziManifests({ ...options, partitions });
  if (kind === "user") process.stdout.write(user);
  else if (kind === "topics") process.stdout.write(topics);
  else throw new CliError("USAGE", `--kind: "${kind}" is not one of topics, user`);
}

/** Partitions and policies of a topic with records are not changed by a command. */
function refuseDifferent(plan: readonly PlannedTopic[]): void {
  const bad = plan.filter(({ state }) => state === "differs");
  if (bad.length === 0) return;
  const told = bad.map(({ name, difference }) => `${name}: ${difference}`).join("\n");
  throw new CliError("THRESHOLD_MISSED", `nothing was created, for topics are there that differ:\n${told}`);
}

function show(plan: readonly PlannedTopic[], json: boolean | undefined): void {
  if (json === true) return console.log(JSON.stringify(plan));
  console.log(
    table(
      ["topic", "partitions", "cleanup", "retention", "state"],
      plan.map(({ name, partitions, cleanup, retentionMs, state, difference }) => [
        name,
        partitions,
        cleanup,
        retentionMs === undefined ? "no end" : `${retentionMs / 3_600_000} h`,
        difference === "" ? state : `${state}: ${difference}`,
      ]),
    ),
  );
}

function replicas(text: string): string {
  return text === "" ? "the brokers' number of replicas" : `${text} replicas`;
}
