/** T11. Changelogs that were made wrongly, cut or deleted: the application refuses and names the topic, or goes on with all it had; never with less. */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel, type Admin } from "kafkajs";
import { ClusterOperator, KafkaCluster } from "#log/kafka/testing";
import { PARTITIONS } from "../chain-topology.ts";
import { ChainRun } from "../chain-run.ts";
import type { InstanceProcess } from "../instance-process.ts";
import type { ScenarioFacts, ScenarioSize } from "../scenario.ts";

const TOPIC_MS_MAX = 60_000;
const GOES_ON_MS_MAX = 30_000;

interface Stopped {
  readonly run: ChainRun;
  readonly instance: InstanceProcess;
  readonly changelog: string;
  readonly admin: Admin;
  readonly operator: ClusterOperator;
}

/** What is done to the changelog of a stopped application, and what its message must say; undefined: it may go on, with everything. */
const damages: Readonly<Record<string, { readonly damage: (stopped: Stopped) => Promise<void>; readonly says?: RegExp }>> = {
  "made with another number of partitions": {
    damage: ({ admin, changelog }) => remake(admin, changelog, PARTITIONS + 1),
    says: /TOPIC_MISMATCH|partitions/,
  },
  "set to lose records by age": {
    damage: ({ operator, changelog }) => operator.setTopicConfig(changelog, "cleanup.policy", "delete"),
    says: /TOPIC_MISMATCH|cleanup|compact/,
  },
  "deleted and made anew": { damage: ({ admin, changelog }) => remake(admin, changelog, PARTITIONS) },
  "cut, and the rows are gone": {
    async damage({ admin, operator, changelog, run }) {
      await operator.setTopicConfig(changelog, "cleanup.policy", "compact,delete");
      const offsets = await admin.fetchTopicOffsets(changelog);
      await admin.deleteTopicRecords({ topic: changelog, partitions: offsets.map(({ partition, high }) => ({ partition, offset: high })) });
      await operator.setTopicConfig(changelog, "cleanup.policy", "compact");
      rmSync(run.directoryOf(0), { recursive: true, force: true });
    },
  },
};

export const topicDamages = Object.keys(damages);

export async function topicDamage(size: ScenarioSize): Promise<ScenarioFacts> {
  await using cluster = await KafkaCluster.start({ brokers: size.brokers });
  const told: Record<string, string> = {};
  for (const name of topicDamages) {
    told[`changelog ${name}`] = await afterDamage(name, cluster.brokers);
    process.stderr.write(`  changelog ${name}: ${told[`changelog ${name}`]}\n`);
  }
  return told;
}

/** What the application did. Throws when it went on with less than it had, or does not name the topic. */
export async function afterDamage(name: string, brokers: readonly string[]): Promise<string> {
  const found = damages[name];
  if (found === undefined) throw new TypeError(`there is no damage ${name}`);
  const admin = new Kafka({ brokers: [...brokers], clientId: "operator", logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await using operator = new ClusterOperator(brokers);
    const load = { records: 2_000, producers: 1, keys: 20, seconds: 0 };
    await using run = await ChainRun.begin({ name: "t11", brokers, instances: 1, load, foreignReader: false });
    const [instance] = run.instances as readonly [InstanceProcess];
    instance.start();
    await instance.said(/^running/);
    await run.settled();
    await instance.stop();
    const topics = await run.log.topics.list();
    const changelog = topics.find((each) => each.name.startsWith(run.applicationId) && /changelog/.test(each.name))?.name;
    if (changelog === undefined) throw new Error("the application has no changelog");
    await found.damage({ run, instance, changelog, admin, operator });
    instance.start();
    return await (found.says === undefined ? refusalOrWhole(run, instance, changelog) : refusal(instance, changelog, found.says));
  } finally {
    await admin.disconnect();
  }
}

/** Deleted, and made again otherwise. */
async function remake(admin: Admin, changelog: string, numPartitions: number): Promise<void> {
  await admin.deleteTopics({ topics: [changelog] });
  await until(async () => !(await admin.listTopics()).includes(changelog));
  const topic = { topic: changelog, numPartitions, configEntries: [{ name: "cleanup.policy", value: "compact" }] };
  // An answer may come too late for it, and say that the topic is there: it is.
  await admin.createTopics({ topics: [topic] }).catch(() => false);
  await until(async () => (await admin.listTopics()).includes(changelog));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TOPIC_MS_MAX;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`the topics are not as they should be after ${TOPIC_MS_MAX} ms`);
    await sleep(200);
  }
}

/** It ends by itself, with another status than 0, and names the topic. */
async function refusal(instance: InstanceProcess, changelog: string, says: RegExp): Promise<string> {
  const { status } = await instance.ended();
  const text = instance.lines.join("\n");
  if (status === 0 || !text.includes(changelog) || !says.test(text))
    throw new Error(`it ended with ${status} and said: ${text.slice(-2_000)}`);
  return `refused, ${/[A-Z]+_[A-Z_]+/.exec(text)?.[0] ?? ""} names the topic`;
}

async function refusalOrWhole(run: ChainRun, instance: InstanceProcess, changelog: string): Promise<string> {
  const ended = instance.ended().then(() => true);
  await run.more({ records: 500, producers: 1, keys: 20, seconds: 0 });
  const refused = await Promise.race([ended, run.untilOutputGrows(GOES_ON_MS_MAX).then(() => false)]);
  if (refused) return refusal(instance, changelog, /CHANGELOG_CUT|TOPIC_MISMATCH/);
  const { wrong } = await run.end();
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  return "went on with everything";
}
