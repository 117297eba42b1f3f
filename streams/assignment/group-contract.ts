/**
 * What the members of an application's group tell one another: each member its state when it joins, the leader each member its
 * part. A member is one stream thread. Contract only.
 *
 *     member states ──assignTasks (pure, on the leader)──▶ parts
 *
 * Nobody is given what another member still claims: a task changes hands by being given up in one generation and assigned in the next.
 */
import type { StoredPosition } from "../changelog/changelog.ts";
import type { TaskId } from "../task/task-id.ts";

/** Where an instance answers queries for what it owns. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One member as it joins: its user data, with the name under which it joined. */
export interface MemberState {
  /** `<instance>-<thread>`. */
  readonly memberId: string;
  /** Members of one instance share a process and its database. */
  readonly instanceId: string;
  readonly endpoint: Endpoint | undefined;
  /** `fingerprintOf` the topology that it runs. */
  readonly fingerprint: number;
  /** Under which it was given what it claims; −1 when nothing. Of two claims to one task the later generation is believed. */
  readonly generation: number;
  /** Claims: tasks that it runs, or prepares to run. */
  readonly active: readonly TaskId[];
  /** Claims: tasks whose changelogs it follows. */
  readonly standby: readonly TaskId[];
  /** How far the rows of its instance are, of every stateful task that there are rows of. */
  readonly positions: readonly StoredPosition[];
  /** It has no tasks and wants none: it tells all instances of the application to stop. */
  readonly stops: boolean;
}

/** What one member has from now on. */
export interface MemberPart {
  readonly active: readonly TaskId[];
  readonly standby: readonly TaskId[];
  /** Those of `standby` that shall run here once they have caught up: then the member asks for a new generation. */
  readonly warmUps: readonly TaskId[];
  /** Somebody waits for what this member has to give up: when it has, it asks for a new generation. */
  readonly handsOver: boolean;
  /** A member tells all instances to stop; everybody keeps what it has until it did. */
  readonly stops: boolean;
  /** It runs another topology than those who have the tasks: it must not be a member. */
  readonly refused: boolean;
  /** The same for all members: who answers for what. */
  readonly owners: TaskOwners;
  /** The same for all: every member of the generation by its id. Empty where the leader does not say it. */
  readonly members: readonly string[];
  /** It ends what those have left open in the log who were members before and are not now: one member in each generation does. */
  readonly fencesGone: boolean;
}

export interface OwnerInstance {
  readonly instanceId: string;
  readonly endpoint: Endpoint | undefined;
}

/** Indices into `instances`. */
export interface TaskOwner extends TaskId {
  /** Undefined while the task changes hands. */
  readonly active: number | undefined;
  readonly standbys: readonly number[];
}

export interface TaskOwners {
  readonly instances: readonly OwnerInstance[];
  readonly tasks: readonly TaskOwner[];
}

/** What an assignor has to know of a topology. */
export interface GroupTopology {
  readonly fingerprint: number;
  readonly subtopologies: readonly { readonly partitions: number; readonly stateful: boolean }[];
}

export interface AssignorSettings {
  /** Copies of each stateful task beside the active one, each on another instance. */
  readonly standbyReplicas: number;
  /** A stateful task is given to a member only when its rows lag by at most so many records. */
  readonly acceptableLagRecords: number;
  /** Tasks that a member warms up at the same time for taking them over. */
  readonly warmUpsPerMemberMax: number;
}
