/**
 * The log port: everything the engine asks of a log, embedded or Kafka. A backend passes `log/conformance/`.
 * Offsets and timestamps (milliseconds since the epoch, UTC) are numbers; records travel as RecordBatch v2 blocks.
 */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export type CleanupPolicy = "delete" | "compact";

export interface TopicConfig {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: CleanupPolicy;
  /** Undefined keeps for ever. Never deletes past a committed offset of a group that reads the topic. */
  readonly retentionMs?: number;
  readonly retentionBytes?: number;
  /** Upper bound of one encoded record (key, value and headers); default 1 MiB. */
  readonly recordBytesMax?: number;
  /** Only asked for, never told: the application's own topic, of which nothing may be lost. */
  readonly internal?: boolean;
}

export interface Topics {
  /**
   * Creates what is missing; an existing topic with other partitions or cleanup throws `TOPIC_MISMATCH`, naming both. So does one
   * asked for as `internal` that is deleted by age or size though compacted, or has fewer copies than this log would make of it.
   */
  ensure(configs: readonly TopicConfig[]): Promise<void>;
  describe(name: string): Promise<TopicConfig | undefined>;
  list(): Promise<readonly TopicConfig[]>;
  /** Moves the log start; offsets below `beforeOffset` answer out of range from then on. */
  deleteRecords(partition: TopicPartition, beforeOffset: number): Promise<void>;
}

export type OffsetBound =
  /** First offset still held. */
  | "start"
  /** One past the last record that a reader of committed records can see now. */
  | "stable"
  /** One past the last record written, committed or not. */
  | "high-watermark";

export interface Offsets {
  bound(partition: TopicPartition, bound: OffsetBound): Promise<number>;
  /** First offset whose timestamp is at or after `timestamp`; undefined when there is none. */
  forTime(partition: TopicPartition, timestamp: number): Promise<number | undefined>;
  /** Stable: waits for pending transactional commits of the group. Undefined when the group never committed there. */
  committed(group: string, partitions: readonly TopicPartition[]): Promise<readonly (CommittedOffset | undefined)[]>;
  groups(): Promise<readonly string[]>;
  /** Whether a group has members now; false for one that is not known. Only where groups live outside this process. */
  hasMembers?(group: string): Promise<boolean>;
}

export interface CommittedOffset {
  readonly offset: number;
  /** Free text kept with the offset; the engine keeps partition time and processor metadata in it. At most 4 KiB. */
  readonly metadata: string;
}

export type OutOfRange = "start" | "end" | "fail";

export interface PartitionAssignment extends TopicPartition {
  readonly offset: number;
  readonly outOfRange: OutOfRange;
}

/**
 * One RecordBatch v2 of committed records; read it with a RecordCursor. `bytes` stays valid while it is referenced, and was found
 * whole by its log (database or CRC): nobody above checks it again.
 */
export interface FetchedBatch extends TopicPartition {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  /** Records below this offset in the first batch after a seek are to be skipped. */
  readonly fetchOffset: number;
  /** Where the reader continues after this batch. */
  readonly nextOffset: number;
  readonly recordCount: number;
}

export interface ReaderOptions {
  /** Bytes one poll returns at most (one batch may exceed it); default 1 MiB. */
  readonly pollBytesMax?: number;
}

/** Reads committed records of the assigned partitions in offset order. Every call is synchronous. */
export interface Reader {
  /** Replaces the assignment; partitions that stay assigned at their present position lose nothing. */
  assign(partitions: readonly PartitionAssignment[]): void;
  /** What is there now, fairly over the partitions that are not paused; empty when nothing is. Throws `OFFSET_OUT_OF_RANGE` under "fail". */
  poll(): readonly FetchedBatch[];
  position(partition: TopicPartition): number;
  /** The stable end as this reader knows it, for lag; never ahead of the truth. */
  endOffset(partition: TopicPartition): number;
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  close(): Promise<void>;
}

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

export interface OffsetCommit extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

/** Store rows that go with a commit; keys are complete row keys. A deletion is a null value. */
export interface RowWrite {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface CommitRequest {
  /** Offsets of every task that took part, changed or not. */
  readonly offsets: readonly OffsetCommit[];
  /** Written in the same atomic step where the backend has `atomicRows`; must be empty elsewhere. */
  readonly rows: readonly RowWrite[];
}

export interface WriterOptions {
  /** The consumer group whose offsets this writer commits. */
  readonly group: string;
  /** Fences an older writer of the same id: its commits fail with `WRITER_FENCED`. */
  readonly transactionalId: string;
  /** The member of the group that the tasks were assigned to: where groups have generations, a commit under an old one fails. */
  readonly membership?: Membership;
}

/**
 * The transactional writer of one stream thread. `append` only fills builders; bytes leave at `commit`, or earlier when the
 * backend sends ahead, but never before the commit in flight is acknowledged. At most one commit is in flight; `append` may
 * go on meanwhile and belongs to the next one.
 */
export interface Writer {
  /** Makes the id ours and fences older writers of it. Must resolve before the first append. */
  initialize(): Promise<void>;
  /**
   * Key, value and headers are copied. Throws `RECORD_TOO_LARGE` (topic's limit) and `UNKNOWN_TOPIC` before anything is
   * changed. Timestamps must be whole milliseconds ≥ 0.
   */
  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: readonly RecordHeader[],
  ): void;
  /** Marks the point to which `rollback` returns; replaces the mark before it. O(1). */
  savepoint(): void;
  /** Takes back all appends since the savepoint. */
  rollback(): void;
  /** Bytes appended and not yet handed to a commit. */
  readonly bufferedBytes: number;
  /**
   * Outputs, offsets and rows together or not at all. Rejects with `COMMIT_UNKNOWN` when the outcome cannot be known,
   * `COMMIT_REFUSED` when it is known to have failed and the content is to blame, `WRITER_FENCED`, or `LOG_UNAVAILABLE`.
   * After any rejection the writer is dead: close it, make a new one, read the committed offsets, go on from there.
   */
  commit(request: CommitRequest): Promise<void>;
  /**
   * One past the last record that the latest commits of this writer wrote to the partition: what rows that follow a commit name as
   * their position in a changelog. Undefined where it is not known; then the position before stays true.
   */
  committedEnd?(partition: TopicPartition): number | undefined;
  close(): Promise<void>;
}

/** Non-transactional writing, for producers at the edge of the system (the world, HTTP ingest, tests). */
export interface Producer {
  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: readonly RecordHeader[],
  ): void;
  /** Everything appended so far is durable and visible in one step; base offsets by partition come back. */
  flush(): Promise<readonly AppendedRange[]>;
  readonly bufferedBytes: number;
  close(): Promise<void>;
}

export interface AppendedRange extends TopicPartition {
  readonly baseOffset: number;
  readonly count: number;
}

export interface MembershipOptions {
  readonly group: string;
  readonly memberId: string;
  readonly topics: readonly string[];
  /** Asked anew at each join; other members' assignors see it. At most 64 KiB. */
  readonly userData: () => Uint8Array;
  /** Pure: all members of a generation → who gets what. Runs on the leader. */
  readonly assign: (members: readonly MemberInfo[]) => readonly MemberAssignment[];
}

export interface MemberInfo {
  readonly memberId: string;
  readonly userData: Uint8Array;
}

export interface MemberAssignment {
  readonly memberId: string;
  /** Opaque to the log; the engine's assignor writes and reads it. */
  readonly assignment: Uint8Array;
}

export type MembershipEvent =
  /** The group prepares a new generation: finish and commit what is in flight, then call `rejoin`. */
  | { readonly kind: "rebalance" }
  | { readonly kind: "assigned"; readonly generation: number; readonly assignment: Uint8Array }
  /** Thrown out of the group: all tasks are lost, nothing may be committed under the old generation. */
  | { readonly kind: "lost" };

export interface Membership {
  join(): Promise<void>;
  /** The next event, if one is there; synchronous, called once a step. */
  poll(): MembershipEvent | undefined;
  rejoin(): Promise<void>;
  /** Another generation will follow the present one within moments: where a member has to ask for that, it asks more often for a while. */
  expectAnother?(): void;
  readonly generation: number;
  leave(): Promise<void>;
}

export interface LogCapabilities {
  /** Rows, blocks and offsets are written in one atomic batch: no changelogs needed. */
  readonly atomicRows: boolean;
}

/** For worker threads; structured-cloneable. */
export type LogShare = object;

export interface Log extends AsyncDisposable {
  readonly name: string;
  readonly capabilities: LogCapabilities;
  readonly topics: Topics;
  readonly offsets: Offsets;
  reader(options?: ReaderOptions): Reader;
  writer(options: WriterOptions): Writer;
  producer(): Producer;
  membership(options: MembershipOptions): Membership;
  /**
   * Fences whoever writes under the id and ends what it left open, now and not when the log would give it up; the caller does not write
   * under it. True when it is done; false when `wanted`, asked before each try, says no. Rejects with `LOG_FORBIDDEN` or
   * `LOG_UNAVAILABLE`. Only where a writer's transaction outlives its process.
   */
  fenceWriter?(transactionalId: string, wanted: () => boolean): Promise<boolean>;
  /** A number that grows whenever something new may be readable; cheap. */
  version(): number;
  /** Resolves when `version()` is above `since`; the host sets its own time limit beside it. */
  changed(since: number): Promise<void>;
  /** Deletes what retention allows and compacts; called by the host now and then. Bounded work per call. */
  maintain(now: number): Promise<void>;
  share(): LogShare | undefined;
  close(): Promise<void>;
}
