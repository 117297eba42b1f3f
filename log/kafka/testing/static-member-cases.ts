/** Members that come back under their name, on any broker that follows Kafka's rules. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { codeOf, fresh, topicOf, utf8 } from "../../conformance/log-under-test.ts";
import type { Log, Membership, MembershipEvent } from "../../log.ts";

export interface StaticMemberTimes {
  readonly sessionMsMax: number;
  readonly transactionMsMax: number;
  readonly heartbeatMs: number;
  readonly rebalanceMsMax: number;
}

/** Nothing in a case may wait for it. */
const TIMES: StaticMemberTimes = { sessionMsMax: 30_000, transactionMsMax: 10_000, heartbeatMs: 50, rebalanceMsMax: 30_000 };
const WAIT_MS_MAX = 10_000;

interface Group {
  readonly member: (memberId: string) => Promise<{ readonly log: Log; readonly membership: Membership }>;
  readonly topic: string;
  readonly group: string;
}

/** Opens a log of its own each time. */
type Open = (times: StaticMemberTimes) => Promise<Log>;

/** Defines the cases. */
export function staticMemberCases(open: Open): void {
  comingCases(open);
  leavingCases(open);
}

function comingCases(open: Open): void {
  test("who died and comes back under its name has its part at once, in the same generation, and the others hear nothing", async () => {
    await using at = await groupOf(open);
    const [one, other] = [await at.member("a"), await at.member("b")];
    await settle(one.membership, other.membership);
    const { generation } = other.membership;
    await one.log.close();
    const back = await at.member("a");
    await back.membership.join();
    expect(await next(back.membership)).toMatchObject({ kind: "assigned", generation, assignment: new Uint8Array(utf8("part of a")) });
    await sleep(TIMES.heartbeatMs * 4);
    expect(other.membership.poll()).toBeUndefined();
    // What it says of itself then is heard by whoever leads: it asks, and all come together again.
    await back.membership.rejoin();
    expect(await next(other.membership)).toEqual({ kind: "rebalance" });
    await other.membership.rejoin();
    expect(await next(back.membership)).toMatchObject({ kind: "assigned" });
    expect(await next(other.membership)).toMatchObject({ kind: "assigned" });
    expect(back.membership.generation).toBe(other.membership.generation);
    expect(back.membership.generation).toBeGreaterThan(generation);
  });

  test("whose place is taken commits nothing more, and is lost", async () => {
    await using at = await groupOf(open);
    const [one, taker] = [await at.member("a"), await at.member("a")];
    await one.membership.join();
    await next(one.membership);
    const { group, topic } = at;
    const writer = one.log.writer({ group, transactionalId: fresh("id"), membership: one.membership });
    await writer.initialize();
    await taker.membership.join();
    expect(await next(taker.membership)).toMatchObject({ kind: "assigned" });
    writer.append(topic, 0, 1, null, utf8("too late"));
    const code = await codeOf(() => writer.commit({ offsets: [{ topic, partition: 0, offset: 9, metadata: "" }], rows: [] }));
    expect(code).toBe("LOG_UNAVAILABLE");
    expect(await next(one.membership)).toEqual({ kind: "lost" });
    await expect((await at.member("x")).log.offsets.committed(group, [{ topic, partition: 0 }])).resolves.toEqual([undefined]);
  });

  test("of two that take the place from one another in turn, one gives it up", async () => {
    await using at = await groupOf(open);
    const [one, other] = [await at.member("a"), await at.member("a")];
    await one.membership.join();
    await next(one.membership);
    await other.membership.join();
    await next(other.membership);
    expect(await next(one.membership)).toEqual({ kind: "lost" });
    await one.membership.join();
    expect(await next(one.membership)).toMatchObject({ kind: "assigned" });
    expect(await next(other.membership)).toEqual({ kind: "lost" });
    await other.membership.join();
    expect(await next(other.membership)).toMatchObject({ kind: "assigned" });
    await expect(next(one.membership)).rejects.toMatchObject({ code: "MEMBER_FENCED" });
    await sleep(TIMES.heartbeatMs * 4);
    expect(other.membership.poll()).toBeUndefined();
  });
}

function leavingCases(open: Open): void {
  test("who leaves is out at once, whatever its session", async () => {
    await using at = await groupOf(open);
    const [one, other] = [await at.member("a"), await at.member("b")];
    await settle(one.membership, other.membership);
    await one.membership.leave();
    expect(await next(other.membership)).toEqual({ kind: "rebalance" });
    await other.membership.rejoin();
    expect(await next(other.membership)).toMatchObject({ kind: "assigned" });
  });

  test("who leaves while it joins is out too", async () => {
    await using at = await groupOf(open);
    const [one, other] = [await at.member("a"), await at.member("b")];
    await one.membership.join();
    await next(one.membership);
    // The coordinator knows it and waits for the first one, which does not come.
    await other.membership.join();
    expect(await next(one.membership)).toEqual({ kind: "rebalance" });
    await other.membership.leave();
    await one.membership.rejoin();
    expect(await next(one.membership)).toMatchObject({ kind: "assigned" });
  });
}

async function groupOf(open: Open): Promise<Group & AsyncDisposable> {
  const logs: Log[] = [];
  const first = await open(TIMES);
  logs.push(first);
  const [topic, group] = [await topicOf(first), fresh("group")];
  const member = async (memberId: string): Promise<{ readonly log: Log; readonly membership: Membership }> => {
    const log = await open(TIMES);
    logs.push(log);
    const userData = (): Buffer => utf8(memberId);
    return { log, membership: log.membership({ group, memberId, topics: [topic], userData, assign }) };
  };
  return {
    topic,
    group,
    member,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(logs.map((log) => log.close()));
    },
  };
}

/** Until both have a part of one generation. */
async function settle(one: Membership, other: Membership): Promise<void> {
  await one.join();
  await next(one);
  await other.join();
  expect(await next(one)).toEqual({ kind: "rebalance" });
  await one.rejoin();
  await next(one);
  await next(other);
  expect(one.generation).toBe(other.generation);
}

/** Rejects with what the poll throws. */
async function next(member: Membership): Promise<MembershipEvent> {
  const until = Date.now() + WAIT_MS_MAX;
  while (Date.now() < until) {
    const event = member.poll();
    if (event !== undefined) return event;
    await sleep(2);
  }
  throw new Error("no event came");
}

function assign(members: readonly { readonly memberId: string }[]): { memberId: string; assignment: Buffer }[] {
  return members.map(({ memberId }) => ({ memberId, assignment: utf8(`part of ${memberId}`) }));
}
