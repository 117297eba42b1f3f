/**
 * Where each task belongs: every member has as many tasks as any other, give or take one, of each subtopology and of all together,
 * and as few tasks as possible move. Who has caught up comes first among those with room.
 */
import type { GroupView } from "./group-view.ts";
import { shareExtras } from "./share-extras.ts";

/** A task that stays outweighs every preference among those that cannot stay. */
const GAIN_KEPT = 1_000;

/** Weights of a place, the greater one first. */
const CAUGHT_UP = 8;
const STANDBY_THERE = 4;
const SAME_PARTITION_THERE = 2;

/** Task → member. */
export function balance(group: GroupView, acceptableLagRecords: number): Int32Array {
  return new Balance(group, acceptableLagRecords).targets;
}

class Balance {
  readonly targets: Int32Array;
  readonly #group: GroupView;
  readonly #acceptableLag: number;
  readonly #bySubtopology: readonly (readonly number[])[];
  /** Of the subtopology in hand: member → tasks it may still take. */
  #room: number[] = [];

  constructor(group: GroupView, acceptableLagRecords: number) {
    this.#group = group;
    this.#acceptableLag = acceptableLagRecords;
    this.targets = new Int32Array(group.tasks.length).fill(-1);
    const bySubtopology: number[][] = [];
    group.tasks.forEach(({ subtopology }, task) => {
      (bySubtopology[subtopology] ??= []).push(task);
    });
    this.#bySubtopology = Array.from(bySubtopology, (tasks) => tasks ?? []);
    const quota = this.#quotas();
    this.#bySubtopology.forEach((tasks, subtopology) => this.#share(tasks, (member) => quota(subtopology, member)));
  }

  #quotas(): (subtopology: number, member: number) => number {
    const members = this.#group.members.length;
    const floors = this.#bySubtopology.map((tasks) => Math.floor(tasks.length / members));
    const owned = this.#bySubtopology.map((tasks) => this.#ownedOf(tasks).map((each) => each.length));
    const has = shareExtras({
      members,
      extras: this.#bySubtopology.map((tasks) => tasks.length % members),
      gain: (subtopology, member) => {
        const [floor, own] = [floors[subtopology] ?? 0, owned[subtopology]?.[member] ?? 0];
        if (own > floor) return GAIN_KEPT;
        const comes = this.#comes(subtopology, member, (owner) => (owned[subtopology]?.[owner] ?? 0) > floor);
        return comes > floor - own ? 1 : 0;
      },
    });
    return (subtopology, member) => (floors[subtopology] ?? 0) + (has(subtopology, member) ? 1 : 0);
  }

  /** Tasks that a member follows and that nobody has, or somebody who has too many. */
  #comes(subtopology: number, member: number, tooMany: (owner: number) => boolean): number {
    const { owner } = this.#group;
    return (this.#bySubtopology[subtopology] ?? []).filter((task) => {
      const by = owner[task] ?? -1;
      return this.#group.isStandby(member, task) && (by < 0 || tooMany(by));
    }).length;
  }

  #ownedOf(tasks: readonly number[]): number[][] {
    const owned: number[][] = this.#group.members.map(() => []);
    for (const task of tasks) owned[this.#group.owner[task] ?? -1]?.push(task);
    return owned;
  }

  #share(tasks: readonly number[], quota: (member: number) => number): void {
    const owned = this.#ownedOf(tasks);
    this.#room = owned.map((own, member) => quota(member) - own.length);
    owned.forEach((own, member) => {
      const surplus = Math.max(0, -(this.#room[member] ?? 0));
      const givenUp = new Set(surplus === 0 ? [] : this.#easiestToMove(own).slice(0, surplus));
      for (const task of own) if (!givenUp.has(task)) this.targets[task] = member;
    });
    this.#place(tasks.filter((task) => (this.targets[task] ?? -1) < 0));
  }

  /** First those that somebody with room can take over at once. */
  #easiestToMove(tasks: readonly number[]): readonly number[] {
    const ease = new Map(tasks.map((task) => [task, Math.max(...this.#withRoom().map((member) => this.#weight(task, member)), 0)]));
    return tasks.toSorted((a, b) => (ease.get(b) ?? 0) - (ease.get(a) ?? 0) || b - a);
  }

  #withRoom(): readonly number[] {
    return this.#room.flatMap((room, member) => (room > 0 ? [member] : []));
  }

  /** The best pairs first; among equals partition p goes to member p modulo members, or the next one with room. */
  #place(tasks: readonly number[]): void {
    const members = this.#group.members.length;
    const pairs = tasks.flatMap((task) =>
      this.#withRoom().map((member) => {
        const { partition } = this.#group.tasks[task] ?? { partition: 0 };
        return { task, member, weight: this.#weight(task, member), turn: (member + members - (partition % members)) % members };
      }),
    );
    pairs.sort((a, b) => b.weight - a.weight || a.turn - b.turn || a.task - b.task);
    for (const { task, member } of pairs) {
      if ((this.targets[task] ?? -1) >= 0 || (this.#room[member] ?? 0) <= 0) continue;
      this.targets[task] = member;
      this.#room[member] = (this.#room[member] ?? 0) - 1;
    }
  }

  #weight(task: number, member: number): number {
    const group = this.#group;
    const instance = group.instanceOf[member] ?? 0;
    const lag = group.lag(instance, task);
    let weight = lag <= this.#acceptableLag ? CAUGHT_UP : 1 / (1 + lag);
    if (group.isStandby(member, task)) weight += STANDBY_THERE;
    if (this.#hasPartition(member, task)) weight += SAME_PARTITION_THERE;
    return weight;
  }

  /** What one subtopology hands to the next under the same partitioning stays in the thread. */
  #hasPartition(member: number, task: number): boolean {
    const { subtopology, partition } = this.#group.tasks[task] ?? { subtopology: 0, partition: 0 };
    for (let before = 0; before < subtopology; before++) {
      const other = this.#group.taskAt({ subtopology: before, partition });
      if (other !== undefined && this.targets[other] === member) return true;
    }
    return false;
  }
}
