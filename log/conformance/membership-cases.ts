import { expect, test, vi } from "vitest";
import type { Log, MemberAssignment, MemberInfo, Membership, MembershipEvent } from "../log.ts";
import type { LogUnderTest } from "./log-under-test.ts";
import { fresh, topicOf, utf8 } from "./log-under-test.ts";

/** Groups. */
export function membershipCases(under: () => LogUnderTest, waitMsMax: number): void {
  /** Rejoins at each rebalance until all members hold an assignment of one generation; their texts. */
  async function settle(members: readonly Membership[]): Promise<string[]> {
    const latest = new Map<Membership, Extract<MembershipEvent, { kind: "assigned" }>>();
    await vi.waitFor(
      async () => {
        for (const member of members) {
          const event = member.poll();
          if (event?.kind === "assigned") latest.set(member, event);
          if (event?.kind !== "rebalance") continue;
          latest.delete(member);
          await member.rejoin();
        }
        expect(latest.size).toBe(members.length);
        expect(new Set([...latest.values()].map((event) => event.generation)).size).toBe(1);
        for (const [member, event] of latest) expect(member.generation).toBe(event.generation);
      },
      { timeout: waitMsMax, interval: 2 },
    );
    return members.map((member) => String(Buffer.from(latest.get(member)?.assignment ?? [])));
  }

  test("a member alone gets its own assignment, made from its user data", async () => {
    const { log } = under();
    const member = memberOf(log, fresh("group"), "a", [await topicOf(log)], () => "hello");
    await member.join();
    expect(await settle([member])).toEqual(["a of a=hello"]);
    expect(member.generation).toBeGreaterThanOrEqual(0);
    await member.leave();
  });

  test("a member that joins makes a new generation in which everybody hears its part", async () => {
    const { log } = under();
    const [group, topics] = [fresh("group"), [await topicOf(log)]];
    const [a, b, c] = ["a", "b", "c"].map((id) => memberOf(log, group, id, topics)) as [Membership, Membership, Membership];
    await a.join();
    await settle([a]);
    const before = a.generation;
    await Promise.all([b.join(), c.join()]);
    expect(await settle([a, b, c])).toEqual(["a of a=a,b=b,c=c", "b of a=a,b=b,c=c", "c of a=a,b=b,c=c"]);
    expect(a.generation).toBeGreaterThan(before);
    await Promise.all([a.leave(), b.leave(), c.leave()]);
  });

  test("user data is asked for anew at each join, and a member may ask for a new generation itself", async () => {
    const { log } = under();
    const [group, topics] = [fresh("group"), [await topicOf(log)]];
    let caughtUp = "no";
    const a = memberOf(log, group, "a", topics);
    const b = memberOf(log, group, "b", topics, () => caughtUp);
    await a.join();
    await b.join();
    expect(await settle([a, b])).toEqual(["a of a=a,b=no", "b of a=a,b=no"]);
    caughtUp = "yes";
    await b.rejoin();
    expect(await settle([a, b])).toEqual(["a of a=a,b=yes", "b of a=a,b=yes"]);
    await Promise.all([a.leave(), b.leave()]);
  });

  test("when a member leaves, also the leader, the others share anew", async () => {
    const { log } = under();
    const [group, topics] = [fresh("group"), [await topicOf(log)]];
    const [a, b, c] = ["a", "b", "c"].map((id) => memberOf(log, group, id, topics)) as [Membership, Membership, Membership];
    for (const member of [a, b, c]) await member.join();
    await settle([a, b, c]);
    await a.leave();
    expect(await settle([b, c])).toEqual(["b of b=b,c=c", "c of b=b,c=c"]);
    expect(a.poll()).toBeUndefined();
    await Promise.all([b.leave(), c.leave()]);
  });

  test("groups do not hear of one another", async () => {
    const { log } = under();
    const topics = [await topicOf(log)];
    const [a, b] = [memberOf(log, fresh("group"), "a", topics), memberOf(log, fresh("group"), "b", topics)];
    await a.join();
    await b.join();
    expect(await settle([a, b]).catch(() => "other generations")).toEqual(["a of a=a", "b of b=b"]);
    await Promise.all([a.leave(), b.leave()]);
  });
}

/** Tells each member who all members are, in order, with their user data. */
function assign(members: readonly MemberInfo[]): readonly MemberAssignment[] {
  const all = members.map(({ memberId, userData }) => `${memberId}=${String(Buffer.from(userData))}`).sort();
  return members.map(({ memberId }) => ({ memberId, assignment: utf8(`${memberId} of ${all.join(",")}`) }));
}

function memberOf(log: Log, group: string, memberId: string, topics: readonly string[], userData = (): string => memberId): Membership {
  return log.membership({ group, memberId, topics, userData: () => utf8(userData()), assign });
}
