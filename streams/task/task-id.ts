/** A task is one partition of one subtopology; threads are given tasks, dead letters and metrics name them. */
import type { Topology } from "../dsl/builder.ts";

export interface TaskId {
  readonly subtopology: number;
  readonly partition: number;
}

/** `<subtopology>_<partition>`. */
export function taskName(id: TaskId): string {
  return `${id.subtopology}_${id.partition}`;
}

/** Every task of a topology, by subtopology, then partition. */
export function tasksOf(topology: Topology): readonly TaskId[] {
  return topology.subtopologies.flatMap(({ index, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ subtopology: index, partition })),
  );
}
