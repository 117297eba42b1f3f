/** What one processor of one task is handed: its children, stores, sinks, timers and punctuations. */
import assert from "node:assert/strict";
import type { StoreDescriptor, StoreOf, TimersDescriptor } from "#state";
import { StreamsError, TopologyError } from "../errors.ts";
import type { Cancellable, ProcessorContext, RecordMetadata, Sink, StreamRecord } from "../processor.ts";
import type { Topic } from "../topic.ts";
import type { ProcessorNode } from "../topology/node.ts";
import { Punctuation, type PunctuationOptions } from "./punctuation.ts";
import type { TaskScope } from "./task-scope.ts";
import { TopicSink } from "./topic-sink.ts";

/** A processor or the end of a stream. */
export interface Downstream {
  process(record: StreamRecord<unknown, unknown>): void;
}

export class NodeContext implements ProcessorContext<unknown, unknown> {
  readonly taskId: string;
  readonly partition: number;
  readonly #node: ProcessorNode;
  readonly #scope: TaskScope;
  readonly #children: Downstream[] = [];
  readonly #childByName = new Map<string, Downstream>();

  constructor(node: ProcessorNode, scope: TaskScope) {
    this.taskId = scope.taskId;
    this.partition = scope.partition;
    this.#node = node;
    this.#scope = scope;
  }

  /** Called while the task is built. */
  addChild(name: string, child: Downstream): void {
    this.#children.push(child);
    this.#childByName.set(name, child);
  }

  forward(record: StreamRecord<unknown, unknown>, child?: string): void {
    const scope = this.#scope;
    assert(scope.open, "nothing can be forwarded before the task has been built");
    const before = scope.timestamp;
    scope.timestamp = record.timestamp;
    if (child === undefined) for (const each of this.#children) each.process(record);
    else this.#child(child).process(record);
    scope.timestamp = before;
  }

  store<D extends StoreDescriptor>(descriptor: D): StoreOf<D> {
    const { stores } = this.#node;
    if (!stores.some(({ name }) => name === descriptor.name))
      throw this.#notConnected(
        "STORE_NOT_CONNECTED",
        `store ${descriptor.name}`,
        "stores",
        stores.map(({ name }) => name),
      );
    return this.#scope.state.store(descriptor);
  }

  sink<K, V>(topic: Topic<K, V>): Sink<K, V> {
    const { sinks } = this.#node;
    const declared = sinks.find(({ name }) => name === topic.name);
    if (declared === undefined)
      throw this.#notConnected(
        "SINK_NOT_CONNECTED",
        `topic ${topic.name}`,
        "sinks",
        sinks.map(({ name }) => name),
      );
    return new TopicSink(declared, this.#scope);
  }

  onTimer(timers: TimersDescriptor, handler: (key: string, at: number) => void): void {
    this.store(timers);
    const { timerHandlers, taskId } = this.#scope;
    if (timerHandlers.has(timers.name))
      throw new TopologyError("TOPOLOGY_INVALID", [`timer store ${timers.name} has more than one handler`], { task: taskId });
    timerHandlers.set(timers.name, handler);
  }

  punctuate(options: PunctuationOptions, callback: (at: number) => void): Cancellable {
    const punctuation = new Punctuation(options, this.#scope.now, callback);
    this.#scope.punctuations.push(punctuation);
    return punctuation;
  }

  streamTime(): number {
    return this.#scope.streamTime;
  }

  recordMetadata(): RecordMetadata | undefined {
    return this.#scope.metadata();
  }

  #child(name: string): Downstream {
    const child = this.#childByName.get(name);
    if (child !== undefined) return child;
    const known = [...this.#childByName.keys()].join(", ");
    throw new StreamsError("CHILD_UNKNOWN", `${this.#node.name} has no child ${name}; it has ${known === "" ? "none" : known}.`, {
      node: this.#node.name,
      task: this.taskId,
    });
  }

  #notConnected(
    code: "STORE_NOT_CONNECTED" | "SINK_NOT_CONNECTED",
    what: string,
    list: "stores" | "sinks",
    declared: readonly string[],
  ): StreamsError {
    const { name } = this.#node;
    return new StreamsError(
      code,
      `${name} asks for ${what}, which is not among its ${list} (${declared.join(", ")}). Name it where the step is declared.`,
      { node: name, task: this.taskId },
    );
  }
}
