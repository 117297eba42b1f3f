/** What only the log knows of tasks that are to be opened: asked for before anything is opened, because it takes a while. */
import type { Log, Membership, TopicPartition, Writer } from "#log";
import { changelogBounds, type ChangelogBounds } from "../../changelog/changelog-bounds.ts";
import type { Topology } from "../../dsl/builder.ts";
import { decodePartitionTime } from "../../task/offset-metadata.ts";
import { taskName, type TaskId } from "../../task/task-id.ts";
import type { Subtopology } from "../../topology/node.ts";
import type { StartAt, Topic } from "../../topic.ts";
import type { Assignment } from "../assignment.ts";

/** Where one input goes on. */
export interface InputStart extends TopicPartition {
  readonly position: number;
  readonly partitionTime: number;
  readonly committed: boolean;
}

export interface PreparedTask {
  readonly id: TaskId;
  readonly starts: readonly InputStart[];
  /** Of its stores; none where rows are atomic. */
  readonly changelogs: readonly ChangelogBounds[];
}

export interface PreparedStandby {
  readonly id: TaskId;
  readonly changelogs: readonly ChangelogBounds[];
}

/** Tasks to be opened, and standbys to be followed. */
export interface Prepared {
  readonly tasks: readonly PreparedTask[];
  readonly standbys: readonly PreparedStandby[];
}

/** A writer that fenced all before it, and where the tasks go on. */
export interface Opening {
  readonly writer: Writer;
  readonly prepared: Prepared;
  readonly assignment: Assignment;
}

export interface PrepareOptions {
  readonly log: Log;
  readonly topology: Topology;
  /** The application: consumer group, and first part of its changelogs' names. */
  readonly group: string;
}

export interface OpenOptions extends PrepareOptions {
  readonly assignment: Assignment;
  readonly transactionalId: string;
  readonly membership?: Membership;
}

/** Initialises first and asks for offsets then: an older writer of the same id may still have been committing. */
export async function prepareOpening(options: OpenOptions): Promise<Opening> {
  const { log, group, transactionalId, membership, assignment } = options;
  const writer = log.writer({ group, transactionalId, ...(membership === undefined ? {} : { membership }) });
  try {
    await writer.initialize();
    return { writer, prepared: await prepareTasks(options, assignment), assignment };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Asks for the committed offsets, and for the ends of the changelogs then: these cover whatever those cover. */
export async function prepareTasks(
  { log, topology, group }: PrepareOptions,
  { tasks, standbys = [] }: Pick<Assignment, "tasks" | "standbys">,
): Promise<Prepared> {
  const partitions = tasks.flatMap((id) => inputsOf(topology, id).map(({ name }) => ({ topic: name, partition: id.partition })));
  const startsAt = new Map(tasks.flatMap((id) => inputsOf(topology, id).map(({ name, startAt }) => [name, startAt] as const)));
  const committed = partitions.length === 0 ? [] : await log.offsets.committed(group, partitions);
  const starts = await Promise.all(
    partitions.map(async (at, index): Promise<InputStart> => {
      const kept = committed[index];
      if (kept === undefined)
        return { ...at, position: await firstOffset(log, at, startsAt.get(at.topic)), partitionTime: -1, committed: false };
      return { ...at, position: kept.offset, partitionTime: decodePartitionTime(kept.metadata), committed: true };
    }),
  );
  const bounds = (id: TaskId): Promise<readonly ChangelogBounds[]> =>
    log.capabilities.atomicRows ? Promise.resolve([]) : changelogBounds({ offsets: log.offsets, topology, applicationId: group }, id);
  const prepareTask = async (id: TaskId): Promise<PreparedTask> => {
    const names = new Set(inputsOf(topology, id).map(({ name }) => name));
    return {
      id,
      starts: starts.filter(({ topic, partition }) => partition === id.partition && names.has(topic)),
      changelogs: await bounds(id),
    };
  };
  return {
    tasks: await Promise.all(tasks.map(prepareTask)),
    standbys: await Promise.all(standbys.map(async (id) => ({ id, changelogs: await bounds(id) }))),
  };
}

/** Of a partition in which the application has committed nothing. */
async function firstOffset({ offsets }: Pick<Log, "offsets">, at: TopicPartition, startAt: StartAt = "earliest"): Promise<number> {
  if (startAt === "earliest") return offsets.bound(at, "start");
  const found = startAt === "latest" ? undefined : await offsets.forTime(at, startAt.timestamp);
  return found ?? offsets.bound(at, "stable");
}

/** For logs. */
export function taskNames(tasks: readonly TaskId[]): readonly string[] {
  return tasks.map(taskName);
}

export function subtopologyOf(topology: Topology, id: TaskId): Subtopology {
  const subtopology = topology.subtopologies[id.subtopology];
  if (subtopology === undefined) throw new RangeError(`there is no subtopology ${id.subtopology}`);
  return subtopology;
}

/** Topics with fewer partitions than the task's have none for it. */
export function inputsOf(topology: Topology, id: TaskId): readonly Topic<unknown, unknown>[] {
  return subtopologyOf(topology, id)
    .sources.map(({ topic }) => topic as Topic<unknown, unknown>)
    .filter(({ partitions }) => id.partition < partitions);
}
