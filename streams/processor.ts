/** The Processor API: what a user of the engine writes, and what he is handed. Contract only. */
import type { RecordHeader } from "#log";
import type { StoreDescriptor, StoreOf, TimersDescriptor } from "#state";
import type { Topic } from "./topic.ts";

export interface StreamRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

/** Where the record in hand came from; undefined inside timers and punctuations. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * Synchronous and deterministic: no clock, no randomness, no I/O. What it throws rolls back everything the record did and
 * sends it to the dead letters (or stops the task, as the source topic says).
 */
export interface Processor<K, V> {
  process(record: StreamRecord<K, V>): void;
  /** Called once when the task closes. */
  close?(): void;
}

/** Called once per task, before any record; handles are taken here and kept. */
export type ProcessorSupplier<KIn, VIn, KOut = never, VOut = never> = (context: ProcessorContext<KOut, VOut>) => Processor<KIn, VIn>;

export interface ProcessorContext<KOut, VOut> {
  readonly taskId: string;
  readonly partition: number;
  /** To all children, or the named one; depth-first, now. */
  forward(record: StreamRecord<KOut, VOut>, child?: string): void;
  /** A store that this processor declared. Throws `STORE_NOT_CONNECTED` otherwise. */
  store<D extends StoreDescriptor>(descriptor: D): StoreOf<D>;
  /** A topic that this processor declared among its `sinks`. Throws `SINK_NOT_CONNECTED` otherwise. */
  sink<K, V>(topic: Topic<K, V>): Sink<K, V>;
  /** What to do when a timer of this store fires. Exactly one handler per timer store in the whole subtopology. */
  onTimer(timers: TimersDescriptor, handler: (key: string, at: number) => void): void;
  /** Not durable; set up anew at each start. Stream time: grid aligned to 0. Wall: first at start + interval. After a gap it fires once. */
  punctuate(
    options: { readonly name: string; readonly clock: "stream" | "wall"; readonly intervalMs: number },
    callback: (at: number) => void,
  ): Cancellable;
  /** Largest timestamp this task has taken so far; −1 before the first. */
  streamTime(): number;
  recordMetadata(): RecordMetadata | undefined;
}

export interface Sink<K, V> {
  /** Timestamp defaults to that of the record or timer in hand, headers to its trace context (`traceparent`, `tracestate`, `baggage`). `partition` overrides the topic's partitioner (a task writing to its own partition, or to each). */
  send(
    key: K,
    value: V,
    options?: { readonly timestamp?: number; readonly headers?: readonly RecordHeader[]; readonly partition?: number },
  ): void;
  readonly partitions: number;
}

export interface Cancellable {
  cancel(): void;
}
