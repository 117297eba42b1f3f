/** What an instance knows of its group and of itself, from what its threads were told. */
import type { TaskOwners } from "../assignment/group-contract.ts";
import type { GroupStatus } from "../assignment/group-thread.ts";
import type { TaskId } from "../task/task-id.ts";

export interface InstanceStatus {
  /** Grows with every change of what follows. */
  readonly epoch: number;
  readonly instanceId: string;
  /** The latest that any thread here is a member of; −1 while none is. */
  readonly generation: number;
  /** As of that generation. */
  readonly owners: TaskOwners;
  readonly running: readonly TaskId[];
  /** Assigned to this instance, and not running yet. */
  readonly restoring: readonly TaskId[];
}

export function instanceStatusOf(instanceId: string, epoch: number, statuses: readonly GroupStatus[]): InstanceStatus {
  const latest = statuses.toSorted((a, b) => b.generation - a.generation)[0];
  return {
    epoch,
    instanceId,
    generation: latest?.generation ?? -1,
    owners: latest?.owners ?? { instances: [], tasks: [] },
    running: statuses.flatMap(({ running }) => running),
    restoring: statuses.flatMap(({ restoring }) => restoring),
  };
}
