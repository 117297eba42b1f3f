/** How far the rows of this process are, of every stateful task that there are rows of. */
import type { Disk } from "#disk";
import { loadStoreIds } from "#state";
import type { StoredPosition } from "../changelog/changelog.ts";
import { changelogPositionKey, readPosition } from "../changelog/position-rows.ts";
import type { Topology } from "../dsl/builder.ts";
import { tasksOf } from "../task/task-id.ts";

/** A store of a task of which nothing is there counts nothing: the task lags by all of it. */
export function storedPositions(disk: Disk, topology: Topology): readonly StoredPosition[] {
  const storeIds = loadStoreIds(disk, []);
  const found: StoredPosition[] = [];
  for (const task of tasksOf(topology)) {
    let position = 0;
    for (const { name } of topology.subtopologies[task.subtopology]?.stores ?? []) {
      const id = storeIds.get(name);
      if (id !== undefined) position += readPosition(disk, changelogPositionKey(id, task.partition))?.position ?? 0;
    }
    if (position > 0) found.push({ task, position });
  }
  return found;
}
