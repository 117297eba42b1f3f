/** Where the rows of a store's partition are: key → partition → task → who runs it, and who follows it. */
import type { Topology } from "../dsl/builder.ts";
import { StreamsError } from "../errors.ts";
import type { OwnerInstance, TaskOwner } from "../assignment/group-contract.ts";
import type { InstanceStatus } from "../runtime/instance-status.ts";
import type { TaskId } from "../task/task-id.ts";

export type Placement =
  /** Runs here. */
  | { readonly kind: "here" }
  /** Will run here, when its rows are there. */
  | { readonly kind: "restoring"; readonly standbys: readonly OwnerInstance[] }
  | { readonly kind: "elsewhere"; readonly owner: OwnerInstance; readonly standbys: readonly OwnerInstance[] }
  /** Nobody runs it: it changes hands, or this instance is no member of the group at the moment. */
  | { readonly kind: "moving"; readonly standbys: readonly OwnerInstance[] };

export interface PlacementsOptions {
  readonly topology: Topology;
  /** Asked each time. */
  readonly status: () => InstanceStatus;
}

/** What is known changes between two calls: read `epoch` before and after what has to hold together. */
export class Placements {
  readonly #options: PlacementsOptions;
  readonly #subtopologies = new Map<string, number>();

  constructor(options: PlacementsOptions) {
    this.#options = options;
    for (const { index, stores } of options.topology.subtopologies) for (const { name } of stores) this.#subtopologies.set(name, index);
  }

  epoch(): number {
    return this.#options.status().epoch;
  }

  /** Throws StreamsError `STORE_UNKNOWN`. */
  of(store: string, partition: number): Placement {
    const subtopology = this.#subtopologies.get(store);
    if (subtopology === undefined) throw new StreamsError("STORE_UNKNOWN", `the topology has no store ${store}`, { store });
    const { instanceId, owners, running, restoring, generation } = this.#options.status();
    const task = { subtopology, partition };
    const owner = owners.tasks.find((each) => same(each, task));
    const standbys = instancesOf(owner, owners.instances).filter((each) => each.instanceId !== instanceId);
    if (generation < 0) return { kind: "moving", standbys };
    if (running.some((each) => same(each, task))) return { kind: "here" };
    if (restoring.some((each) => same(each, task))) return { kind: "restoring", standbys };
    const active = owner?.active === undefined ? undefined : owners.instances[owner.active];
    // Told to run here and not begun: another thread of this instance has not heard it yet.
    if (active === undefined || active.instanceId === instanceId) return { kind: "moving", standbys };
    return { kind: "elsewhere", owner: active, standbys };
  }

  /** Whether this instance follows the task of a store's partition. */
  follows(store: string, partition: number): boolean {
    const { instanceId, owners, generation } = this.#options.status();
    const task = { subtopology: this.#subtopologies.get(store) ?? -1, partition };
    const owner = owners.tasks.find((each) => same(each, task));
    return generation >= 0 && instancesOf(owner, owners.instances).some((each) => each.instanceId === instanceId);
  }
}

function instancesOf(owner: TaskOwner | undefined, instances: readonly OwnerInstance[]): readonly OwnerInstance[] {
  return (owner?.standbys ?? []).flatMap((index) => instances[index] ?? []);
}

function same(a: TaskId, b: TaskId): boolean {
  return a.subtopology === b.subtopology && a.partition === b.partition;
}
