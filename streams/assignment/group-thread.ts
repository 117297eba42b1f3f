/** A stream thread that is a member of its application's group: the thread, and its seat, as one thing that a host steps. */
import type { Disk } from "#disk";
import type { Log, MemberAssignment, MemberInfo } from "#log";
import type { Topology } from "../dsl/builder.ts";
import { StreamsError } from "../errors.ts";
import type { Assignment } from "../runtime/assignment.ts";
import { asError } from "../runtime/as-error.ts";
import { memberIdOf } from "../runtime/instance-id.ts";
import { createStreamThread, type AbandonableStreamThread } from "../runtime/stream-thread.ts";
import type { StepResult, StreamThreadConfig, StreamThreadState, ThreadDependencies, ThreadMetrics } from "../runtime/thread.ts";
import type { Task } from "../task/task.ts";
import { taskName, type TaskId } from "../task/task-id.ts";
import { assignTasks } from "./assign-tasks.ts";
import { ASSIGNOR_SETTINGS } from "./defaults.ts";
import { groupTopologyOf } from "./fingerprint.ts";
import { GoneMembers } from "./gone-members.ts";
import { decodeUserData, encodePart, encodeUserData } from "./group-bytes.ts";
import type { AssignorSettings, Endpoint, TaskOwners } from "./group-contract.ts";
import { GroupSeat } from "./group-seat.ts";
import { storedPositions } from "./stored-positions.ts";

/** How an instance is a member of its group. Structured-cloneable. */
export interface GroupOptions {
  /** Where the instance answers queries; without it, others cannot ask it. */
  readonly endpoint?: Endpoint;
  /** The same in all instances: the leader's count. */
  readonly assignor?: Partial<AssignorSettings>;
}

/** What a member knows of the group and of its own tasks. */
export interface GroupStatus {
  /** −1 while it is no member. */
  readonly generation: number;
  readonly owners: TaskOwners;
  /** Assigned here, and running. */
  readonly running: readonly TaskId[];
  /** Assigned here, and their rows are not there yet. */
  readonly restoring: readonly TaskId[];
}

export interface GroupThreadOptions {
  readonly config: StreamThreadConfig;
  readonly dependencies: ThreadDependencies;
  readonly group: GroupOptions;
  /** Told when something of it changes. */
  readonly onStatus?: (status: GroupStatus) => void;
}

/** Joins with its first step, leaves when it is stopped or has failed. */
export function createGroupThread(options: GroupThreadOptions): AbandonableStreamThread {
  return new GroupThread(options);
}

const OTHER_TOPOLOGY =
  "The members of this group run a topology with other tasks or stores. Stop all of them before the first one runs a new topology.";
const NO_TASKS: Assignment = { generation: -1, tasks: [], standbys: [] };

class GroupThread implements AbandonableStreamThread {
  readonly #options: GroupThreadOptions;
  readonly #inner: AbandonableStreamThread;
  readonly #seat: GroupSeat;
  #everAssigned = false;
  #told = "";
  #leaving: Promise<void> | undefined;

  constructor(options: GroupThreadOptions) {
    const { config, dependencies, group } = options;
    const { log, topology, disk } = dependencies;
    this.#options = options;
    const settings = { ...ASSIGNOR_SETTINGS, ...group.assignor };
    const membership = log.membership({
      group: config.applicationId,
      memberId: memberIdOf(config),
      topics: topicsRead(topology),
      userData: () => this.#userData(disk, log),
      assign: assignorOf(topology, settings),
    });
    const inner = createStreamThread({ config, dependencies, membership, assignment: NO_TASKS });
    const gone = new GoneMembers({ log, applicationId: config.applicationId, logger: dependencies.logger });
    this.#inner = inner;
    this.#seat = new GroupSeat({
      membership,
      acceptableLagRecords: settings.acceptableLagRecords,
      assigned: (part, generation) => {
        const { stops, refused } = part;
        this.#everAssigned = true;
        gone.heard(part, () => this.#seat.state === "seated" && this.#seat.generation === generation);
        if (refused) inner.abandon(new StreamsError("GROUP_DATA_INVALID", OTHER_TOPOLOGY));
        if (stops) inner.abandon(new StreamsError("STOPPED_BY_MEMBER", "Another instance told all instances of the application to stop."));
      },
      thread: {
        get held() {
          return inner.tasks.map(({ id }) => id);
        },
        get retiring() {
          return inner.retiring;
        },
        endTransaction: () => inner.endTransaction(),
        resumeCommits: () => inner.resumeCommits(),
        reassign: (assignment) => inner.reassign(assignment),
        loseTasks: () => inner.loseTasks(),
        lag: (task) => lagOf(inner, task),
      },
    });
  }

  /** Starting until it was given its first part. */
  get state(): StreamThreadState {
    return this.#inner.state === "running" && !this.#everAssigned ? "starting" : this.#inner.state;
  }

  get error(): Error | undefined {
    return this.#inner.error;
  }

  get tasks(): readonly Task[] {
    return this.#inner.tasks;
  }

  get retiring(): boolean {
    return this.#inner.retiring;
  }

  get paused(): boolean {
    return this.#inner.paused;
  }

  set paused(paused: boolean) {
    this.#inner.paused = paused;
  }

  step(now: number): StepResult {
    const { state } = this.#inner;
    let moved = false;
    if (state === "starting" || state === "running") {
      try {
        moved = this.#seat.step(now);
      } catch (error) {
        this.#inner.abandon(asError(error));
      }
    }
    const result = this.#inner.step(now);
    this.#tell();
    return { ...result, worked: result.worked || moved, nextDueAt: Math.min(result.nextDueAt, this.#seat.nextDueAt) };
  }

  settled(): Promise<void> {
    return this.#inner.settled();
  }

  /** Commits, then leaves: whoever gets the tasks finds all of it. */
  async stop(): Promise<void> {
    try {
      await this.#inner.stop();
    } finally {
      await this.#leave();
    }
  }

  abandon(error?: Error): void {
    this.#inner.abandon(error);
    void this.#leave();
  }

  reassign(assignment: Assignment): void {
    this.#inner.reassign(assignment);
  }

  endTransaction(): boolean {
    return this.#inner.endTransaction();
  }

  resumeCommits(): void {
    this.#inner.resumeCommits();
  }

  loseTasks(): void {
    this.#inner.loseTasks();
  }

  metrics(): ThreadMetrics {
    return this.#inner.metrics();
  }

  #leave(): Promise<void> {
    this.#leaving ??= this.#seat.leave().then(() => this.#tell());
    return this.#leaving;
  }

  #userData(disk: Disk, log: Log): Uint8Array {
    const { config, dependencies, group } = this.#options;
    const { topology } = dependencies;
    return encodeUserData({
      instanceId: config.instanceId,
      endpoint: group.endpoint,
      fingerprint: groupTopologyOf(topology).fingerprint,
      generation: this.#seat.generation,
      ...this.#seat.claims,
      positions: log.capabilities.atomicRows ? [] : storedPositions(disk, topology),
      stops: false,
    });
  }

  #tell(): void {
    const { onStatus } = this.#options;
    if (onStatus === undefined) return;
    const { generation, part, state } = this.#seat;
    const member = state !== "left" && generation >= 0;
    const runs = this.#inner.tasks.filter(({ retired }) => !retired);
    const signature = member ? `${generation} ${runs.map(({ name }) => name).join()}` : "none";
    if (signature === this.#told) return;
    this.#told = signature;
    const running = member ? runs.map(({ id }) => id) : [];
    const names = new Set(running.map(taskName));
    const restoring = member ? part.active.filter((task) => !names.has(taskName(task))) : [];
    onStatus({ generation: member ? generation : -1, owners: part.owners, running, restoring });
  }
}

/** Of the log's contract: members as bytes in, parts as bytes out. */
export function assignorOf(
  topology: Topology,
  settings: AssignorSettings,
): (members: readonly MemberInfo[]) => readonly MemberAssignment[] {
  const shape = groupTopologyOf(topology);
  return (members) => {
    const states = members.map(({ memberId, userData }) => decodeUserData(memberId, userData));
    return [...assignTasks(states, shape, settings)].map(([memberId, part]) => ({ memberId, assignment: encodePart(part) }));
  };
}

function topicsRead(topology: Topology): readonly string[] {
  return [...new Set(topology.subtopologies.flatMap(({ sources }) => sources.map(({ topic }) => topic.name)))].sort();
}

function lagOf(thread: AbandonableStreamThread, { subtopology, partition }: TaskId): number {
  const followed = (thread.metrics().following ?? []).find(
    ({ task, role }) => role === "standby" && task.subtopology === subtopology && task.partition === partition,
  );
  return followed === undefined ? Infinity : followed.total - followed.done;
}
