/** What a real broker taught, on simulated ones: the cases that hang on the rules of brokers, with transactions by hand. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { codeOf, fresh, from, pollRecords, produce, readValues, topicOf, utf8, writerOf } from "../../conformance/log-under-test.ts";
import type { Log, Membership, MembershipEvent } from "../../log.ts";
import { realSurroundings } from "../defaults.ts";
import type { ClientOptions } from "./simulated-cluster.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { WireSession } from "./fixtures/wire-session.ts";

const WAIT_MS_MAX = 5_000;

interface Bench {
  readonly cluster: SimulatedCluster;
  readonly log: Log;
  readonly session: WireSession;
  readonly open: (options?: Partial<ClientOptions>) => Promise<Log>;
}

async function bench(version: 1 | 2): Promise<Bench> {
  const cluster = new SimulatedCluster({ surroundings: realSurroundings, transactionVersion: version, timeoutCheckMs: 20 });
  const [bootstrap = { host: "", port: 0 }] = cluster.brokers;
  const wire = cluster.wire({ clientId: "by hand" });
  const session = new WireSession({ wire, bootstrap, version, prefix: fresh("session"), partitions: 1, pause: (ms) => sleep(ms) });
  await session.open();
  const open = (options: Partial<ClientOptions> = {}): Promise<Log> => cluster.open({ clientId: "test", heartbeatMs: 20, ...options });
  return { cluster, session, open, log: await open() };
}

describe.each([1, 2] as const)("transaction version %s", (version) => {
  async function store({ session }: Bench, owner: Parameters<WireSession["produce"]>[0]): Promise<void> {
    if (version === 1) await session.announce(owner, 0);
    const next = owner.sequences.get(0) ?? 0;
    expect((await session.produce(owner, 0, next, 1)).code).toBe(0);
    owner.sequences.set(0, next + 1);
  }

  test("aborted transactions that overlap in one partition are never seen, from wherever it is read", async () => {
    const at = await bench(version);
    const owners = await Promise.all(["a", "b", "c"].map(async (id) => (await at.session.initialize(id)).owner));
    let committed = 0;
    for (let round = 0; round < 8; round++) {
      for (let step = 0; step < 3; step++) for (const owner of owners) await store(at, owner);
      // In another order than they began, and each round aborts another set of the three.
      for (const index of [1, 2, 0]) {
        const abort = ((round >> index) & 1) === 1;
        expect((await at.session.end(owners[index] as (typeof owners)[number], !abort)).code).toBe(0);
        if (!abort) committed += 3;
      }
    }
    const reader = at.log.reader();
    await at.log.topics.describe(at.session.topic);
    const seen = new Set<number>();
    for (const offset of [0, 1, 5, 13, 40]) {
      reader.assign([from(at.session.topic, 0, offset)]);
      const found: number[] = [];
      await vi.waitFor(
        () => {
          for (const record of pollRecords(reader).get(`${at.session.topic}/0`) ?? []) found.push(record.offset);
          expect(reader.position({ topic: at.session.topic, partition: 0 })).toBe(96);
        },
        { timeout: WAIT_MS_MAX, interval: 2 },
      );
      for (const each of found) seen.add(each);
      if (offset === 0) expect(found).toHaveLength(committed);
      else expect(found).toEqual([...seen].filter((each) => each >= offset));
    }
    await at.log.close();
  });

  test("an open transaction holds readers back at its first record, and the bounds say so", async () => {
    const at = await bench(version);
    const { topic } = at.session;
    await at.log.topics.describe(topic);
    await produce(at.log, topic, 0, ["before"]);
    const { owner } = await at.session.initialize("a");
    await store(at, owner);
    await produce(at.log, topic, 0, ["behind"]);
    expect(await readValues(at.log, topic, 0, 1, WAIT_MS_MAX)).toEqual(["before"]);
    const bounds = [
      await at.log.offsets.bound({ topic, partition: 0 }, "stable"),
      await at.log.offsets.bound({ topic, partition: 0 }, "high-watermark"),
    ];
    expect(bounds).toEqual([1, 3]);
    await at.session.end(owner, false);
    expect(await readValues(at.log, topic, 0, 2, WAIT_MS_MAX)).toEqual(["before", "behind"]);
    await at.log.close();
  });

  test("what compaction leaves empty moves readers on", async () => {
    const at = await bench(version);
    const topic = await topicOf(at.log, 1, { cleanup: "compact" });
    for (const round of [1, 2, 3]) {
      const writer = await writerOf(at.log);
      writer.append(topic, 0, round, utf8("key"), utf8(`value ${round}`));
      await writer.commit({ offsets: [], rows: [] });
    }
    await at.log.offsets.bound({ topic, partition: 0 }, "stable");
    at.cluster.upkeep(() => true);
    expect(await readValues(at.log, topic, 0, 1, WAIT_MS_MAX)).toEqual(["value 3"]);
    at.cluster.upkeep(() => false);
    expect(await readValues(at.log, topic, 0, 1, WAIT_MS_MAX)).toEqual(["value 3"]);
    await at.log.close();
  });

  test("a member that falls silent is out of its group after a session, and what it commits then is refused", async () => {
    const at = await bench(version);
    const [topic, group] = [await topicOf(at.log), fresh("group")];
    const times = { sessionMsMax: 300, transactionMsMax: 300, heartbeatMs: 50, rebalanceMsMax: 600 };
    const [silent, living] = [await at.open(times), await at.open(times)];
    const [a, b] = [memberOf(silent, group, "a", topic), memberOf(living, group, "b", topic)];
    await a.join();
    await untilEvent(a, "assigned");
    const writer = living.writer({ group, transactionalId: fresh("id"), membership: a });
    await writer.initialize();
    await silent.close();
    await b.join();
    await untilEvent(b, "assigned");
    writer.append(topic, 0, 1, null, utf8("too late"));
    expect(await codeOf(() => writer.commit({ offsets: [{ topic, partition: 0, offset: 9, metadata: "" }], rows: [] }))).toBe(
      "LOG_UNAVAILABLE",
    );
    expect(await readValues(living, topic, 0, 0, WAIT_MS_MAX)).toEqual([]);
    await b.leave();
    await living.close();
  });
});

async function untilEvent(member: Membership, kind: MembershipEvent["kind"]): Promise<void> {
  await vi.waitFor(() => expect(member.poll()?.kind).toBe(kind), { timeout: WAIT_MS_MAX, interval: 2 });
}

function assign(members: readonly { readonly memberId: string }[]): { memberId: string; assignment: Buffer }[] {
  return members.map(({ memberId }) => ({ memberId, assignment: utf8("part") }));
}

function memberOf(log: Log, group: string, memberId: string, topic: string): Membership {
  return log.membership({ group, memberId, topics: [topic], userData: () => utf8(memberId), assign });
}
