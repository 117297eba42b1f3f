/** The ledger application on a real broker, killed at each moment of a commit and of a restore, on its rows or on none. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigResourceTypes, Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryDisk, openDisk } from "#disk";
import { openEmbeddedLog, openKafkaLog, type Log } from "#log";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { runApplication } from "#streams/testing";
import { Application } from "../runtime/application.ts";
import { produce } from "../runtime/fixtures/counting.ts";
import { topicConfigs } from "../runtime/topic-configs.ts";
import { deadLetterTopic } from "../task/dead-letter.ts";
import { changelogTopic } from "./changelog.ts";
import { committedRecords, foldOf, rowsOf, type CommittedRecord } from "./testing/evidence.ts";
import type { KafkaDeath, KafkaLife } from "./testing/kafka-life.ts";
import { ledgerStores, ledgerTopics, ledgerTopology } from "./testing/ledger-topology.ts";

const RECORDS = 12_000;
const applicationId = `kills-${process.pid}`;
const { entries, ledger } = ledgerTopics(`${applicationId}-`);
const topology = ledgerTopology({ entries, ledger });
const partitions = [0, 1];
const missing = whyNoBroker();
const program = new URL("testing/kafka-life.ts", import.meta.url);

/** Runs one life; true when it was killed. */
function live(life: KafkaLife): Promise<boolean> {
  const child = spawn(process.execPath, [program.pathname, JSON.stringify(life)], { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => {
      if (signal === "SIGKILL") resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`the child ended with ${code ?? signal}`));
    });
  });
}

async function fill(log: Log): Promise<void> {
  for (let from = 0; from < RECORDS; from += 1_000) {
    const records = Array.from(
      { length: 1_000 },
      (_, each) => [`key-${(from + each) % 97}`, `v${from + each}`, 1_000 + from + each] as const,
    );
    await produce(log, entries, records);
  }
}

const outputsOf = (log: Log): Promise<readonly (readonly CommittedRecord[])[]> =>
  Promise.all(partitions.map((each) => committedRecords(log, ledger.name, each)));

/** What the same input gives where nothing goes wrong and nothing needs a changelog. */
async function undisturbed(): Promise<readonly (readonly CommittedRecord[])[]> {
  const disk = memoryDisk();
  const log = await openEmbeddedLog({ disk });
  await log.topics.ensure(topicConfigs(topology, "app"));
  await fill(log);
  await runApplication({ topology, disk, log, until: 100_000, startAt: 100_000 });
  return outputsOf(log);
}

const deaths: readonly (readonly [KafkaDeath, number])[] = [
  ["before-commit", 4],
  ["in-commit", 3],
  ["before-rows", 5],
  ["in-restore", 4],
  ["after-rows", 6],
  ["in-commit", 6],
];

describe.skipIf(missing !== undefined)(`changelogs on a real broker${missing === undefined ? "" : `: ${missing}`}`, () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startTestBroker();
  }, 120_000);
  afterAll(() => broker.stop(), 30_000);

  test("a changelog that could lose state is refused with what was found and what is expected", async () => {
    const { brokers } = broker;
    const name = `refused-${process.pid}`;
    const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const create = (store: string, numPartitions: number, policy: string): Promise<boolean> =>
      admin.createTopics({
        topics: [{ topic: changelogTopic(name, store), numPartitions, configEntries: [{ name: "cleanup.policy", value: policy }] }],
      });
    await create("short", 1, "compact");
    await create("deleted", 2, "delete");
    await create("aged", 2, "compact,delete");
    await create("single", 2, "compact");
    await admin.disconnect();
    const ensure = async (store: string, replicationFactor?: number): Promise<void> => {
      await using log = await openKafkaLog({
        brokers,
        clientId: "test",
        ...(replicationFactor === undefined ? {} : { replicationFactor }),
      });
      await log.topics.ensure([{ name: changelogTopic(name, store), partitions: 2, cleanup: "compact", internal: true }]);
    };
    await expect(ensure("short")).rejects.toThrow(`${name}-short-changelog has 1 partitions and cleanup compact, but 2`);
    await expect(ensure("deleted")).rejects.toThrow(`${name}-deleted-changelog has 2 partitions and cleanup delete, but 2 and compact`);
    await expect(ensure("aged")).rejects.toThrow(`${name}-aged-changelog deletes records after 604800000 ms`);
    await expect(ensure("single", 3)).rejects.toThrow(`${name}-single-changelog has 1 copies of a partition, but 3`);
    await ensure("single");
  });

  test("a change that the broker refuses is found one by one and dead-lettered, and the others are kept", async () => {
    const { brokers } = broker;
    const name = `careful-${process.pid}`;
    const topics = ledgerTopics(`${name}-`);
    const careful = ledgerTopology(topics);
    await using log = await openKafkaLog({ brokers, clientId: "test" });
    await log.topics.ensure(topicConfigs(careful, name, log.capabilities));
    // The log has read the limits already: it is the broker that refuses now, whole batches at first.
    const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const limit = { type: ConfigResourceTypes.TOPIC, name: changelogTopic(name, "latest") };
    const configEntries = [
      { name: "max.message.bytes", value: "400" },
      { name: "cleanup.policy", value: "compact" },
    ];
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...limit, configEntries }] });
    await admin.disconnect();
    // The last of its key, so that it is what the commit says of it.
    const records = Array.from({ length: 24 }, (_, each) => {
      const value = each === 21 ? "x".repeat(500) : `v${each}`;
      return [`key-${each % 5}`, value, 1_000 + each] as const;
    });
    await produce(log, topics.entries, records);
    const disk = memoryDisk();
    const application = new Application({ topology: careful, applicationId: name, log, disk });
    await application.start();
    const deadLetters = async (): Promise<readonly CommittedRecord[]> => committedRecords(log, deadLetterTopic(name), 0);
    const counted = async (): Promise<number> => {
      const outputs = await Promise.all(partitions.map((each) => committedRecords(log, topics.ledger.name, each)));
      return outputs.flat().filter((each) => /^\d+ v\d+ after/.test(Buffer.from(each.value ?? "", "hex").toString())).length;
    };
    await expect.poll(counted, { timeout: 60_000, interval: 500 }).toBe(23);
    await application.stop();
    expect((await deadLetters()).map(({ key }) => key)).toEqual(["key-1"]);
    for (const store of ledgerStores)
      for (const partition of partitions) expect(rowsOf(disk, store, partition)).toEqual(await foldOf(log, name, store, partition));
  }, 120_000);

  test("outputs are exactly once, and rows are the fold of the changelog, on the same directory and on an empty one", async () => {
    const { brokers } = broker;
    const log = await openKafkaLog({ brokers, clientId: "test" });
    await log.topics.ensure(topicConfigs(topology, applicationId, log.capabilities));
    await fill(log);
    const root = mkdtempSync(join(tmpdir(), "kills-"));
    try {
      let directory = join(root, "0");
      let killed = 0;
      for (const [index, [death, nth]] of deaths.entries()) {
        // Every second life begins with nothing, and under another name: markers of the one before may still be on their way.
        if (index % 2 === 1) directory = join(root, String(index));
        const instanceId = index % 2 === 1 ? `other-${index}` : "same";
        if (await live({ brokers, applicationId, instanceId, directory, death, nth })) killed++;
      }
      expect(killed).toBeGreaterThanOrEqual(5);
      expect(await live({ brokers, applicationId, instanceId: "same", directory, nth: 0 })).toBe(false);
      expect(await outputsOf(log)).toEqual(await undisturbed());
      await expectFold(log, applicationId, directory);
      const empty = join(root, "empty");
      expect(await live({ brokers, applicationId, instanceId: "last", directory: empty, nth: 0 })).toBe(false);
      await expectFold(log, applicationId, empty);
      expect(await outputsOf(log)).toEqual(await undisturbed());
    } finally {
      await log.close();
      rmSync(root, { recursive: true, force: true });
    }
  }, 240_000);
});

async function expectFold(log: Log, applicationId: string, directory: string): Promise<void> {
  const disk = await openDisk({ location: directory });
  try {
    for (const store of ledgerStores)
      for (const partition of partitions) {
        const fold = await foldOf(log, applicationId, store, partition);
        expect(fold.size).toBeGreaterThan(0);
        expect(rowsOf(disk, store, partition)).toEqual(fold);
      }
  } finally {
    await disk.close();
  }
}
