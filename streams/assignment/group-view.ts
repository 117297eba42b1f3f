/** The members of a group as the assignor looks at them: ranked, with dense task numbers, claims and lags at hand. */
import type { TaskId } from "../task/task-id.ts";
import type { GroupTopology, MemberState } from "./group-contract.ts";

const NOBODY = -1;

export class GroupView {
  /** The first threads of all instances, then the second ones, …: what is too little for all is spread over instances. */
  readonly members: readonly MemberState[];
  /** Instance ids, in order; `instanceOf` gives indices into it. */
  readonly instances: readonly string[];
  readonly instanceOf: readonly number[];
  readonly threadsOf: readonly (readonly number[])[];
  readonly tasks: readonly TaskId[];
  readonly stateful: readonly boolean[];
  /** Task → member that runs it, or −1. */
  readonly owner: Int32Array;
  readonly #firstTask: readonly number[];
  readonly #topology: GroupTopology;
  /** Member → tasks that it claims, in whatever role. */
  readonly #claims: readonly ReadonlySet<number>[];
  readonly #standbyClaims: readonly ReadonlySet<number>[];
  /** Instance → task → position. */
  readonly #positions: readonly Float64Array[];
  /** Task → the furthest position that anybody has: the end of its changelogs as far as living members know it. */
  readonly #furthest: Float64Array;

  constructor(members: readonly MemberState[], topology: GroupTopology) {
    this.#topology = topology;
    this.members = ranked(members);
    this.instances = [...new Set(this.members.map(({ instanceId }) => instanceId))].sort();
    this.instanceOf = this.members.map(({ instanceId }) => this.instances.indexOf(instanceId));
    this.threadsOf = this.instances.map((_, instance) => this.members.flatMap((_, m) => (this.instanceOf[m] === instance ? [m] : [])));
    const firstTask: number[] = [];
    const tasks: TaskId[] = [];
    topology.subtopologies.forEach(({ partitions }, subtopology) => {
      firstTask.push(tasks.length);
      for (let partition = 0; partition < partitions; partition++) tasks.push({ subtopology, partition });
    });
    this.tasks = tasks;
    this.#firstTask = firstTask;
    this.stateful = tasks.map(({ subtopology }) => topology.subtopologies[subtopology]?.stateful === true);
    this.#standbyClaims = this.members.map(({ standby }) => new Set(this.#known(standby)));
    this.#claims = this.members.map(({ active, standby }) => new Set(this.#known([...active, ...standby])));
    this.owner = this.#owners();
    this.#positions = this.instances.map((_, instance) => this.#positionsOf(instance));
    this.#furthest = new Float64Array(tasks.length);
    for (const positions of this.#positions)
      positions.forEach((position, task) => {
        this.#furthest[task] = Math.max(this.#furthest[task] ?? 0, position);
      });
  }

  /** Undefined for a task that the topology does not have. */
  taskAt({ subtopology, partition }: TaskId): number | undefined {
    const shape = this.#topology.subtopologies[subtopology];
    return shape === undefined || partition >= shape.partitions ? undefined : (this.#firstTask[subtopology] ?? 0) + partition;
  }

  isStandby(member: number, task: number): boolean {
    return this.#standbyClaims[member]?.has(task) === true;
  }

  claims(member: number, task: number): boolean {
    return this.#claims[member]?.has(task) === true;
  }

  /** The thread of an instance that has the task in whatever role: the rows are its own until it gives the task up. */
  holder(instance: number, task: number): number | undefined {
    return this.threadsOf[instance]?.find((member) => this.claims(member, task));
  }

  /** Records between the rows of an instance and the furthest anybody is; 0 of a task without state. */
  lag(instance: number, task: number): number {
    return this.stateful[task] === true ? (this.#furthest[task] ?? 0) - this.position(instance, task) : 0;
  }

  position(instance: number, task: number): number {
    return this.#positions[instance]?.[task] ?? 0;
  }

  #known(tasks: readonly TaskId[]): number[] {
    return tasks.map((task) => this.taskAt(task)).filter((task) => task !== undefined);
  }

  /** Of two that claim a task the later generation is believed; the other has been asleep, and is fenced. */
  #owners(): Int32Array {
    const owner = new Int32Array(this.tasks.length).fill(NOBODY);
    this.members.forEach((member, index) => {
      for (const task of this.#known(member.active)) {
        const other = this.members[owner[task] ?? NOBODY];
        if (other === undefined || other.generation < member.generation) owner[task] = index;
      }
    });
    return owner;
  }

  /** All threads of an instance look at the same rows; the latest look counts. */
  #positionsOf(instance: number): Float64Array {
    const positions = new Float64Array(this.tasks.length);
    for (const member of this.threadsOf[instance] ?? []) {
      for (const { task, position } of this.members[member]?.positions ?? []) {
        const index = this.taskAt(task);
        if (index !== undefined) positions[index] = Math.max(positions[index] ?? 0, position);
      }
    }
    return positions;
  }
}

function ranked(members: readonly MemberState[]): readonly MemberState[] {
  const sorted = members.toSorted((a, b) => compare(a.instanceId, b.instanceId) || compare(a.memberId, b.memberId));
  const threads = new Map<string, number>();
  const ranks = sorted.map((member) => {
    const thread = threads.get(member.instanceId) ?? 0;
    threads.set(member.instanceId, thread + 1);
    return { member, thread };
  });
  return ranks.toSorted((a, b) => a.thread - b.thread).map(({ member }) => member);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
