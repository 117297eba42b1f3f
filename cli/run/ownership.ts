/** Which partitions of stores are here, as the group has it: what queries may answer from this database. */
import type { Ownership } from "#api";
import { taskName, type Application, type TaskId, type Topology } from "#streams";

const RETRY_MS = 500;

/** Where one process has everything, nothing is ever elsewhere. */
export function ownershipOf(app: () => Application | undefined, topology: Topology): Ownership {
  const homes = new Map(
    topology.subtopologies.flatMap(({ stores }, subtopology) => stores.map(({ name }) => [name, subtopology] as const)),
  );
  return {
    epoch() {
      const status = app()?.status;
      // Both what the group says and what has come to run since change it.
      return status === undefined ? -1 : (status.generation + 1) * 100_000 + status.running.length;
    },
    absence(store, partition) {
      const subtopology = homes.get(store);
      const status = app()?.status;
      if (subtopology === undefined) return undefined;
      if (status === undefined || status.generation < 0)
        return { reason: "STARTING", detail: "this instance is joining its group", retryAfterMs: RETRY_MS };
      const task: TaskId = { subtopology, partition };
      if (status.running.some((each) => same(each, task))) return undefined;
      const restoring = status.restoring.some((each) => same(each, task));
      const detail = restoring ? `task ${taskName(task)} is being restored here` : `task ${taskName(task)} runs on another instance`;
      return { reason: restoring ? "RESTORING" : "MOVED", detail, retryAfterMs: RETRY_MS };
    },
  };
}

function same(a: TaskId, b: TaskId): boolean {
  return a.subtopology === b.subtopology && a.partition === b.partition;
}
