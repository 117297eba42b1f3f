/**
 * Where copies of stateful tasks are kept: never on the instance that runs the task, first where they are already, then where rows
 * are, then where there is least to do. What was there keeps its place unless an instance has more than its share.
 */
import type { GroupView } from "./group-view.ts";

export interface StandbyPlace {
  readonly task: number;
  readonly member: number;
}

interface TaskPlaces {
  /** Instances that cannot have a copy: the one that runs it, will run it, or has to give it up first; and who warms up. */
  readonly barred: Set<number>;
  readonly chosen: Set<number>;
}

export class StandbyPlaces {
  readonly #group: GroupView;
  readonly #replicas: number;
  readonly #places: TaskPlaces[];
  readonly #load: number[];
  readonly #copies: number[];

  constructor(group: GroupView, replicas: number) {
    this.#group = group;
    this.#replicas = Math.min(replicas, group.instances.length - 1);
    this.#places = group.tasks.map(() => ({ barred: new Set(), chosen: new Set() }));
    this.#load = group.members.map(() => 0);
    this.#copies = group.instances.map(() => 0);
  }

  /** The task runs or will run on an instance; while it is to be given up elsewhere, there is no copy there either. */
  runs(task: number, instance: number, givenUpBy?: number): void {
    const { barred } = this.#of(task);
    barred.add(instance);
    if (givenUpBy !== undefined) barred.add(givenUpBy);
  }

  /** A copy beside the replicas. */
  warmsUp(task: number, instance: number): void {
    this.#of(task).barred.add(instance);
  }

  fill(): readonly StandbyPlace[] {
    const { tasks, stateful } = this.#group;
    const found: StandbyPlace[] = [];
    const copied = tasks.flatMap((_, task) => (stateful[task] === true ? [task] : []));
    const share = Math.ceil((copied.length * this.#replicas) / this.#group.members.length);
    const most = this.#group.threadsOf.map((threads) => share * threads.length);
    const take = (task: number, instance: number): void => {
      const member = this.#threadFor(instance, task);
      this.#of(task).chosen.add(instance);
      this.#copies[instance] = (this.#copies[instance] ?? 0) + 1;
      this.#load[member] = (this.#load[member] ?? 0) + 1;
      found.push({ task, member });
    };
    for (const task of copied) {
      for (const instance of this.#free(task)) {
        if (this.#of(task).chosen.size >= this.#replicas) break;
        const holder = this.#group.holder(instance, task);
        const keeps = holder !== undefined && this.#group.isStandby(holder, task);
        if (keeps && (this.#copies[instance] ?? 0) < (most[instance] ?? 0)) take(task, instance);
      }
    }
    for (const task of copied) {
      while (this.#of(task).chosen.size < this.#replicas) {
        const best = this.#best(task, most);
        if (best === undefined) break;
        take(task, best);
      }
    }
    return found;
  }

  #best(task: number, most: readonly number[]): number | undefined {
    const group = this.#group;
    const over = (instance: number): number => ((this.#copies[instance] ?? 0) < (most[instance] ?? 0) ? 0 : 1);
    const load = (instance: number): number => (this.#copies[instance] ?? 0) / (group.threadsOf[instance]?.length ?? 1);
    return this.#free(task).toSorted(
      (a, b) => over(a) - over(b) || group.lag(a, task) - group.lag(b, task) || load(a) - load(b) || a - b,
    )[0];
  }

  /** Whose threads do not claim to run it: who does has to give it up first. */
  #free(task: number): readonly number[] {
    const { barred, chosen } = this.#of(task);
    return this.#group.instances.flatMap((_, instance) => {
      const holder = this.#group.holder(instance, task);
      const runs = holder !== undefined && !this.#group.isStandby(holder, task);
      return barred.has(instance) || chosen.has(instance) || runs ? [] : [instance];
    });
  }

  #threadFor(instance: number, task: number): number {
    const holder = this.#group.holder(instance, task);
    if (holder !== undefined) return holder;
    const threads = this.#group.threadsOf[instance] ?? [];
    return threads.toSorted((a, b) => (this.#load[a] ?? 0) - (this.#load[b] ?? 0))[0] ?? 0;
  }

  #of(task: number): TaskPlaces {
    return this.#places[task] ?? { barred: new Set(), chosen: new Set() };
  }
}
