/** Three brokers, replication 3, two in sync: the suite of the port, and brokers killed under a transactional writer and under a group. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { logConformance } from "../conformance/index.ts";
import { fresh, from, pollRecords, produce, topicOf, utf8 } from "../conformance/log-under-test.ts";
import type { Log, Membership, Writer } from "../log.ts";
import { openKafkaLog } from "./kafka-log.ts";
import type { KafkaLogOptions } from "./kafka-log.ts";
import { whyNoCluster } from "./testing/kafka-broker.ts";
import { KafkaCluster } from "./testing/kafka-cluster.ts";

const missing = whyNoCluster();
const PARTITIONS = 3;
const RECORDS = 6_000;
/** While brokers die it goes slowly, so that it is not done before; then fast. */
const SLOW = { recordsACommit: 10, pauseMs: 100 };
const FAST = { recordsACommit: 500, pauseMs: 0 };

describe.skipIf(missing !== undefined)(`three brokers${missing === undefined ? "" : `: ${missing}`}`, () => {
  let started: KafkaCluster | undefined;
  beforeAll(async () => {
    started = await KafkaCluster.start({ brokers: 3 });
  }, 180_000);
  afterAll(() => started?.close(), 60_000);

  const cluster = (): KafkaCluster => {
    if (started === undefined) throw new Error("started before each case");
    return started;
  };
  const open = (options: Partial<KafkaLogOptions> = {}): Promise<Log> =>
    openKafkaLog({ brokers: cluster().brokers, clientId: "test", heartbeatMs: 100, ...options });

  logConformance({
    name: "kafka on three brokers",
    waitMsMax: 10_000,
    open: async () => {
      const log = await open();
      return { log, close: () => log.close() };
    },
  });

  test("each broker killed in turn under a transactional writer: every record once, in order", { timeout: 300_000 }, async () => {
    const log = await open();
    const [source, sink] = [await topicOf(log, PARTITIONS), await topicOf(log, PARTITIONS)];
    const values = Array.from({ length: RECORDS }, (_, index) => `${index}`);
    for (let partition = 0; partition < PARTITIONS; partition++) await produce(log, source, partition, values);
    const copy: Copy = { source, sink, group: fresh("group"), transactionalId: fresh("id"), pace: SLOW, commits: 0 };
    const copying = copyExactlyOnce(log, copy);
    const goesOn = async (): Promise<void> => {
      const before = copy.commits;
      await vi.waitFor(() => expect(copy.commits).toBeGreaterThan(before), { timeout: 45_000 });
    };
    for (const node of cluster().nodes) {
      await goesOn();
      await node.kill();
      // Without it, once its partitions have found other leaders.
      await goesOn();
      await node.start();
    }
    copy.pace = FAST;
    await copying;
    const reader = log.reader();
    reader.assign(values.slice(0, PARTITIONS).map((_, partition) => from(sink, partition)));
    const seen = new Map<string, (string | null)[]>();
    await vi.waitFor(
      () => {
        for (const [at, records] of pollRecords(reader)) seen.set(at, [...(seen.get(at) ?? []), ...records.map(({ value }) => value)]);
        expect([...seen.values()].reduce((sum, { length }) => sum + length, 0)).toBeGreaterThanOrEqual(PARTITIONS * RECORDS);
      },
      { timeout: 30_000 },
    );
    for (let partition = 0; partition < PARTITIONS; partition++) expect(seen.get(`${sink}/${partition}`)).toEqual(values);
    await log.close();
  });

  test("each broker killed in turn under a group: its members come back to one generation", { timeout: 180_000 }, async () => {
    const logs = [
      await open({ sessionMsMax: 6_000, transactionMsMax: 6_000 }),
      await open({ sessionMsMax: 6_000, transactionMsMax: 6_000 }),
    ];
    const [topic, group] = [await topicOf(logs[0] as Log), fresh("group")];
    const members = logs.map((log, index) => new Member(log, topic, group, `m${index}`));
    for (const member of members) await member.join();
    const together = async (): Promise<void> => {
      await vi.waitFor(
        async () => {
          for (const member of members) await member.follow();
          const generations = new Set(members.map(({ generation }) => generation));
          expect(generations.size).toBe(1);
          expect(members.map(({ share }) => share).toSorted()).toEqual(["0", "1"]);
        },
        { timeout: 45_000, interval: 50 },
      );
    };
    await together();
    for (const node of cluster().nodes) {
      await node.kill();
      const until = performance.now() + 4_000;
      while (performance.now() < until) {
        for (const member of members) await member.follow();
        await sleep(50);
      }
      await together();
      await node.start();
      await together();
    }
    for (const member of members) await member.leave();
    for (const log of logs) await log.close();
  });
});

class Member {
  share = "";
  readonly #membership: Membership;

  constructor(log: Log, topic: string, group: string, memberId: string) {
    this.#membership = log.membership({
      group,
      memberId,
      topics: [topic],
      userData: () => utf8(memberId),
      assign: (all) => all.map((each, index) => ({ memberId: each.memberId, assignment: utf8(`${index}`) })),
    });
  }

  get generation(): number {
    return this.#membership.generation;
  }

  join(): Promise<void> {
    return this.#membership.join();
  }

  leave(): Promise<void> {
    return this.#membership.leave();
  }

  /** Does what the group asks for. */
  async follow(): Promise<void> {
    for (let event = this.#membership.poll(); event !== undefined; event = this.#membership.poll()) {
      if (event.kind === "assigned") this.share = Buffer.from(event.assignment).toString("utf8");
      else {
        this.share = "";
        await this.#membership.rejoin();
      }
    }
  }
}

interface Copy {
  readonly source: string;
  readonly sink: string;
  readonly group: string;
  readonly transactionalId: string;
  pace: { readonly recordsACommit: number; readonly pauseMs: number };
  commits: number;
}

/** Reads, writes and commits until the end, with a new writer from the committed offsets after every failure. */
async function copyExactlyOnce(log: Log, copy: Copy): Promise<void> {
  for (;;) {
    const writer = log.writer({ group: copy.group, transactionalId: copy.transactionalId });
    try {
      await writer.initialize();
      await copyToTheEnd(log, writer, copy);
      return;
    } catch (error) {
      expect(error).toHaveProperty("code");
      await sleep(50);
    } finally {
      await writer.close().catch(() => {});
    }
  }
}

async function copyToTheEnd(log: Log, writer: Writer, copy: Copy): Promise<void> {
  const { source, sink, group } = copy;
  const places = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: source, partition }));
  const committed = await log.offsets.committed(group, places);
  const reader = log.reader();
  const next = committed.map((each) => each?.offset ?? 0);
  reader.assign(places.map(({ partition }) => from(source, partition, next[partition])));
  try {
    while (next.some((offset) => offset < RECORDS)) {
      const polled = [...pollRecords(reader)].flatMap(([at, records]) =>
        records.map((record) => ({ partition: Number(at.split("/")[1]), ...record })),
      );
      if (polled.length === 0) await sleep(5);
      for (let first = 0, count = 0; first < polled.length; first += count) {
        const { recordsACommit, pauseMs } = copy.pace;
        count = recordsACommit;
        for (const { partition, offset, timestamp, value } of polled.slice(first, first + count)) {
          writer.append(sink, partition, timestamp, null, utf8(value ?? ""));
          next[partition] = offset + 1;
        }
        const offsets = next.map((offset, partition) => ({ topic: source, partition, offset, metadata: "" }));
        await writer.commit({ offsets, rows: [] });
        copy.commits++;
        await sleep(pauseMs);
      }
    }
  } finally {
    await reader.close();
  }
}
