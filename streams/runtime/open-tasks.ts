/** From an assignment to running tasks: first what only the log knows, which takes a while, then everything else at once. */
import type { Disk } from "#disk";
import type { Log, Reader, TopicPartition, Writer } from "#log";
import { diskRowStore, openTaskState } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { InputPartition, type InputLimits } from "../task/input-partition.ts";
import { decodePartitionTime } from "../task/offset-metadata.ts";
import { Task, type CondemnedUnit, type TaskConfig } from "../task/task.ts";
import { taskName, type TaskId } from "../task/task-id.ts";
import type { Subtopology } from "../topology/node.ts";
import type { Topic } from "../topic.ts";

interface Start extends TopicPartition {
  readonly position: number;
  readonly partitionTime: number;
  readonly committed: boolean;
}

/** A writer that fenced all before it, and where each input goes on. */
export interface Opening {
  readonly writer: Writer;
  readonly starts: readonly Start[];
}

export interface OpenOptions {
  readonly log: Log;
  readonly topology: Topology;
  readonly tasks: readonly TaskId[];
  readonly group: string;
  readonly transactionalId: string;
}

/** Initialises first and asks for offsets then: an older writer of the same id may still have been committing. */
export async function prepareOpening({ log, topology, tasks, group, transactionalId }: OpenOptions): Promise<Opening> {
  const writer = log.writer({ group, transactionalId });
  try {
    await writer.initialize();
    const partitions = tasks.flatMap((id) => inputsOf(topology, id).map(({ name }) => ({ topic: name, partition: id.partition })));
    const committed = await log.offsets.committed(group, partitions);
    const starts = await Promise.all(
      partitions.map(async (partition, index): Promise<Start> => {
        const kept = committed[index];
        if (kept !== undefined)
          return { ...partition, position: kept.offset, partitionTime: decodePartitionTime(kept.metadata), committed: true };
        return { ...partition, position: await log.offsets.bound(partition, "start"), partitionTime: -1, committed: false };
      }),
    );
    return { writer, starts };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

export interface TaskDependencies {
  readonly topology: Topology;
  readonly tasks: readonly TaskId[];
  readonly disk: Disk;
  readonly storeIds: ReadonlyMap<string, number>;
  readonly config: TaskConfig;
  readonly limits: InputLimits;
  readonly condemned: readonly CondemnedUnit[];
  readonly now: number;
}

export interface OpenTasks {
  readonly tasks: readonly Task[];
  /** Tasks that had committed before. */
  readonly restored: number;
}

/** Opens the state of every task, builds its processors and has the reader start at the committed offsets. */
export function openTasks({ writer, starts }: Opening, reader: Reader, dependencies: TaskDependencies): OpenTasks {
  const { topology, tasks, disk, storeIds, config, limits, condemned, now } = dependencies;
  const rows = diskRowStore(disk);
  const find = (topic: Topic<unknown, unknown>, partition: number): Start => {
    const start = starts.find((each) => each.topic === topic.name && each.partition === partition);
    return start ?? { topic: topic.name, partition, position: 0, partitionTime: -1, committed: false };
  };
  const opened: Task[] = [];
  let restored = 0;
  try {
    for (const id of tasks) {
      const subtopology = subtopologyOf(topology, id);
      const inputs = inputsOf(topology, id).map((topic) => new InputPartition({ ...find(topic, id.partition), topic }, limits));
      if (inputs.some(({ topic, partition }) => find(topic, partition).committed)) restored++;
      const state = openTaskState({
        rows,
        partition: id.partition,
        descriptors: subtopology.stores,
        storeIds,
        freeze: config.freeze,
      });
      const hasLag = ({ topic, partition }: InputPartition): boolean =>
        reader.endOffset({ topic: topic.name, partition }) > reader.position({ topic: topic.name, partition });
      opened.push(new Task({ id, subtopology, config, state, writer, inputs, now, partitionsOf: declaredPartitions, hasLag, condemned }));
    }
    reader.assign(
      opened.flatMap(({ inputs }) =>
        inputs.map(({ topic, partition, position }) => ({
          topic: topic.name,
          partition,
          offset: position,
          // Records that may be dead-lettered may also have been deleted by retention; the others must never be missed in silence.
          outOfRange: topic.onFailure === "stop" ? ("fail" as const) : ("start" as const),
        })),
      ),
    );
  } catch (error) {
    for (const task of opened) task.close();
    throw error;
  }
  return { tasks: opened, restored };
}

function declaredPartitions(topic: Topic<unknown, unknown>): number {
  return topic.partitions;
}

/** For logs. */
export function taskNames(tasks: readonly TaskId[]): readonly string[] {
  return tasks.map(taskName);
}

function subtopologyOf(topology: Topology, id: TaskId): Subtopology {
  const subtopology = topology.subtopologies[id.subtopology];
  if (subtopology === undefined) throw new RangeError(`there is no subtopology ${id.subtopology}`);
  return subtopology;
}

/** Topics with fewer partitions than the task's have none for it. */
function inputsOf(topology: Topology, id: TaskId): readonly Topic<unknown, unknown>[] {
  return subtopologyOf(topology, id)
    .sources.map(({ topic }) => topic as Topic<unknown, unknown>)
    .filter(({ partitions }) => id.partition < partitions);
}
