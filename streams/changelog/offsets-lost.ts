/** State whose input has no committed offset: they were committed together, so the offset was lost since. */
import type { Disk } from "#disk";
import { WriterLostError, type Offsets } from "#log";
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
 * start would be counted once more on top of what is there.
 */
export function offsetsLookLost(disk: Disk, { id, inputs, storeIds }: StateOfTask): boolean {
  if (inputs.length === 0 || inputs.some(({ committed }) => committed)) return false;
  return storeIds.some((storeId) => hasRows(disk, storeId, id.partition));
}

/**
 * Asks once more, for the state may be younger than the answer. Resolves with TaskFailedError `OFFSETS_LOST`; with `WRITER_FENCED` where
 * there are offsets by now: somebody else has committed them since, so the tasks are not ours.
 */
export async function lostOrTaken(offsets: Pick<Offsets, "committed">, { id, group, inputs }: StateOfTask): Promise<Error> {
  const { partition } = id;
  const task = taskName(id);
  const found = await offsets.committed(
    group,
    inputs.map(({ topic }) => ({ topic, partition })),
  );
  if (found.some((each) => each !== undefined))
    return new WriterLostError(
      "WRITER_FENCED",
      `Somebody else has committed offsets of task ${task} since this thread asked for them: a newer writer has taken its id. Give up its partitions.`,
    );
  const topics = inputs.map(({ topic }) => topic).join(", ");
  return new TaskFailedError(
    "OFFSETS_LOST",
    `Task ${task} has state, and the group ${group} has no committed offset of ${topics}/${partition}: from its start all of it would be done once more. Commit the offsets that belong to the state, or reset the application.`,
    { task, partition },
  );
}

function hasRows(disk: Disk, storeId: number, partition: number): boolean {
  const from = rowPrefix(storeId, partition);
  for (const _ of disk.entries("rows", { from, to: prefixEnd(from) })) return true;
  return false;
}
