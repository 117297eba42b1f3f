/** From where a task goes on to a running task: its state over the rows, its inputs, its processors. */
import type { Disk } from "#disk";
import type { Reader, Writer } from "#log";
import { diskRowStore, openTaskState } from "#state";
import type { Topology } from "../../dsl/builder.ts";
import { InputPartition, type InputLimits } from "../../task/input-partition.ts";
import { Task, type CondemnedUnit, type TaskConfig } from "../../task/task.ts";
import type { Topic } from "../../topic.ts";
import { inputsOf, subtopologyOf, type PreparedTask } from "./prepare-tasks.ts";

export interface TaskDependencies {
  readonly topology: Topology;
  readonly disk: Disk;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly storeIds: ReadonlyMap<string, number>;
  readonly config: TaskConfig & InputLimits;
  readonly condemned: readonly CondemnedUnit[];
}

/** Reads rows to rebuild queues and timers. Throws SerdeError for rows that cannot be read. */
export function openTask({ id, starts }: PreparedTask, dependencies: TaskDependencies, now: number): Task {
  const { topology, disk, reader, writer, storeIds, config, condemned } = dependencies;
  const subtopology = subtopologyOf(topology, id);
  const inputs = inputsOf(topology, id).map((topic) => {
    const start = starts.find((each) => each.topic === topic.name);
    return new InputPartition({ position: 0, partitionTime: -1, ...start, topic, partition: id.partition }, config);
  });
  const state = openTaskState({
    rows: diskRowStore(disk),
    partition: id.partition,
    descriptors: subtopology.stores,
    storeIds,
    freeze: config.freeze,
  });
  const hasLag = ({ topic, partition }: InputPartition): boolean =>
    reader.endOffset({ topic: topic.name, partition }) > reader.position({ topic: topic.name, partition });
  return new Task({ id, subtopology, config, state, writer, inputs, now, partitionsOf: declaredPartitions, hasLag, condemned });
}

function declaredPartitions(topic: Topic<unknown, unknown>): number {
  return topic.partitions;
}
