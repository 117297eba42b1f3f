import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { taskName } from "../task/task-id.ts";
import { assignTasks } from "./assign-tasks.ts";
import { ASSIGNOR_SETTINGS } from "./defaults.ts";
import type { AssignorSettings, GroupTopology, MemberState } from "./group-contract.ts";
import { GroupModel, has, type Assign } from "./testing/group-model.ts";

const LAG = ASSIGNOR_SETTINGS.acceptableLagRecords;

/** No task at two members, nothing given that another still claims, nothing of state given to who lags. */
function checkSafety(model: GroupModel, before: readonly MemberState[]): void {
  const members = [...model.members.values()];
  for (const task of model.tasks) {
    const name = taskName(task);
    const runs = members.filter(({ active }) => has(active, task));
    expect(runs.length, `${name} is run by ${runs.map(({ memberId }) => memberId).join()}`).toBeLessThanOrEqual(1);
    for (const member of members) {
      const { instanceId, memberId } = member;
      const peers = members.filter((each) => each.instanceId === instanceId && (has(each.active, task) || has(each.standby, task)));
      expect(peers.length, `${name} is with two threads of ${instanceId}`).toBeLessThanOrEqual(1);
      if (!has(member.active, task)) continue;
      const others = before.filter((each) => each.memberId !== memberId);
      const claimed = others.filter((each) => has(each.active, task)).map((each) => each.memberId);
      expect(claimed, `${name} is given to ${memberId} while others have it`).toEqual([]);
      const besides = others.filter((each) => each.instanceId === instanceId && has(each.standby, task));
      expect(besides, `${name} is given to ${memberId} while another thread there follows it`).toEqual([]);
      expect(has(member.standby, task)).toBe(false);
    }
  }
}

function lagOf(before: readonly MemberState[], instanceId: string, name: string): number {
  const position = (state: MemberState): number => state.positions.find(({ task }) => taskName(task) === name)?.position ?? 0;
  const own = Math.max(0, ...before.filter((state) => state.instanceId === instanceId).map(position));
  return Math.max(...before.map(position)) - own;
}

function checkCaughtUp(model: GroupModel, before: readonly MemberState[]): void {
  for (const { memberId, instanceId, active } of model.members.values()) {
    const had = before.find((state) => state.memberId === memberId)?.active ?? [];
    for (const task of active) {
      if (has(had, task)) continue;
      expect(lagOf(before, instanceId, taskName(task)), `${taskName(task)} goes to ${memberId}`).toBeLessThanOrEqual(LAG);
    }
  }
}

function checkSettled(model: GroupModel): void {
  const members = [...model.members.values()];
  const instances = new Set(members.map(({ instanceId }) => instanceId)).size;
  for (const task of model.tasks) {
    const runs = members.filter(({ active }) => has(active, task));
    expect(runs, `${taskName(task)} is run by nobody`).toHaveLength(1);
    const copies = members.filter(({ standby }) => has(standby, task));
    expect(copies).toHaveLength(task.stateful ? Math.min(model.settings.standbyReplicas, instances - 1) : 0);
    expect(copies.map(({ instanceId }) => instanceId)).not.toContain(runs[0]?.instanceId);
  }
  expect(spread(members.map(({ active }) => active.length))).toBeLessThanOrEqual(1);
  model.topology.subtopologies.forEach((_, index) => {
    const counts = members.map(({ active }) => active.filter(({ subtopology }) => subtopology === index).length);
    expect(spread(counts), `subtopology ${index}`).toBeLessThanOrEqual(1);
  });
}

function spread(counts: readonly number[]): number {
  return Math.max(...counts) - Math.min(...counts);
}

const subtopologies = fc.array(fc.record({ partitions: fc.integer({ min: 1, max: 7 }), stateful: fc.boolean() }), {
  minLength: 1,
  maxLength: 4,
});

type Event =
  | { readonly kind: "join"; readonly instance: number; readonly threads: number }
  | { readonly kind: "leave"; readonly pick: number }
  | { readonly kind: "grow"; readonly pick: number; readonly records: number }
  | { readonly kind: "rebalance" };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("join" as const), instance: fc.integer({ min: 0, max: 4 }), threads: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("leave" as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant("grow" as const), pick: fc.nat(), records: fc.integer({ min: 1, max: 50_000 }) }),
  fc.record({ kind: fc.constant("rebalance" as const) }),
);

function happen(model: GroupModel, event: Event): void {
  switch (event.kind) {
    case "join":
      for (let thread = 0; thread < event.threads; thread++) {
        if (!model.members.has(`i${event.instance}-${thread}`)) model.join(`i${event.instance}`, thread);
      }
      break;
    case "leave": {
      const ids = [...model.members.keys()];
      const id = ids[event.pick % Math.max(1, ids.length)];
      if (id !== undefined) model.leave(id);
      break;
    }
    case "grow": {
      const task = model.tasks[event.pick % model.tasks.length];
      if (task !== undefined && task.stateful) model.grow(task, event.records);
      break;
    }
    case "rebalance": {
      const before = model.states();
      model.rebalance();
      checkSafety(model, before);
      checkCaughtUp(model, before);
      break;
    }
    default:
      event satisfies never;
  }
}

function whatRuns(model: GroupModel): string {
  return JSON.stringify(model.states().map(({ memberId, active }) => [memberId, active]));
}

/** Moves are warmed up at most four a member at a time, each batch taking a few generations. */
function generationsMax(model: GroupModel): number {
  return 4 + 3 * Math.ceil(model.tasks.length / ASSIGNOR_SETTINGS.warmUpsPerMemberMax);
}

/** What the property says of a planted bug; the library keeps it as the cause. */
function caught(assign: Assign, settings: Partial<AssignorSettings> = {}): string {
  try {
    // Few runs meet a lag that matters; a hundred of them have missed it.
    property(assign, settings, 2_000, true);
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  }
  return "not caught";
}

function property(assign: Assign = assignTasks, settings: Partial<AssignorSettings> = {}, numRuns = 100, endOnFailure = false): void {
  fc.assert(
    fc.property(subtopologies, fc.array(event, { maxLength: 25 }), fc.integer({ min: 1, max: 20_000 }), (shape, events, speed) => {
      const model = new GroupModel(shape, { ...ASSIGNOR_SETTINGS, ...settings }, assign);
      model.join("i0", 0);
      for (const each of events) happen(model, each);
      if (model.members.size === 0) model.join("i9", 0);
      const generations = model.settle(generationsMax(model), speed, (before) => {
        checkSafety(model, before);
        checkCaughtUp(model, before);
      });
      expect(generations, "it does not settle").toBeDefined();
      checkSettled(model);
      const running = whatRuns(model);
      model.rebalance();
      model.rebalance();
      expect(whatRuns(model), "what is settled moves").toBe(running);
      const all = JSON.stringify(model.states());
      model.generation -= 1;
      model.rebalance();
      expect(JSON.stringify(model.states()), "copies move for ever").toBe(all);
    }),
    // Which check meets a planted bug first depends on the seed: it is given, so that the test can name the check.
    endOnFailure ? { numRuns, endOnFailure, seed: 1 } : { numRuns },
  );
}

/** Claims are not looked at. */
const atOnce: Assign = (members, topology, settings) =>
  assignTasks(
    members.map((member) => ({ ...member, active: [] })),
    topology,
    settings,
  );

/** What is free goes to the first member. */
const first: Assign = (members, topology, settings) => {
  const parts = assignTasks(members, topology, settings);
  const [one] = members;
  return new Map(
    [...parts].map(([id, part]) => {
      const owned = members.find(({ memberId }) => memberId === id)?.active ?? [];
      const unowned = topology.subtopologies
        .flatMap(({ partitions }, subtopology) => Array.from({ length: partitions }, (_, partition) => ({ subtopology, partition })))
        .filter((task) => !members.some(({ active }) => has(active, task)));
      return [id, { ...part, active: id === one?.memberId ? [...owned, ...unowned] : owned, handsOver: false, warmUps: [] }];
    }),
  );
};

/** Lag is not looked at. */
const blind: Assign = (members, topology, settings) => assignTasks(members, topology, { ...settings, acceptableLagRecords: Infinity });

describe("assignor", () => {
  test("whatever joins, leaves and lags: one owner a task, two-step hand-over, state only to who caught up, then balance and rest", () => {
    property();
  });

  test("without standbys, and with two", () => {
    property(assignTasks, { standbyReplicas: 0 }, 40);
    property(assignTasks, { standbyReplicas: 2 }, 40);
  });

  test("planted: a hand-over within one generation is caught", () => {
    expect(caught(atOnce)).toMatch(/while others have it|with two threads|another thread there|is settled moves/);
  });

  test("planted: an assignor that ignores balance is caught", () => {
    expect(caught(first, { standbyReplicas: 0 })).toMatch(/to be less than or equal to 1/);
  });

  test("planted: state given to a member that lags is caught", () => {
    expect(caught(blind)).toMatch(/goes to/);
  });

  test("an instance with three threads has three times the tasks of one with one", () => {
    const model = new GroupModel([{ partitions: 8, stateful: false }], ASSIGNOR_SETTINGS);
    for (const thread of [0, 1, 2]) model.join("large", thread);
    model.join("small", 0);
    model.rebalance();
    const count = (instance: string): number =>
      [...model.members.values()].filter(({ instanceId }) => instanceId === instance).reduce((sum, { active }) => sum + active.length, 0);
    expect([count("large"), count("small")]).toEqual([6, 2]);
  });

  test("a fresh group keeps a partition in one thread through all subtopologies, as far as they divide", () => {
    const model = new GroupModel(
      [0, 1, 2].map(() => ({ partitions: 6, stateful: true })),
      ASSIGNOR_SETTINGS,
    );
    for (const instance of ["a", "b", "c"]) model.join(instance, 0);
    model.rebalance();
    for (const { active } of model.members.values()) {
      for (let partition = 0; partition < 6; partition++) {
        const of = active.filter((task) => task.partition === partition);
        expect([0, 3]).toContain(of.length);
      }
    }
  });

  test("the tasks of a dead member go to its standbys at once", () => {
    const model = new GroupModel([{ partitions: 6, stateful: true }], ASSIGNOR_SETTINGS);
    for (const instance of ["a", "b", "c"]) model.join(instance, 0);
    for (const task of model.tasks) model.grow(task, 0);
    model.settle(20, 1_000_000);
    for (const task of model.tasks) model.grow(task, 100_000);
    while ([...model.members.values()].some(({ standby, instanceId }) => standby.some((task) => model.lag(instanceId, task) > 0)))
      model.follow(50_000);
    const dead = model.members.get("b-0");
    model.leave("b-0");
    const before = model.states();
    model.rebalance();
    checkCaughtUp(model, before);
    for (const task of dead?.active ?? []) {
      const standby = before.find((state) => has(state.standby, task))?.memberId;
      expect([...model.members.values()].find(({ active }) => has(active, task))?.memberId).toBe(standby);
    }
  });

  test("a member that is new gets warm-ups, never the state itself, and the old owner runs on meanwhile", () => {
    const model = new GroupModel([{ partitions: 4, stateful: true }], ASSIGNOR_SETTINGS);
    model.join("old", 0);
    model.rebalance();
    for (const task of model.tasks) model.grow(task, 100_000);
    model.join("new", 0);
    const part = model.rebalance().get("new-0");
    expect(part?.active).toEqual([]);
    expect(part?.warmUps).toHaveLength(2);
    expect(model.members.get("old-0")?.active).toHaveLength(4);
    expect(model.settle(10, 30_000)).toBeLessThanOrEqual(3);
    checkSettled(model);
  });

  test("when one member says stop, everybody hears it and keeps what it has", () => {
    const model = new GroupModel([{ partitions: 4, stateful: true }], ASSIGNOR_SETTINGS);
    for (const instance of ["a", "b"]) model.join(instance, 0);
    model.settle(9, 1);
    const before = whatRuns(model);
    const said: MemberState = { ...(model.states()[0] as MemberState), memberId: "a-stop", active: [], standby: [], stops: true };
    const parts = assignTasks([...model.states(), said], model.topology, ASSIGNOR_SETTINGS);
    expect([...parts.values()].every(({ stops }) => stops)).toBe(true);
    expect(JSON.stringify(model.states().map(({ memberId }) => [memberId, parts.get(memberId)?.active]))).toBe(before);
  });

  test("everybody hears who is a member, those who are refused too, and one of those who knew the last generation fences who is gone", () => {
    const topology: GroupTopology = { fingerprint: 1, subtopologies: [{ partitions: 4, stateful: true }] };
    const empty = { endpoint: undefined, active: [], standby: [], positions: [], stops: false };
    const member = (memberId: string, generation: number, fingerprint = 1): MemberState => ({
      ...empty,
      memberId,
      instanceId: memberId.slice(0, -2),
      generation,
      fingerprint,
    });
    const members = [member("d-0", 6), member("a-0", -1), member("c-0", 7), member("b-0", 7), member("e-0", 9, 2)];
    const parts = assignTasks(members, topology, ASSIGNOR_SETTINGS);
    for (const name of ["a-0", "b-0", "c-0", "d-0"]) expect(parts.get(name)?.members).toEqual(["a-0", "b-0", "c-0", "d-0", "e-0"]);
    expect([...parts].filter(([, { fencesGone }]) => fencesGone).map(([name]) => name)).toEqual(["b-0"]);
    const stopping = assignTasks([...members, { ...member("x-stop", -1), stops: true }], topology, ASSIGNOR_SETTINGS);
    expect([...stopping.values()].every((part) => part.members.length === 0 && !part.fencesGone)).toBe(true);
  });

  test("who comes with another topology is refused, whoever leads, and those who run the tasks go on", () => {
    const model = new GroupModel([{ partitions: 4, stateful: false }], ASSIGNOR_SETTINGS);
    for (const instance of ["a", "b"]) model.join(instance, 0);
    model.settle(9, 1);
    const before = whatRuns(model);
    const newcomers = ["x", "y", "z"].map((id): MemberState => ({
      ...(model.states()[0] as MemberState),
      memberId: id,
      instanceId: id,
      fingerprint: 99,
      active: [],
    }));
    const all = [...model.states(), ...newcomers];
    const other: GroupTopology = { fingerprint: 99, subtopologies: [{ partitions: 9, stateful: true }] };
    for (const shape of [model.topology, other]) {
      const parts = assignTasks(all, shape, ASSIGNOR_SETTINGS);
      expect(newcomers.map(({ memberId }) => parts.get(memberId)?.refused)).toEqual([true, true, true]);
      expect(newcomers.map(({ memberId }) => parts.get(memberId)?.active)).toEqual([[], [], []]);
      const kept = model.states().map(({ memberId }) => [memberId, parts.get(memberId)?.active]);
      expect(JSON.stringify(kept)).toBe(before);
    }
  });

  test("64 members share 1,000 tasks within a fraction of a second", () => {
    const model = new GroupModel(
      Array.from({ length: 8 }, () => ({ partitions: 125, stateful: true })),
      ASSIGNOR_SETTINGS,
    );
    for (let instance = 0; instance < 32; instance++) for (const thread of [0, 1]) model.join(`i${instance}`, thread);
    model.settle(20, 1_000_000);
    checkSettled(model);
    model.leave("i3-0");
    const begun = performance.now();
    model.rebalance();
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});
