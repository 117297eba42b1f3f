/** State whose input has no committed offset: they were committed together, so the offset was lost since. */
import type { Disk } from "#disk";
import { prefixEnd, rowPrefix } from "#state";
import { TaskFailedError } from "../errors.ts";
import { taskName, type TaskId } from "../task/task-id.ts";

export interface StateOfTask {
  readonly id: TaskId;
  readonly group: string;
  readonly inputs: readonly { readonly topic: string; readonly committed: boolean }[];
  readonly storeIds: readonly number[];
}

/**
 * Brokers forget the offsets of a group that had no member for `offsets.retention.minutes`, a week by default. Its input read from the
 * start would be counted once more on top of what is there. Throws TaskFailedError `OFFSETS_LOST`.
 */
export function refuseLostOffsets(disk: Disk, { id, group, inputs, storeIds }: StateOfTask): void {
  if (inputs.length === 0 || inputs.some(({ committed }) => committed)) return;
  if (!storeIds.some((storeId) => hasRows(disk, storeId, id.partition))) return;
  const topics = inputs.map(({ topic }) => topic).join(", ");
  throw new TaskFailedError(
    "OFFSETS_LOST",
    `Task ${taskName(id)} has state, and the group ${group} has no committed offset of ${topics}/${id.partition}: from its start all of it would be done once more. Commit the offsets that belong to the state, or reset the application.`,
    { task: taskName(id), partition: id.partition },
  );
}

function hasRows(disk: Disk, storeId: number, partition: number): boolean {
  const from = rowPrefix(storeId, partition);
  for (const _ of disk.entries("rows", { from, to: prefixEnd(from) })) return true;
  return false;
}
