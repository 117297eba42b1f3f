/** Writes records to one topic for one task: encodes key and value once, into the task's scratch memory, and partitions them. */
import type { RecordHeader } from "#log";
import { deepFreeze } from "#state";
import assert from "node:assert/strict";
import { RecordFailedError } from "../errors.ts";
import { partitionFor } from "../partition-for.ts";
import type { Sink, StreamRecord } from "../processor.ts";
import type { Topic } from "../topic.ts";
import type { TaskScope } from "./task-scope.ts";
import { traceHeadersOf } from "./trace-headers.ts";

interface SendOptions {
  readonly timestamp?: number;
  readonly headers?: readonly RecordHeader[];
  readonly partition?: number;
}

export class TopicSink implements Sink<unknown, unknown> {
  readonly partitions: number;
  readonly #topic: Topic<unknown, unknown>;
  readonly #scope: TaskScope;

  constructor(topic: Topic<unknown, unknown>, scope: TaskScope) {
    this.#topic = topic;
    this.#scope = scope;
    this.partitions = scope.partitionsOf(topic);
  }

  send(key: unknown, value: unknown, options?: SendOptions): void {
    const timestamp = options?.timestamp ?? this.#scope.timestamp;
    const headers = options?.headers ?? this.#traceHeaders();
    this.#write(key, value, timestamp, headers, options?.partition);
  }

  /** The end of a stream (`to`): headers travel on. */
  process(record: StreamRecord<unknown, unknown>): void {
    this.#write(record.key, record.value, record.timestamp, record.headers.length === 0 ? undefined : record.headers, undefined);
  }

  /** Of the record in hand: whoever follows it finds what came of it. */
  #traceHeaders(): readonly RecordHeader[] | undefined {
    const { input } = this.#scope;
    return input === undefined ? undefined : traceHeadersOf(input.record.headers);
  }

  #write(key: unknown, value: unknown, timestamp: number, headers: readonly RecordHeader[] | undefined, partition?: number): void {
    const scope = this.#scope;
    const topic = this.#topic;
    assert(scope.open, "nothing can be sent before the task has been built");
    if (key === null || key === undefined)
      throw new RecordFailedError("INVALID_KEY", `A record for topic ${topic.name} has no key.`, { topic: topic.name, task: scope.taskId });
    if (scope.freeze) deepFreeze(value);
    for (;;) {
      const { scratch } = scope;
      const keyEnd = topic.key.encode(key, scratch, 0);
      const end = keyEnd > scratch.length || value === null ? keyEnd : topic.value.encode(value, scratch, keyEnd);
      if (end > scratch.length) {
        scope.growScratch(end);
        continue;
      }
      const keyBytes = scratch.subarray(0, keyEnd);
      const to = partition === undefined ? partitionFor(topic, key, keyBytes, this.partitions) : this.#checked(partition);
      scope.append(topic.name, to, timestamp, keyBytes, value === null ? null : scratch.subarray(keyEnd, end), headers);
      return;
    }
  }

  #checked(partition: number): number {
    if (Number.isInteger(partition) && partition >= 0 && partition < this.partitions) return partition;
    throw new RecordFailedError(
      "PARTITION_INVALID",
      `Partition ${partition} was asked for in topic ${this.#topic.name}, which has 0 to ${this.partitions - 1}.`,
      { topic: this.#topic.name, task: this.#scope.taskId },
    );
  }
}
