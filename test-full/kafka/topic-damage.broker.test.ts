/** T11: changelogs that were made wrongly, cut or deleted. The application refuses, and names the topic; it never goes on with less than it had. */
import { rmSync } from "node:fs";
import { Kafka, logLevel, ConfigResourceTypes as ConfigResource, type Admin } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startTestBroker, whyNoBroker, type TestBroker } from "#log/kafka/testing";
import { PARTITIONS } from "./chain-topology.ts";
import { ChainRun } from "./chain-run.ts";
import type { InstanceProcess } from "./instance-process.ts";

const missing = whyNoBroker();
const REMAKE = { timeout: 60_000, interval: 200 };

describe.skipIf(missing !== undefined)(`changelog topics${missing === undefined ? "" : `: ${missing}`}`, () => {
  let broker: TestBroker | undefined;
  let admin: Admin | undefined;
  beforeAll(async () => {
    broker = await startTestBroker();
    admin = new Kafka({ brokers: [...broker.brokers], clientId: "operator", logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  }, 180_000);
  afterAll(async () => {
    await admin?.disconnect();
    await broker?.stop();
  }, 60_000);

  /** A run whose events are all in the chains, stopped; its changelog's name. */
  async function stoppedRun(
    name: string,
  ): Promise<{ readonly run: ChainRun; readonly instance: InstanceProcess; readonly changelog: string }> {
    const load = { records: 2_000, producers: 1, keys: 20, seconds: 0 };
    const run = await ChainRun.begin({ name, brokers: broker?.brokers ?? [], instances: 1, load, foreignReader: false });
    const instance = run.instances[0] as InstanceProcess;
    instance.start();
    await instance.said(/^running/);
    await run.settled();
    await instance.stop();
    const changelog =
      (await run.log.topics.list()).find((each) => each.name.startsWith(run.applicationId) && /changelog/.test(each.name))?.name ?? "";
    expect(changelog).toContain("chains");
    return { run, instance, changelog };
  }

  /** Deleted, and made again otherwise. */
  async function remake(changelog: string, numPartitions: number, policy: string): Promise<void> {
    await admin?.deleteTopics({ topics: [changelog] });
    const topic = { topic: changelog, numPartitions, configEntries: [{ name: "cleanup.policy", value: policy }] };
    await vi.waitFor(async () => expect(await admin?.listTopics()).not.toContain(changelog), REMAKE);
    // An answer may come too late for it, and say that the topic is there: it is.
    await admin?.createTopics({ topics: [topic] }).catch(() => false);
    await vi.waitFor(async () => expect(await admin?.listTopics()).toContain(changelog), REMAKE);
  }

  test("a changelog with another number of partitions is refused", { timeout: 300_000 }, async () => {
    const { run, instance, changelog } = await stoppedRun("t11-partitions");
    await using _ = run;
    await remake(changelog, PARTITIONS + 1, "compact");
    await expectRefusal(instance, changelog, /TOPIC_MISMATCH|partitions/);
  });

  test("a changelog that loses records by age is refused", { timeout: 300_000 }, async () => {
    const { run, instance, changelog } = await stoppedRun("t11-policy");
    await using _ = run;
    await admin?.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResource.TOPIC, name: changelog, configEntries: [{ name: "cleanup.policy", value: "delete" }] }],
    });
    await expectRefusal(instance, changelog, /TOPIC_MISMATCH|cleanup|compact/);
  });

  test("a changelog that was deleted does not take the state with it", { timeout: 300_000 }, async () => {
    const { run, instance, changelog } = await stoppedRun("t11-deleted");
    await using _ = run;
    await remake(changelog, PARTITIONS, "compact");
    await expectRefusalOrWhole(run, instance, changelog);
  });

  test("a changelog whose first records are gone is refused by who has no rows", { timeout: 300_000 }, async () => {
    const { run, instance, changelog } = await stoppedRun("t11-cut");
    await using _ = run;
    await admin?.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResource.TOPIC, name: changelog, configEntries: [{ name: "cleanup.policy", value: "compact,delete" }] }],
    });
    const offsets = await admin?.fetchTopicOffsets(changelog);
    const partitions = (offsets ?? []).map(({ partition, high }) => ({ partition, offset: high }));
    await admin?.deleteTopicRecords({ topic: changelog, partitions });
    await admin?.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResource.TOPIC, name: changelog, configEntries: [{ name: "cleanup.policy", value: "compact" }] }],
    });
    rmSync(run.directoryOf(0), { recursive: true, force: true });
    await expectRefusalOrWhole(run, instance, changelog);
  });
});

/** Ends by itself, with another status than 0, and the text names the topic. */
async function expectRefusal(instance: InstanceProcess, changelog: string, reason: RegExp): Promise<void> {
  instance.start();
  const { status } = await instance.ended();
  const text = instance.lines.join("\n");
  expect(text).toContain(changelog);
  expect(text).toMatch(reason);
  expect(status).not.toBe(0);
}

/** It stops and names the topic, or goes on with everything it had; never with less. */
async function expectRefusalOrWhole(run: ChainRun, instance: InstanceProcess, changelog: string): Promise<void> {
  instance.start();
  const refused = instance.ended().then(({ status }) => ({ refused: true, status }));
  await run.more({ records: 500, producers: 1, keys: 20, seconds: 0 });
  const came = await Promise.race([refused, run.untilOutputGrows(30_000).then(() => ({ refused: false, status: 0 }))]);
  if (came.refused) {
    expect(instance.lines.join("\n")).toContain(changelog);
    expect(came.status).not.toBe(0);
    return;
  }
  expect((await run.end()).wrong).toEqual([]);
}
