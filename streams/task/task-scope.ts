/** What all nodes of one task share while a unit of work is in hand. */
import type { RecordHeader, Writer } from "#log";
import type { TaskState } from "#state";
import type { RecordMetadata } from "../processor.ts";
import type { Topic } from "../topic.ts";
import type { InputPartition } from "./input-partition.ts";
import type { Punctuation } from "./punctuation.ts";

const SCRATCH_BYTES = 16 * 1024;

/** The part of a Writer that a task uses; the thread commits. */
export type TaskWriter = Pick<Writer, "append" | "savepoint" | "rollback">;

export interface TaskScopeOptions {
  readonly taskId: string;
  readonly partition: number;
  readonly state: TaskState;
  readonly writer: TaskWriter;
  readonly freeze: boolean;
  /** How many partitions a topic has; a test driver may have fewer than declared. */
  readonly partitionsOf: (topic: Topic<unknown, unknown>) => number;
}

export class TaskScope {
  readonly taskId: string;
  readonly partition: number;
  readonly state: TaskState;
  readonly freeze: boolean;
  readonly partitionsOf: (topic: Topic<unknown, unknown>) => number;
  readonly punctuations: Punctuation[] = [];
  readonly timerHandlers = new Map<string, (key: string, at: number) => void>();
  /** Of the record, timer or punctuation in hand. */
  timestamp = -1;
  /** Undefined inside timers and punctuations. */
  input: InputPartition | undefined;
  streamTime = -1;
  /** The thread's latest clock. */
  now = 0;
  recordsSent = 0;
  #recordsSentBefore = 0;
  /** Until all nodes exist nothing can be forwarded or sent. */
  open = false;
  scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #writer: TaskWriter;

  constructor(options: TaskScopeOptions) {
    this.taskId = options.taskId;
    this.partition = options.partition;
    this.state = options.state;
    this.freeze = options.freeze;
    this.partitionsOf = options.partitionsOf;
    this.#writer = options.writer;
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: readonly RecordHeader[],
  ): void {
    this.#writer.append(topic, partition, timestamp, key, value, headers);
    this.recordsSent++;
  }

  savepoint(): void {
    this.state.savepoint();
    this.#writer.savepoint();
    this.#recordsSentBefore = this.recordsSent;
  }

  rollback(): void {
    this.state.rollback();
    this.#writer.rollback();
    this.recordsSent = this.#recordsSentBefore;
  }

  growScratch(bytes: number): void {
    this.scratch = Buffer.allocUnsafeSlow(Math.max(bytes, this.scratch.length * 2));
  }

  metadata(): RecordMetadata | undefined {
    const { input } = this;
    if (input === undefined) return undefined;
    return { topic: input.topic.name, partition: input.partition, offset: input.cursor.offset };
  }
}
