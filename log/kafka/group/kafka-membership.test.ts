/** The group loop against scripted answers, in time that jumps. */
import { afterEach, describe, expect, test } from "vitest";
import { utf8 } from "../../conformance/log-under-test.ts";
import type { MemberInfo, MembershipEvent } from "../../log.ts";
import { Cluster } from "../client/cluster.ts";
import type { JoinRequest, KafkaWire } from "../client/wire-contract.ts";
import { WireError } from "../client/wire-error.ts";
import { hurriedSurroundings } from "../testing/hurried-surroundings.ts";
import { scriptedWire } from "../testing/scripted-wire.ts";
import { decodeSubscription, encodeAssignment, encodeSubscription } from "./consumer-protocol.ts";
import { KafkaMembership } from "./kafka-membership.ts";

const opened: KafkaMembership[] = [];
afterEach(() => Promise.all(opened.splice(0).map((member) => member.abandon())));

/** A coordinator with one member who is the leader; a test replaces what it is about. */
function alone(): Partial<KafkaWire> {
  let generation = 0;
  return {
    join: async (_to, { member, metadata }) => {
      if (member === "") return { errorCode: 79, generation: -1, leader: "", member: "m-1", members: [] };
      generation += 1;
      return { errorCode: 0, generation, leader: member, member, members: [{ member, metadata }] };
    },
    sync: async (_to, { member, assignments }) => ({
      errorCode: 0,
      assignment: assignments.find((each) => each.member === member)?.assignment ?? encodeAssignment(utf8("given")),
    }),
    heartbeat: async () => ({ errorCode: 0 }),
    leave: async () => ({ errorCode: 0 }),
  };
}

async function memberOn(script: Partial<KafkaWire>, assign = everything, memberId = "a") {
  const { wire, calls } = scriptedWire({ ...alone(), ...script });
  const surroundings = hurriedSurroundings();
  const cluster = new Cluster({ wire, surroundings, bootstrap: [{ host: "broker", port: 9092 }] });
  await cluster.open();
  const times = { sessionMsMax: 1000, rebalanceMsMax: 2000, heartbeatMs: 100 };
  const options = { group: "g", memberId, topics: ["out"], userData: () => utf8("data"), assign };
  const member = new KafkaMembership(options, { cluster, times, wake: () => {}, lane: 0, closed: () => {} });
  opened.push(member);
  return { member, calls, surroundings };
}

function everything(members: readonly MemberInfo[]) {
  return members.map(({ memberId }) => ({ memberId, assignment: utf8(`all of ${memberId}`) }));
}

async function next(member: KafkaMembership): Promise<MembershipEvent> {
  for (let turn = 0; turn < 200; turn++) {
    const event = member.poll();
    if (event !== undefined) return event;
    await new Promise(setImmediate);
  }
  throw new Error("no event came");
}

describe("group loop", () => {
  test("takes the id that the broker gives it, leads, shares, and hears its part", async () => {
    const { member, calls } = await memberOn({});
    await member.join();
    expect(member.generation).toBe(-1);
    expect(await next(member)).toMatchObject({ kind: "assigned", generation: 1, assignment: new Uint8Array(utf8("all of a")) });
    expect(member.identity).toEqual({ group: "g", generation: 1, member: "m-1", instance: "a" });
    expect(calls.slice(0, 3)).toEqual(["join", "join", "sync"]);
  });

  test("commits stay under the generation that was polled, whatever was heard since", async () => {
    let code = 0;
    const { member } = await memberOn({ heartbeat: async () => ({ errorCode: code }) });
    await member.join();
    await next(member);
    code = 27;
    expect(await next(member)).toEqual({ kind: "rebalance" });
    code = 0;
    await member.rejoin();
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(member.generation).toBe(1);
    expect(await next(member)).toMatchObject({ kind: "assigned", generation: 2 });
    expect(member.generation).toBe(2);
  });

  test("hears of a rebalance once, and goes on with its heartbeats until it rejoins", async () => {
    const { member, calls } = await memberOn({ heartbeat: async () => ({ errorCode: 27 }) });
    await member.join();
    await next(member);
    expect(await next(member)).toEqual({ kind: "rebalance" });
    const before = calls.filter((call) => call === "heartbeat").length;
    for (let turn = 0; turn < 30; turn++) await new Promise(setImmediate);
    expect(calls.filter((call) => call === "heartbeat").length).toBeGreaterThan(before + 3);
    expect(member.poll()).toBeUndefined();
  });

  test.each([25, 22, 82])("is lost when its heartbeat is answered with %i, and asks nothing more", async (code) => {
    const { member, calls } = await memberOn({ heartbeat: async () => ({ errorCode: code }) });
    await member.join();
    await next(member);
    expect(await next(member)).toEqual({ kind: "lost" });
    expect(member.identity.generation).toBe(-1);
    const before = calls.length;
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    expect(calls.length).toBe(before);
  });

  test("asks more often while another generation is expected, until it comes or has not come for two seconds", async () => {
    let code = 0;
    const { member, surroundings } = await memberOn({
      heartbeat: async () => {
        const answer = code;
        code = 0;
        return { errorCode: answer };
      },
    });
    const until = async (ms: number): Promise<void> => {
      while (surroundings.now() < ms) await new Promise(setImmediate);
    };
    await member.join();
    await next(member);
    member.expectAnother();
    const begun = surroundings.now();
    const before = surroundings.pauses.length;
    await until(begun + 3_000);
    const pauses = surroundings.pauses.slice(before);
    expect(pauses.filter((ms) => ms === 25).length).toBeGreaterThanOrEqual(79);
    expect(pauses.at(-1)).toBe(100);
    member.expectAnother();
    code = 27;
    await next(member);
    await member.rejoin();
    await next(member);
    const settled = surroundings.pauses.length;
    await until(surroundings.now() + 300);
    expect(surroundings.pauses.slice(settled)).not.toContain(25);
  });

  test("outlives a coordinator that moves, and is lost after a session without one", async () => {
    const answers = [16, 14, 0];
    const { member, surroundings } = await memberOn({
      heartbeat: async () => {
        const code = answers.shift();
        if (code === undefined) throw new WireError("unreachable", "down", undefined);
        return { errorCode: code };
      },
    });
    await member.join();
    await next(member);
    const before = surroundings.now();
    expect(await next(member)).toEqual({ kind: "lost" });
    expect(surroundings.now() - before).toBeGreaterThan(1000);
  });

  test("joins again by itself while it holds nothing: lost answers, moved coordinators, forgotten ids, rebalances meanwhile", async () => {
    const ids: string[] = [];
    const codes = [16, 25, 0, 0];
    const base = alone();
    const syncCodes = [27, 0];
    const { member } = await memberOn({
      join: async (to, request: JoinRequest) => {
        ids.push(request.member);
        const code = request.member === "" ? 0 : (codes.shift() ?? 0);
        if (code !== 0) return { errorCode: code, generation: -1, leader: "", member: request.member, members: [] };
        return (base.join as KafkaWire["join"])(to, request);
      },
      sync: async (to, request) => {
        const code = syncCodes.shift() ?? 0;
        return code === 0 ? (base.sync as KafkaWire["sync"])(to, request) : { errorCode: code, assignment: Buffer.alloc(0) };
      },
    });
    await member.join();
    expect((await next(member)).kind).toBe("assigned");
    expect(ids).toEqual(["", "m-1", "m-1", "", "m-1", "m-1"]);
  });

  test("forgotten while it joins again, it is lost: others may have had its part meanwhile", async () => {
    const base = alone();
    let forgets = false;
    const { member } = await memberOn({
      join: async (to, request) => {
        if (forgets && request.member !== "") return { errorCode: 25, generation: -1, leader: "", member: "", members: [] };
        return (base.join as KafkaWire["join"])(to, request);
      },
    });
    await member.join();
    await next(member);
    forgets = true;
    await member.rejoin();
    expect(await next(member)).toEqual({ kind: "lost" });
    expect(member.generation).toBe(-1);
    forgets = false;
    await member.join();
    expect(await next(member)).toMatchObject({ kind: "assigned" });
  });

  test("says each join anew, so that asking for a new generation makes one", async () => {
    const cards: number[] = [];
    const base = alone();
    const { member } = await memberOn({
      join: async (to, request) => {
        cards.push(decodeSubscription(request.metadata).joins);
        return (base.join as KafkaWire["join"])(to, request);
      },
    });
    await member.join();
    await next(member);
    await member.rejoin();
    await next(member);
    expect(cards).toEqual([1, 1, 2]);
  });

  test("of two members with one id the younger gets the part", async () => {
    const base = alone();
    const shared: string[] = [];
    const older = encodeSubscription(["out"], { memberId: "a", bornAt: -1, joins: 1, userData: utf8("old") });
    const { member } = await memberOn({
      join: async (to, request) => {
        const joined = await (base.join as KafkaWire["join"])(to, request);
        return { ...joined, members: [{ member: "m-0", metadata: older }, ...joined.members] };
      },
      sync: async (to, request) => {
        shared.push(...request.assignments.map((each) => `${each.member} ${each.assignment.length}`));
        return (base.sync as KafkaWire["sync"])(to, request);
      },
    });
    await member.join();
    await next(member);
    expect(shared).toEqual(["m-0 10", "m-1 18"]);
  });

  test("what no retry will change is thrown by the next poll: rights, another kind of member, a bug of the assignor", async () => {
    const denied = await memberOn({ join: async () => ({ errorCode: 30, generation: -1, leader: "", member: "", members: [] }) });
    await denied.member.join();
    await expect(next(denied.member)).rejects.toThrow(/GROUP_AUTHORIZATION_FAILED \(30\)\. Grant User:ANONYMOUS Read on the group g\./);
    const hidden = await memberOn({ coordinator: async () => ({ errorCode: 30, host: "", port: -1 }) });
    await hidden.member.join();
    await expect(next(hidden.member)).rejects.toMatchObject({ code: "LOG_FORBIDDEN" });
    const foreign = await memberOn({
      join: async () => ({ errorCode: 0, generation: 1, leader: "m", member: "m", members: [{ member: "x", metadata: Buffer.alloc(4) }] }),
    });
    await foreign.member.join();
    await expect(next(foreign.member)).rejects.toThrow(/not of this kind/);
    const faulty = await memberOn({}, () => {
      throw new TypeError("bug");
    });
    await faulty.member.join();
    await expect(next(faulty.member)).rejects.toThrow(TypeError);
  });

  test("says its name in everything that it asks, so that whoever had the place is fenced; a name that Kafka does not take is not said", async () => {
    const said: (string | undefined)[] = [];
    const base = alone();
    const noting =
      <R>(answer: (to: never, request: never) => Promise<R>) =>
      (to: unknown, request: { readonly instance?: string }): Promise<R> => {
        said.push(request.instance);
        return answer(to as never, request as never);
      };
    const script = Object.fromEntries(Object.entries(base).map(([name, answer]) => [name, noting(answer as never)])) as Partial<KafkaWire>;
    const { member } = await memberOn(script);
    await member.join();
    await next(member);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    await member.leave();
    expect(said.length).toBeGreaterThan(4);
    expect(new Set(said)).toEqual(new Set(["a"]));
    said.length = 0;
    const other = await memberOn(script, everything, "an id with blanks");
    await other.member.join();
    await next(other.member);
    expect(new Set(said)).toEqual(new Set([undefined]));
  });

  test("whose place is taken twice within a minute gives it up; after more than that it may have been its own late request again", async () => {
    let code = 0;
    const { member, surroundings } = await memberOn({
      heartbeat: async () => {
        const answer = code;
        code = 0;
        return { errorCode: answer };
      },
    });
    const taken = async (): Promise<MembershipEvent> => {
      await member.join();
      await next(member);
      code = 82;
      return next(member);
    };
    expect(await taken()).toEqual({ kind: "lost" });
    const since = surroundings.now();
    await member.join();
    await next(member);
    while (surroundings.now() - since < 61_000) await new Promise(setImmediate);
    code = 82;
    expect(await next(member)).toEqual({ kind: "lost" });
    await expect(taken()).rejects.toMatchObject({ code: "MEMBER_FENCED" });
  });

  test("loses what it has when a generation went by without it: it may have been another's meanwhile", async () => {
    let generation = 1;
    const { member } = await memberOn({
      join: async () => ({ errorCode: 0, generation, leader: "m-1", member: "m-1", members: [] }),
      heartbeat: async () => ({ errorCode: 27 }),
    });
    await member.join();
    expect(await next(member)).toMatchObject({ kind: "assigned", generation: 1 });
    expect(await next(member)).toEqual({ kind: "rebalance" });
    generation = 2;
    await member.join();
    expect(await next(member)).toMatchObject({ kind: "assigned", generation: 2 });
    expect(await next(member)).toEqual({ kind: "rebalance" });
    generation = 4;
    await member.join();
    expect(await next(member)).toEqual({ kind: "lost" });
    expect(member.generation).toBe(-1);
    generation = 6;
    await member.join();
    expect(await next(member)).toMatchObject({ kind: "assigned", generation: 6 });
  });

  test("what is lost while the host still finishes its work is said before it joins again", async () => {
    const codes = [27, 25];
    const { member } = await memberOn({ heartbeat: async () => ({ errorCode: codes.shift() ?? 0 }) });
    await member.join();
    expect(await next(member)).toMatchObject({ kind: "assigned" });
    expect(await next(member)).toEqual({ kind: "rebalance" });
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    await member.join();
    expect(await next(member)).toEqual({ kind: "lost" });
    await member.join();
    expect(await next(member)).toMatchObject({ kind: "assigned" });
  });

  test("leaves with a word, and abandons without one", async () => {
    const one = await memberOn({});
    await one.member.join();
    await next(one.member);
    await one.member.leave();
    expect(one.calls.at(-1)).toBe("leave");
    expect(one.member.poll()).toBeUndefined();
    const other = await memberOn({});
    await other.member.join();
    await next(other.member);
    await other.member.abandon();
    expect(other.calls).not.toContain("leave");
    await expect(other.member.join()).rejects.toThrow(/does not join again/);
  });
});
