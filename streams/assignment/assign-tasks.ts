/**
 * The assignor: what each member says of itself → what each has from now on. Pure, and the same on every leader.
 *
 * - A task is run by at most one member, and given to nobody as long as another member claims it: who shall give it up hears so by
 *   not getting it, commits, closes it and asks for the next generation, in which it is free.
 * - Within an instance, whose threads share one database, a task is with one thread at most, whatever its role.
 * - Balance and stickiness are `balance`'s. A stateful task goes to a member only when the rows there have caught up; until then
 *   it stays where it is, or runs where the rows are, and the member that shall have it follows its changelog.
 */
import assert from "node:assert/strict";
import { balance } from "./balance.ts";
import type { AssignorSettings, GroupTopology, MemberPart, MemberState, TaskOwners } from "./group-contract.ts";
import { NOTHING } from "./group-bytes.ts";
import { GroupView } from "./group-view.ts";
import { StandbyPlaces } from "./standby-places.ts";

/**
 * By member id. Whoever runs another topology than those who have the tasks is refused; a leader that is refused itself does not know
 * the tasks of the others, and leaves them what they have.
 */
export function assignTasks(
  members: readonly MemberState[],
  topology: GroupTopology,
  settings: AssignorSettings,
): ReadonlyMap<string, MemberPart> {
  if (members.some(({ stops }) => stops)) return keepingAll(members, { stops: true });
  const fingerprint = fingerprintInForce(members);
  const ours = members.filter((member) => member.fingerprint === fingerprint);
  const refused = members.filter((member) => member.fingerprint !== fingerprint);
  const parts =
    ours.length === 0 || fingerprint !== topology.fingerprint
      ? keepingAll(ours, {})
      : withMembers(new Assignor(new GroupView(ours, topology), settings).parts(), members, ours);
  return new Map([...parts, ...refused.map(({ memberId }) => [memberId, { ...NOTHING, refused: true }] as const)]);
}

/** Of those who have most of the tasks; where nobody has any, of most members. */
function fingerprintInForce(members: readonly MemberState[]): number | undefined {
  const weights = new Map<number, number>();
  for (const { fingerprint, active } of members)
    weights.set(fingerprint, (weights.get(fingerprint) ?? 0) + active.length * (members.length + 1) + 1);
  return [...weights].toSorted((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0];
}

/** Nothing is given and nothing taken. */
function keepingAll(members: readonly MemberState[], said: Partial<MemberPart>): ReadonlyMap<string, MemberPart> {
  return new Map(members.map(({ memberId, active, standby }) => [memberId, { ...NOTHING, active, standby, ...said }]));
}

/**
 * Who had its part last knows who was a member with it, so it sees who is gone: of several the first by its id. Those who are refused
 * are members all the same.
 */
function withMembers(
  parts: ReadonlyMap<string, MemberPart>,
  all: readonly MemberState[],
  ours: readonly MemberState[],
): ReadonlyMap<string, MemberPart> {
  const members = all.map(({ memberId }) => memberId).toSorted();
  const latest = Math.max(...ours.map(({ generation }) => generation));
  const candidates = new Set(ours.filter(({ generation }) => generation === latest).map(({ memberId }) => memberId));
  const fences = members.find((memberId) => candidates.has(memberId));
  return new Map([...parts].map(([memberId, part]) => [memberId, { ...part, members, fencesGone: memberId === fences }]));
}

interface Draft {
  readonly active: number[];
  readonly standby: number[];
  readonly warmUps: number[];
  handsOver: boolean;
}

class Assignor {
  readonly #group: GroupView;
  readonly #settings: AssignorSettings;
  readonly #drafts: readonly Draft[];
  readonly #targets: Int32Array;
  readonly #standbys: StandbyPlaces;

  constructor(group: GroupView, settings: AssignorSettings) {
    this.#group = group;
    this.#settings = settings;
    this.#drafts = group.members.map(() => ({ active: [], standby: [], warmUps: [], handsOver: false }));
    this.#targets = balance(group, settings.acceptableLagRecords);
    this.#standbys = new StandbyPlaces(group, settings.standbyReplicas);
  }

  parts(): ReadonlyMap<string, MemberPart> {
    const { members, tasks } = this.#group;
    tasks.forEach((_, task) => this.#placeActive(task));
    for (const { task, member } of this.#standbys.fill()) this.#draft(member).standby.push(task);
    const owners = this.#owners();
    const ids = (numbers: readonly number[]): MemberPart["active"] =>
      numbers.toSorted((a, b) => a - b).map((task) => tasks[task] ?? assert.fail(`there is no task ${task}`));
    return new Map(
      members.map(({ memberId }, member) => {
        const { active, standby, warmUps, handsOver } = this.#draft(member);
        return [memberId, { ...NOTHING, active: ids(active), standby: ids(standby), warmUps: ids(warmUps), handsOver, owners }];
      }),
    );
  }

  #placeActive(task: number): void {
    const group = this.#group;
    const target = this.#targets[task] ?? 0;
    const owner = group.owner[task] ?? -1;
    if (target === owner) this.#run(task, owner);
    else if (!this.#caughtUp(target, task)) {
      this.#run(task, owner >= 0 ? owner : this.#bestOf(task));
      this.#warmUp(task, target);
    } else if (owner >= 0) {
      this.#draft(owner).handsOver = true;
      this.#awaits(task, target, owner);
    } else this.#run(task, target);
  }

  /** The task has no owner, or the member is its owner. */
  #run(task: number, member: number): void {
    const instance = this.#group.instanceOf[member] ?? 0;
    const holder = this.#group.holder(instance, task);
    if (holder !== undefined && holder !== member) {
      this.#awaits(task, member, undefined);
      return;
    }
    this.#draft(member).active.push(task);
    this.#standbys.runs(task, instance);
  }

  /** Nobody runs it in this generation. Where it will be, rows go on following; another thread there hands them over too. */
  #awaits(task: number, target: number, owner: number | undefined): void {
    const group = this.#group;
    const instance = group.instanceOf[target] ?? 0;
    const holder = group.holder(instance, task);
    if (holder === target && group.isStandby(target, task)) this.#draft(target).standby.push(task);
    else if (holder !== undefined) this.#draft(holder).handsOver = true;
    this.#standbys.runs(task, instance, owner === undefined ? undefined : group.instanceOf[owner]);
  }

  /** Rows of which nobody is further than the acceptable lag: of several, the thread that follows already, then the one with least to do. */
  #bestOf(task: number): number {
    const group = this.#group;
    const able = group.members.flatMap((_, member) => (this.#caughtUp(member, task) ? [member] : []));
    const load = (member: number): number => this.#draft(member).active.length;
    const claims = (member: number): number => (group.claims(member, task) ? 0 : 1);
    const best = able.toSorted((a, b) => claims(a) - claims(b) || load(a) - load(b))[0];
    assert(best !== undefined, "whoever is furthest has caught up with itself");
    return best;
  }

  /** By the thread of that instance that follows it already, if there is one. */
  #warmUp(task: number, target: number): void {
    const instance = this.#group.instanceOf[target] ?? 0;
    const member = this.#group.holder(instance, task) ?? target;
    const draft = this.#draft(member);
    const goesOn = this.#group.isStandby(member, task);
    if (draft.active.includes(task) || (!goesOn && draft.warmUps.length >= this.#settings.warmUpsPerMemberMax)) return;
    draft.standby.push(task);
    draft.warmUps.push(task);
    this.#standbys.warmsUp(task, instance);
  }

  #caughtUp(member: number, task: number): boolean {
    return this.#group.lag(this.#group.instanceOf[member] ?? 0, task) <= this.#settings.acceptableLagRecords;
  }

  #draft(member: number): Draft {
    const draft = this.#drafts[member];
    assert(draft, `there is no member ${member}`);
    return draft;
  }

  #owners(): TaskOwners {
    const { instances, members, instanceOf, threadsOf, tasks } = this.#group;
    const active: (number | undefined)[] = tasks.map(() => undefined);
    const standbys: number[][] = tasks.map(() => []);
    this.#drafts.forEach((draft, member) => {
      const instance = instanceOf[member] ?? 0;
      for (const task of draft.active) active[task] = instance;
      for (const task of draft.standby) standbys[task]?.push(instance);
    });
    return {
      instances: instances.map((instanceId, instance) => ({
        instanceId,
        endpoint: threadsOf[instance]?.map((member) => members[member]?.endpoint).find((endpoint) => endpoint !== undefined),
      })),
      tasks: tasks.map((id, task) => ({ ...id, active: active[task], standbys: (standbys[task] ?? []).toSorted((a, b) => a - b) })),
    };
  }
}
