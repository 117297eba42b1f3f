/** A group whose members do what their parts say, generation by generation, with rows that catch up as slowly as a test wants. */
import { taskName, type TaskId } from "../../task/task-id.ts";
import { assignTasks } from "../assign-tasks.ts";
import type { AssignorSettings, GroupTopology, MemberPart, MemberState } from "../group-contract.ts";

export interface ModelMember {
  readonly memberId: string;
  readonly instanceId: string;
  generation: number;
  active: readonly TaskId[];
  standby: readonly TaskId[];
  warmUps: readonly TaskId[];
}

export type Assign = typeof assignTasks;

export const FINGERPRINT = 7;

export class GroupModel {
  readonly topology: GroupTopology;
  readonly settings: AssignorSettings;
  readonly members = new Map<string, ModelMember>();
  /** Instance → task name → position; rows outlive the process. */
  readonly rows = new Map<string, Map<string, number>>();
  readonly ends = new Map<string, number>();
  generation = 0;
  readonly #assign: Assign;

  constructor(subtopologies: GroupTopology["subtopologies"], settings: AssignorSettings, assign: Assign = assignTasks) {
    this.topology = { fingerprint: FINGERPRINT, subtopologies };
    this.settings = settings;
    this.#assign = assign;
  }

  get tasks(): readonly (TaskId & { readonly stateful: boolean })[] {
    return this.topology.subtopologies.flatMap(({ partitions, stateful }, subtopology) =>
      Array.from({ length: partitions }, (_, partition) => ({ subtopology, partition, stateful })),
    );
  }

  join(instanceId: string, thread: number): void {
    const memberId = `${instanceId}-${thread}`;
    this.members.set(memberId, { memberId, instanceId, generation: -1, active: [], standby: [], warmUps: [] });
  }

  leave(memberId: string): void {
    this.members.delete(memberId);
  }

  /** Everybody's changelogs grow; who runs a task writes its rows. */
  grow(task: TaskId, records: number): void {
    const name = taskName(task);
    const end = (this.ends.get(name) ?? 0) + records;
    this.ends.set(name, end);
    for (const { instanceId, active } of this.members.values()) if (has(active, task)) this.#positions(instanceId).set(name, end);
  }

  /** Standbys follow by so many records at most. */
  follow(records: number): void {
    for (const { instanceId, standby } of this.members.values())
      for (const task of standby) this.#advance(instanceId, taskName(task), records);
  }

  lag(instanceId: string, task: TaskId): number {
    const name = taskName(task);
    const known = [...this.members.values()].map((member) => this.#positions(member.instanceId).get(name) ?? 0);
    return Math.max(0, ...known) - (this.#positions(instanceId).get(name) ?? 0);
  }

  states(): readonly MemberState[] {
    return [...this.members.values()].map(({ memberId, instanceId, generation, active, standby }) => ({
      memberId,
      instanceId,
      endpoint: { host: instanceId, port: 7400 },
      fingerprint: FINGERPRINT,
      generation,
      active,
      standby,
      stops: false,
      positions: this.tasks
        .filter((task) => task.stateful && this.#positions(instanceId).has(taskName(task)))
        .map((task) => ({ task, position: this.#positions(instanceId).get(taskName(task)) ?? 0 })),
    }));
  }

  /** One generation: all claim, the leader assigns, all give up and take. */
  rebalance(): ReadonlyMap<string, MemberPart> {
    this.generation += 1;
    const parts = this.#assign(this.states(), this.topology, this.settings);
    for (const member of this.members.values()) {
      const part = parts.get(member.memberId);
      if (part === undefined) continue;
      Object.assign(member, { generation: this.generation, active: part.active, standby: part.standby, warmUps: part.warmUps });
      // Who begins to run a task has restored it to its end.
      for (const task of part.active) this.#positions(member.instanceId).set(taskName(task), this.ends.get(taskName(task)) ?? 0);
    }
    return parts;
  }

  /** Generations until nobody asks for another one; undefined when there are more than `most`. */
  settle(most: number, followRecords: number, check: (before: readonly MemberState[]) => void = () => {}): number | undefined {
    for (let generations = 1; generations <= most; generations++) {
      const before = this.states();
      const parts = this.rebalance();
      check(before);
      if ([...parts.values()].some(({ handsOver }) => handsOver)) continue;
      if (![...parts.values()].some(({ warmUps }) => warmUps.length > 0)) return generations;
      while (!this.#someoneIsWarm()) this.follow(followRecords);
    }
    return undefined;
  }

  /** A member asks for a new generation when all that it warms up has caught up. */
  #someoneIsWarm(): boolean {
    const { acceptableLagRecords } = this.settings;
    return [...this.members.values()].some(
      ({ warmUps, instanceId }) => warmUps.length > 0 && warmUps.every((task) => this.lag(instanceId, task) <= acceptableLagRecords),
    );
  }

  #advance(instanceId: string, name: string, records: number): void {
    const rows = this.#positions(instanceId);
    rows.set(name, Math.min(this.ends.get(name) ?? 0, (rows.get(name) ?? 0) + records));
  }

  #positions(instanceId: string): Map<string, number> {
    const known = this.rows.get(instanceId) ?? new Map<string, number>();
    this.rows.set(instanceId, known);
    return known;
  }
}

export function has(tasks: readonly TaskId[], { subtopology, partition }: TaskId): boolean {
  return tasks.some((task) => task.subtopology === subtopology && task.partition === partition);
}
