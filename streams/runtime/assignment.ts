/** Which tasks a thread has, as of which generation of its group. A static split is generation 0 for ever. */
import type { Topology } from "../dsl/builder.ts";
import { tasksOf, type TaskId } from "../task/task-id.ts";

export interface Assignment {
  /** Commits name it, so that an older owner of a task is fenced. */
  readonly generation: number;
  readonly tasks: readonly TaskId[];
  /** Tasks of others whose changelogs are followed into rows, so that they can be taken over at once; nothing where rows are atomic. */
  readonly standbys?: readonly TaskId[];
}

/**
 * All tasks of a topology over so many threads of one process. Partition p is with thread p modulo threads in every
 * subtopology, so that what one subtopology hands to the next under the same partitioning stays in the thread.
 */
export function splitTasks(topology: Topology, threads: number): readonly Assignment[] {
  const tasks = tasksOf(topology);
  return Array.from({ length: threads }, (_, thread) => ({
    generation: 0,
    tasks: tasks.filter(({ partition }) => partition % threads === thread),
  }));
}
