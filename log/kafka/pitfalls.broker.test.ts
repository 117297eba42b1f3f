/** What a real broker taught: each case failed once in some client. Foreign producers are KafkaJS. */
import { setTimeout as sleep } from "node:timers/promises";
import { CompressionTypes, Kafka, logLevel } from "kafkajs";
import type { Producer as ForeignProducer } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  codeOf,
  fresh,
  from,
  pollRecords,
  produce,
  readRecords,
  readValues,
  topicOf,
  utf8,
  writerOf,
} from "../conformance/log-under-test.ts";
import type { Log, Membership, MembershipEvent } from "../log.ts";
import type { Compression } from "../record-batch/block-compression.ts";
import { RecordBatchBuilder } from "../record-batch/record-batch-builder.ts";
import { Cluster } from "./client/cluster.ts";
import type { KafkaWire } from "./client/wire-contract.ts";
import { openSocketWire } from "./client/wire.ts";
import { realSurroundings } from "./defaults.ts";
import { openKafkaLog } from "./kafka-log.ts";
import type { KafkaLogOptions } from "./kafka-log.ts";
import { RefusedByBroker } from "./produce/send-blocks.ts";
import { TransactionalProducer } from "./produce/transaction.ts";
import { startTestBroker, whyNoBroker } from "./testing/kafka-broker.ts";
import type { TestBroker } from "./testing/kafka-broker.ts";

const WAIT_MS_MAX = 10_000;
const missing = whyNoBroker();

describe.skipIf(missing !== undefined)(`on a broker${missing === undefined ? "" : `: ${missing}`}`, () => {
  let broker: TestBroker | undefined;
  let foreign: Kafka | undefined;
  let shared: Log | undefined;
  beforeAll(async () => {
    broker = await startTestBroker();
    foreign = new Kafka({ brokers: [...broker.brokers], clientId: "foreign", logLevel: logLevel.NOTHING });
    shared = await open();
  }, 120_000);
  afterAll(async () => {
    await shared?.close();
    await broker?.stop();
  }, 30_000);

  function open(options: Partial<KafkaLogOptions> = {}): Promise<Log> {
    return openKafkaLog({ brokers: broker?.brokers ?? [], clientId: "test", heartbeatMs: 100, ...options });
  }

  function log(): Log {
    if (shared === undefined) throw new Error("opened before each case");
    return shared;
  }

  async function foreignTransactions(count: number): Promise<ForeignProducer[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const producer = (foreign as Kafka).producer({ transactionalId: fresh("foreign"), maxInFlightRequests: 1, idempotent: true });
        await producer.connect();
        return producer;
      }),
    );
  }

  test("aborted transactions of foreign producers, overlapping in one partition, are never seen", async () => {
    const topic = await topicOf(log());
    const producers = await foreignTransactions(3);
    const expected: string[] = [];
    for (let round = 0; round < 8; round++) {
      const transactions = await Promise.all(producers.map((producer) => producer.transaction()));
      // Each of the eight rounds aborts another set of the three.
      const aborted = [0, 1, 2].map((index) => ((round >> index) & 1) === 1);
      for (let step = 0; step < 3; step++)
        for (const [index, transaction] of transactions.entries()) {
          const value = `${aborted[index] ? "aborted" : "committed"} ${round}-${index}-${step}`;
          await transaction.send({ topic, acks: -1, messages: [{ partition: 0, key: Buffer.alloc(4), value }] });
          if (!aborted[index]) expected.push(value);
        }
      // In another order than they began.
      for (const index of [1, 2, 0]) await (aborted[index] ? transactions[index]?.abort() : transactions[index]?.commit());
    }
    expect(await readValues(log(), topic, 0, expected.length, WAIT_MS_MAX)).toEqual(expected);
    // From inside the transactions too.
    const whole = await readRecords(log(), { topic, partition: 0 }, expected.length, WAIT_MS_MAX);
    for (const offset of [1, 2, 5, 13, 21])
      expect(
        (await readRecords(log(), { topic, partition: 0 }, whole.filter((each) => each.offset >= offset).length, WAIT_MS_MAX, offset)).map(
          (each) => each.value,
        ),
      ).toEqual(whole.filter((each) => each.offset >= offset).map((each) => each.value));
    await Promise.all(producers.map((producer) => producer.disconnect()));
  });

  test("an open transaction holds readers back at its first record, and the bounds say so", async () => {
    const topic = await topicOf(log());
    const at = { topic, partition: 0 };
    await produce(log(), topic, 0, ["before"]);
    const [producer] = await foreignTransactions(1);
    const transaction = await producer?.transaction();
    await transaction?.send({ topic, messages: [{ partition: 0, value: "open" }] });
    await produce(log(), topic, 0, ["behind"]);
    expect(await readValues(log(), topic, 0, 1, WAIT_MS_MAX)).toEqual(["before"]);
    expect([await log().offsets.bound(at, "stable"), await log().offsets.bound(at, "high-watermark")]).toEqual([1, 3]);
    await transaction?.abort();
    expect(await readValues(log(), topic, 0, 2, WAIT_MS_MAX)).toEqual(["before", "behind"]);
    await producer?.disconnect();
  });

  test("headers and gzip of a foreign producer are read", async () => {
    const topic = await topicOf(log());
    const producer = (foreign as Kafka).producer();
    await producer.connect();
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await producer.send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: [{ key: "k", value: "v".repeat(500), headers: { traceparent: trace } }],
    });
    expect(await readRecords(log(), { topic, partition: 0 }, 1, WAIT_MS_MAX)).toMatchObject([
      { key: "k", value: "v".repeat(500), headers: [["traceparent", trace]] },
    ]);
    await producer.disconnect();
  });

  test.each<Compression>(["gzip", "snappy", "lz4", "zstd"])(
    "what is written with %s is taken by the broker and read again",
    async (compression) => {
      const other = await open({ compression });
      const topic = await topicOf(other, 2);
      const writer = await writerOf(other);
      const values = Array.from({ length: 500 }, (_, index) => `${index} ${"text ".repeat(20)}`);
      for (const value of values) writer.append(topic, 0, 1, utf8("k"), utf8(value));
      writer.append(topic, 1, 1, null, utf8("x"));
      await writer.commit({ offsets: [], rows: [] });
      await produce(other, topic, 1, values);
      // Made by another log: this one has to hear of it.
      await log().topics.describe(topic);
      expect(await readValues(log(), topic, 0, 500, WAIT_MS_MAX)).toEqual(values);
      expect(await readValues(log(), topic, 1, 501, WAIT_MS_MAX)).toEqual(["x", ...values]);
      await other.close();
    },
  );

  test("two hundred commits one behind the other stay apart, and a refused one in their midst leaves nothing", async () => {
    const topic = await topicOf(log(), 2);
    const group = fresh("group");
    let writer = await writerOf(log(), group);
    const expected: string[] = [];
    for (let commit = 0; commit < 200; commit++) {
      const refused = commit % 50 === 25;
      writer.append(topic, commit % 2, 1, null, utf8(`${commit}`));
      // Beyond what the broker takes as a time: one hour ahead.
      if (refused) writer.append(topic, 0, Date.now() + 86_400_000, null, utf8("from tomorrow"));
      const done = writer.commit({ offsets: [{ topic, partition: 0, offset: commit, metadata: "" }], rows: [] });
      if (!refused) {
        await done;
        if (commit % 2 === 0) expected.push(`${commit}`);
        continue;
      }
      expect(await codeOf(() => done)).toBe("COMMIT_REFUSED");
      await writer.close();
      writer = await writerOf(log(), group);
    }
    expect(await readValues(log(), topic, 0, expected.length, WAIT_MS_MAX)).toEqual(expected);
    expect(await log().offsets.committed(group, [{ topic, partition: 0 }])).toEqual([{ offset: 199, metadata: "" }]);
    await writer.close();
  });

  test("a transaction that was too old is given up by the coordinator: its producer is told from one that was fenced", async () => {
    const [topic, transactionalId] = [await topicOf(log()), fresh("id")];
    const wire = openSocketWire({ clientId: "test", security: {} });
    let pauseMs = 0;
    const pausing = new Proxy(wire, {
      get: (target, name: keyof KafkaWire) => {
        // The wire's methods as they are, whatever their arguments.
        const method = target[name] as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          if (name === "endTransaction") await sleep(pauseMs);
          return method.apply(target, args);
        };
      },
    });
    const bootstrap = (broker?.brokers ?? []).map((each) => ({ host: each.split(":")[0] ?? "", port: Number(each.split(":")[1]) }));
    const cluster = new Cluster({ wire: pausing, surroundings: realSurroundings, bootstrap });
    await cluster.open();
    const producer = new TransactionalProducer({ cluster, transactionalId, msMax: 1000, lane: 0 });
    await producer.initialize();
    const builder = new RecordBatchBuilder();
    builder.append(1, null, utf8("late"));
    const blocks = builder.seal({ ...producer.identity, baseSequence: 0, transactional: true });
    const content = { partitions: [{ topic, partition: 0, blocks }], offsets: [], member: { group: "g", generation: -1, member: "" } };
    pauseMs = 3000;
    const error = await producer.commit(content).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RefusedByBroker);
    expect(await producer.isFenced()).toBe(false);
    const newer = new TransactionalProducer({ cluster, transactionalId, msMax: 1000, lane: 1 });
    await newer.initialize();
    expect(await producer.isFenced()).toBe(true);
    expect(await newer.isFenced()).toBe(false);
    expect(await readValues(log(), topic, 0, 0, WAIT_MS_MAX)).toEqual([]);
    cluster.close();
    await wire.close();
  });

  test("a commit under a generation that is over is refused as lost, and its records are never seen", async () => {
    const [topic, group] = [await topicOf(log()), fresh("group")];
    const member = memberOf(log(), group, "a", topic);
    await member.join();
    await untilEvent(member, "assigned");
    const writer = log().writer({ group, transactionalId: fresh("id"), membership: member });
    await writer.initialize();
    writer.append(topic, 0, 1, null, utf8("in time"));
    await writer.commit({ offsets: [{ topic, partition: 0, offset: 1, metadata: "" }], rows: [] });
    const other = memberOf(log(), group, "b", topic);
    await other.join();
    await untilEvent(member, "rebalance");
    await member.rejoin();
    await vi.waitFor(async () => expect(await untilEvent(other, "assigned")).toBeDefined(), { timeout: WAIT_MS_MAX });
    // The host has not polled its new assignment: its work belongs to the old generation.
    writer.append(topic, 0, 1, null, utf8("too late"));
    expect(await codeOf(() => writer.commit({ offsets: [{ topic, partition: 0, offset: 9, metadata: "" }], rows: [] }))).toBe(
      "LOG_UNAVAILABLE",
    );
    expect(await readValues(log(), topic, 0, 1, WAIT_MS_MAX)).toEqual(["in time"]);
    expect(await log().offsets.committed(group, [{ topic, partition: 0 }])).toEqual([{ offset: 1, metadata: "" }]);
    await Promise.all([member.leave(), other.leave(), writer.close()]);
  });

  test("a member that falls silent is out of its group after a session, and the others share anew", async () => {
    const [topic, group] = [await topicOf(log()), fresh("group")];
    const times = { sessionMsMax: 2000, transactionMsMax: 1000, heartbeatMs: 100, rebalanceMsMax: 4000 };
    const [dying, living] = [await open(times), await open(times)];
    const [a, b] = [memberOf(dying, group, "a", topic), memberOf(living, group, "b", topic)];
    await a.join();
    await untilEvent(a, "assigned");
    await b.join();
    await untilEvent(a, "rebalance");
    await a.rejoin();
    await untilEvent(b, "assigned");
    // As a killed process does it: without a word.
    await dying.close();
    await untilEvent(b, "rebalance");
    await b.rejoin();
    expect(Buffer.from((await untilEvent(b, "assigned")).assignment).toString()).toBe("b");
    await b.leave();
    await living.close();
  });

  test("a reader comes through markers alone, and its position is the stable end", async () => {
    const topic = await topicOf(log());
    const at = { topic, partition: 0 };
    const [producer] = await foreignTransactions(1);
    for (let round = 0; round < 3; round++) {
      const transaction = await producer?.transaction();
      await transaction?.send({ topic, messages: [{ partition: 0, value: "aborted" }] });
      await transaction?.abort();
    }
    const reader = log().reader();
    reader.assign([from(topic, 0)]);
    await vi.waitFor(
      () => {
        expect(pollRecords(reader).size).toBe(0);
        expect(reader.position(at)).toBe(6);
        expect(reader.endOffset(at)).toBe(6);
      },
      { timeout: WAIT_MS_MAX, interval: 5 },
    );
    await reader.close();
    await producer?.disconnect();
  });
});

async function untilEvent<K extends MembershipEvent["kind"]>(member: Membership, kind: K): Promise<Extract<MembershipEvent, { kind: K }>> {
  return vi.waitFor(
    () => {
      const event = member.poll();
      expect(event?.kind).toBe(kind);
      return event as Extract<MembershipEvent, { kind: K }>;
    },
    { timeout: WAIT_MS_MAX, interval: 5 },
  );
}

function memberOf(of: Log, group: string, memberId: string, topic: string): Membership {
  return of.membership({
    group,
    memberId,
    topics: [topic],
    userData: () => utf8(memberId),
    assign: (members) => {
      const all = members.map((each) => each.memberId).sort();
      return members.map((each) => ({ memberId: each.memberId, assignment: utf8(all.join()) }));
    },
  });
}
