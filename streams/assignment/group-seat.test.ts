import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Membership, MembershipEvent } from "#log";
import type { TaskId } from "../task/task-id.ts";
import { encodePart, NOTHING } from "./group-bytes.ts";
import type { MemberPart } from "./group-contract.ts";
import { GroupSeat, type SeatedThread } from "./group-seat.ts";

const task = (partition: number): TaskId => ({ subtopology: 0, partition });

function assigned(generation: number, part: Partial<MemberPart>): MembershipEvent {
  return { kind: "assigned", generation, assignment: encodePart({ ...NOTHING, ...part }) };
}

/** Of one task, which an instance has or nobody. */
function owners(active: number | undefined): Partial<MemberPart> {
  return { owners: { instances: [{ instanceId: "a", endpoint: undefined }], tasks: [{ ...task(0), active, standbys: [] }] } };
}

/** A seat between a membership that says what a test wants and a thread that writes down what it is asked. */
function seatOf() {
  const said: string[] = [];
  const events: MembershipEvent[] = [];
  const thread = {
    held: [] as TaskId[],
    retiring: false,
    ends: true,
    lags: Infinity,
    endTransaction() {
      said.push(this.ends ? "ended" : "ending");
      return this.ends;
    },
    resumeCommits: () => void said.push("resumed"),
    reassign: ({ tasks, standbys }: Parameters<SeatedThread["reassign"]>[0]) =>
      void said.push(`has ${tasks.map(({ partition }) => partition).join()} follows ${(standbys ?? []).length}`),
    loseTasks: () => void said.push("lost"),
    lag() {
      return this.lags;
    },
  };
  const membership: Membership = {
    generation: -1,
    join: () => Promise.resolve(),
    rejoin: () => {
      said.push("joins");
      return Promise.resolve();
    },
    poll: () => events.shift(),
    expectAnother: () => void said.push("expects"),
    leave: () => {
      said.push("leaves");
      return Promise.resolve();
    },
  };
  const seat = new GroupSeat({ membership, thread, acceptableLagRecords: 10, assigned: () => {} });
  return { seat, thread, events, said };
}

describe("seat in a group", () => {
  test("joins, takes its part, and ends its transaction before it joins again", () => {
    const { seat, thread, events, said } = seatOf();
    seat.step(0);
    events.push(assigned(1, { active: [task(0)] }));
    seat.step(1);
    thread.ends = false;
    events.push({ kind: "rebalance" });
    seat.step(2);
    seat.step(3);
    thread.ends = true;
    seat.step(4);
    expect(said).toEqual(["joins", "resumed", "has 0 follows 0", "ending", "ending", "ended", "joins"]);
    expect(seat.state).toBe("waiting");
  });

  test("a rebalance while it waits is answered by joining again, without a commit under the generation that is over", () => {
    const { seat, events, said } = seatOf();
    seat.step(0);
    events.push({ kind: "rebalance" }, { kind: "rebalance" });
    seat.step(1);
    seat.step(2);
    expect(said).toEqual(["joins", "joins", "joins"]);
  });

  test("claims what it has not given up yet, and asks for a new generation once it has", () => {
    const { seat, thread, events, said } = seatOf();
    seat.step(0);
    events.push(assigned(1, { active: [task(0), task(1)] }));
    seat.step(1);
    thread.held = [task(0), task(1)];
    thread.retiring = true;
    events.push(assigned(2, { active: [task(0)], handsOver: true }));
    // Between the two it had joined again.
    events.unshift({ kind: "rebalance" });
    seat.step(2);
    seat.step(3);
    expect(seat.claims.active).toEqual([task(0), task(1)]);
    seat.step(4);
    expect(said.at(-1)).toBe("has 0 follows 0");
    thread.held = [task(0)];
    thread.retiring = false;
    seat.step(5);
    expect(said.slice(-2)).toEqual(["ended", "joins"]);
    expect(seat.claims.active).toEqual([task(0)]);
    seat.step(6);
    expect(said.filter((each) => each === "joins")).toHaveLength(3);
  });

  test("expects another generation while a task is with nobody, whoever gives it up", () => {
    const { seat, events, said } = seatOf();
    seat.step(0);
    events.push(assigned(1, owners(0)), { kind: "rebalance" });
    seat.step(1);
    expect(said).not.toContain("expects");
    seat.step(2);
    seat.step(3);
    events.push(assigned(2, owners(undefined)));
    seat.step(4);
    expect(said.filter((each) => each === "expects")).toHaveLength(1);
  });

  test("asks for a new generation when all that it warms up has caught up, and looks no more often than it must", () => {
    const { seat, thread, events, said } = seatOf();
    seat.step(0);
    events.push(assigned(1, { standby: [task(3)], warmUps: [task(3)] }));
    seat.step(1_000);
    expect(seat.nextDueAt).toBe(1_500);
    thread.lags = 5;
    seat.step(1_100);
    expect(seat.state).toBe("seated");
    seat.step(1_500);
    expect(said.slice(-2)).toEqual(["ended", "joins"]);
  });

  test("asks less and less often while asking is in vain", () => {
    const { seat, thread, events } = seatOf();
    thread.lags = 5;
    seat.step(0);
    let now = 0;
    const waits: number[] = [];
    for (let generation = 1; generation <= 9; generation++) {
      events.push(assigned(generation, { standby: [task(3)], warmUps: [task(3)] }));
      seat.step(now);
      waits.push(seat.nextDueAt - now);
      now = seat.nextDueAt;
      seat.step(now);
      expect(seat.state).toBe("waiting");
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    events.push(assigned(10, { active: [task(3)] }));
    seat.step(now);
    events.push({ kind: "rebalance" });
    seat.step(now);
    events.push(assigned(11, { standby: [task(4)], warmUps: [task(4)] }));
    seat.step(now);
    expect(seat.nextDueAt - now).toBe(500);
  });

  test("put out of the group, it has nothing, says so, and joins anew", () => {
    const { seat, thread, events, said } = seatOf();
    seat.step(0);
    events.push(assigned(1, { active: [task(0)], standby: [task(1)] }));
    seat.step(1);
    events.push({ kind: "lost" });
    thread.held = [];
    seat.step(2);
    expect(said.slice(-2)).toEqual(["lost", "joins"]);
    expect(seat.claims).toEqual({ active: [], standby: [] });
    expect(seat.generation).toBe(-1);
  });

  test("leaves once, and is silent then", async () => {
    const { seat, said } = seatOf();
    seat.step(0);
    await seat.leave();
    await seat.leave();
    expect(seat.step(1)).toBe(false);
    expect(said).toEqual(["joins", "leaves"]);
  });

  test("whatever comes, it joins only with nothing in flight, and commits only between a part and the next joining", () => {
    const kinds = fc.constantFrom("rebalance", "assigned", "lost", "nothing", "slow", "quick");
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 40 }), (happenings) => {
        const { seat, thread, events, said } = seatOf();
        let generation = 0;
        happenings.forEach((kind, at) => {
          if (kind === "slow" || kind === "quick") thread.ends = kind === "quick";
          else if (kind === "assigned" && seat.state === "waiting") events.push(assigned(++generation, { handsOver: at % 2 === 0 }));
          else if (kind === "rebalance" && (seat.state === "seated" || seat.state === "waiting")) events.push({ kind });
          else if (kind === "lost" && seat.state !== "outside") events.push({ kind });
          seat.step(at);
        });
        let commits = false;
        let everHad = false;
        for (const word of said) {
          if (word === "resumed") commits = everHad = true;
          if (word === "ended" || word === "lost") commits = false;
          if (word === "joins" && everHad) expect(commits).toBe(false);
        }
      }),
    );
  });
});
