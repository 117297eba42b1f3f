/**
 * One partition of one subtopology at work. It takes one unit at a time, a record, a due timer or a punctuation, and runs it
 * depth-first to its end. What a unit did stays as a whole or, if it throws, not at all but for its dead letter.
 */
import assert from "node:assert/strict";
import { RecordRefusedError, type OffsetCommit, type RecordHeader } from "#log";
import type { SealedState, TaskState, TimerStore } from "#state";
import { TaskFailedError } from "../errors.ts";
import type { StreamThreadConfig } from "../runtime/thread.ts";
import type { Topic } from "../topic.ts";
import type { Subtopology } from "../topology/node.ts";
import { codeOf, deadLetterHeaders, deadLetterTopic, type UnitOrigin } from "./dead-letter.ts";
import { FailureWindow } from "./failure-window.ts";
import type { InputPartition } from "./input-partition.ts";
import type { Downstream } from "./node-context.ts";
import { encodePartitionTime } from "./offset-metadata.ts";
import type { Punctuation } from "./punctuation.ts";
import { buildGraph, type TaskGraph } from "./task-graph.ts";
import { taskName, type TaskId } from "./task-id.ts";
import { TaskScope, type TaskWriter } from "./task-scope.ts";
import { isUnitsFault } from "./unit-fault.ts";

export type TaskConfig = Pick<StreamThreadConfig, "applicationId" | "taskIdleMs" | "failureRatioMax" | "failureWindowRecords" | "freeze">;

/** A unit that is known to fail the commit: it goes to the dead letters without being run. */
export interface CondemnedUnit {
  readonly task: string;
  readonly origin: UnitOrigin;
  readonly error: Error;
}

export interface TaskOptions {
  readonly id: TaskId;
  readonly subtopology: Subtopology;
  readonly config: TaskConfig;
  readonly state: TaskState;
  readonly writer: TaskWriter;
  /** One per source topic that has this partition. */
  readonly inputs: readonly InputPartition[];
  /** Wall punctuations count from here. */
  readonly now: number;
  readonly partitionsOf: (topic: Topic<unknown, unknown>) => number;
  /** More is in the log than was fetched. */
  readonly hasLag: (input: InputPartition) => boolean;
  readonly condemned: readonly CondemnedUnit[];
}

/** What a task gives to a commit. */
export interface SealedTask {
  readonly state: SealedState;
  readonly offsets: readonly OffsetCommit[];
}

export interface TaskCounts {
  recordsProcessed: number;
  readonly deadLettersByCode: Map<string, number>;
}

const NO_HEADERS: readonly RecordHeader[] = [];
const NEVER = Infinity;

export class Task {
  readonly id: TaskId;
  readonly name: string;
  /** By topic name, so that the first of several lowest heads is the right one. */
  readonly inputs: readonly InputPartition[];
  readonly counts: TaskCounts = { recordsProcessed: 0, deadLettersByCode: new Map() };
  /** Something was done that the next commit has to carry. */
  tookPart = false;
  /** Given to somebody else: it takes nothing more, and what it did is still to be committed. */
  retired = false;
  readonly #options: TaskOptions;
  readonly #scope: TaskScope;
  readonly #graph: TaskGraph;
  readonly #starts: readonly (readonly Downstream[])[];
  readonly #timers: readonly TimerStore[];
  readonly #window: FailureWindow;
  readonly #stopsOnFailure: boolean;
  #lastUnitCondemned = false;
  /** The unit in hand, or the last one. */
  #timer: { readonly store: TimerStore; readonly key: string; readonly at: number } | undefined;
  #punctuation: Punctuation | undefined;
  #streamTimeBefore = -1;
  #partitionTimeBefore = -1;
  /** Until then an empty input is waited for; in the past once that was long enough, until all inputs have something again. */
  #idleDeadline = NEVER;
  /** A record waits for that deadline now. */
  #idles = false;

  constructor(options: TaskOptions) {
    const { id, subtopology, config, state, writer, partitionsOf } = options;
    this.id = id;
    this.name = taskName(id);
    this.#options = options;
    this.inputs = options.inputs.toSorted((a, b) => (a.topic.name < b.topic.name ? -1 : 1));
    assert(this.inputs.length > 0, `task ${this.name} has no input`);
    this.#scope = new TaskScope({ taskId: this.name, partition: id.partition, state, writer, freeze: config.freeze, partitionsOf });
    this.#scope.now = options.now;
    this.#scope.streamTime = Math.max(...this.inputs.map(({ partitionTime }) => partitionTime));
    this.#graph = buildGraph(subtopology, this.#scope);
    this.#starts = this.inputs.map(({ topic }) => this.#graph.starts.get(topic.name) ?? []);
    this.#timers = state.timers;
    this.#window = new FailureWindow({ units: config.failureWindowRecords, ratioMax: config.failureRatioMax });
    this.#stopsOnFailure = subtopology.sources.some(({ topic }) => topic.onFailure === "stop");
  }

  get state(): TaskState {
    return this.#scope.state;
  }

  get streamTime(): number {
    return this.#scope.streamTime;
  }

  get recordsSent(): number {
    return this.#scope.recordsSent;
  }

  /** Does up to `unitsMax` units and answers how many it did. Throws TaskFailedError, or what is not a unit's fault. */
  run(now: number, unitsMax: number): number {
    if (this.retired) return 0;
    this.#scope.now = now;
    for (const input of this.inputs) input.lagging = undefined;
    let units = 0;
    while (units < unitsMax && this.#next(now)) units++;
    return units;
  }

  /** When there is something to do by the clock alone. */
  nextDueAt(): number {
    if (this.retired) return NEVER;
    let due = this.#idles ? this.#idleDeadline : NEVER;
    for (const input of this.inputs) if (input.waiting) due = Math.min(due, input.waitsUntil);
    for (const store of this.#timers) if (store.clock === "wall") due = Math.min(due, store.peek()?.at ?? NEVER);
    for (const { clock, cancelled, due: at } of this.#scope.punctuations) if (clock === "wall" && !cancelled) due = Math.min(due, at);
    return due;
  }

  /** Hands everything done so far to a commit. Throws SerdeError and changes nothing when a value does not encode. */
  seal(): SealedTask {
    const state = this.#scope.state.seal(Math.max(0, this.#scope.streamTime));
    this.tookPart = false;
    return { state, offsets: this.inputs.map(offsetOf) };
  }

  /** The last unit, for whoever finds out later that it cannot be committed. */
  lastUnit(): UnitOrigin {
    return this.#origin();
  }

  get lastUnitCondemned(): boolean {
    return this.#lastUnitCondemned;
  }

  /** The last unit cannot be committed: undone and dead-lettered. Only while nothing was done or sealed since. */
  condemnLastUnit(error: Error): void {
    this.#undo();
    this.#bury(error);
  }

  close(): void {
    for (const processor of this.#graph.processors) processor.close?.();
    this.#scope.state.close();
  }

  #next(now: number): boolean {
    if (this.#timers.length > 0 && this.#fireTimer(now)) return true;
    if (this.#scope.punctuations.length > 0 && this.#firePunctuation(now)) return true;
    const chosen = this.#choose(now);
    if (chosen < 0) return false;
    this.#process(chosen);
    return true;
  }

  /** Index of the input with the lowest head; −1 when there is none, or while an empty input may still bring an older record. */
  #choose(now: number): number {
    const { inputs } = this;
    let lowest = -1;
    let lowestTimestamp = NEVER;
    let empty = false;
    for (let index = 0; index < inputs.length; index++) {
      const input = inputs[index] as InputPartition; // in bounds
      if (!input.prepare(now)) empty = true;
      else if (lowest < 0 || input.headTimestamp < lowestTimestamp) {
        lowest = index;
        lowestTimestamp = input.headTimestamp;
      }
    }
    this.#idles = false;
    if (!empty) this.#idleDeadline = NEVER;
    else if (lowest >= 0 && !this.#mayGoOn(now)) return -1;
    return lowest;
  }

  #mayGoOn(now: number): boolean {
    const { taskIdleMs } = this.#options.config;
    if (taskIdleMs < 0) return true;
    for (const input of this.inputs) {
      // Who waits for others than the log holds up nobody but itself.
      if (input.prepare(now) || input.waiting) continue;
      input.lagging ??= this.#options.hasLag(input);
      if (input.lagging) {
        this.#idleDeadline = NEVER;
        return false;
      }
    }
    if (taskIdleMs === 0) return true;
    if (this.#idleDeadline === NEVER) this.#idleDeadline = now + taskIdleMs;
    this.#idles = now < this.#idleDeadline;
    return !this.#idles;
  }

  #begin(input: InputPartition | undefined, timestamp: number): void {
    const scope = this.#scope;
    scope.savepoint();
    scope.input = input;
    scope.timestamp = timestamp;
    this.#streamTimeBefore = scope.streamTime;
    this.#timer = undefined;
    this.#punctuation = undefined;
  }

  #process(index: number): void {
    const input = this.inputs[index] as InputPartition; // chosen from them
    const scope = this.#scope;
    const { record } = input;
    this.#begin(input, record.timestamp);
    this.#partitionTimeBefore = input.partitionTime;
    input.take();
    this.tookPart = true;
    this.counts.recordsProcessed++;
    // Asked for in any case: the thread has to learn that even the dead letter of this record was refused.
    const condemnation = this.#condemnation();
    const failure = input.failure ?? condemnation;
    if (failure !== undefined) return this.condemnLastUnit(failure);
    if (record.timestamp > input.partitionTime) input.partitionTime = record.timestamp;
    if (record.timestamp > scope.streamTime) scope.streamTime = record.timestamp;
    try {
      for (const start of this.#starts[index] as readonly Downstream[]) start.process(record);
    } catch (error) {
      return this.#fail(error);
    }
    this.#window.succeeded();
  }

  /** The due timer that comes first by (due, store, key), if there is one. */
  #fireTimer(now: number): boolean {
    const scope = this.#scope;
    let first: TimerStore | undefined;
    let at = NEVER;
    for (const store of this.#timers) {
      const entry = store.peek();
      if (entry === undefined || entry.at >= at || entry.at > (store.clock === "stream" ? scope.streamTime : now)) continue;
      first = store;
      at = entry.at;
    }
    const key = first?.peek()?.key;
    if (first === undefined || key === undefined) return false;
    this.#begin(undefined, at);
    this.#timer = { store: first, key, at };
    this.tookPart = true;
    first.cancel(key);
    const handler = scope.timerHandlers.get(first.name);
    assert(handler, `timer store ${first.name} has no handler`);
    this.#attempt(() => handler(key, at));
    return true;
  }

  #firePunctuation(now: number): boolean {
    const scope = this.#scope;
    const { punctuations } = scope;
    let first: Punctuation | undefined;
    for (let index = punctuations.length - 1; index >= 0; index--) {
      const each = punctuations[index] as Punctuation; // in bounds
      if (each.cancelled) punctuations.splice(index, 1);
      else if (each.due <= (each.clock === "stream" ? scope.streamTime : now) && (first === undefined || each.due <= first.due))
        first = each;
    }
    if (first === undefined) return false;
    const at = first.clock === "stream" ? scope.streamTime : now;
    this.#begin(undefined, at);
    this.#punctuation = first;
    first.advance(at);
    const sentBefore = scope.recordsSent;
    const { callback } = first;
    this.#attempt(() => callback(at));
    // One that only looked has nothing to commit.
    if (scope.recordsSent !== sentBefore || scope.state.dirty) this.tookPart = true;
    return true;
  }

  /** A timer or a punctuation: there are few of them, so a closure is no matter. */
  #attempt(work: () => void): void {
    const failure = this.#condemnation();
    if (failure !== undefined) return this.condemnLastUnit(failure);
    try {
      work();
    } catch (error) {
      return this.#fail(error);
    }
    this.#window.succeeded();
  }

  #condemnation(): Error | undefined {
    const { condemned } = this.#options;
    if (condemned.length === 0) return undefined;
    const origin = this.#origin();
    const error = condemned.find((unit) => unit.task === this.name && sameUnit(unit.origin, origin))?.error;
    this.#lastUnitCondemned = error !== undefined;
    return error;
  }

  #fail(error: unknown): void {
    this.#undo();
    if (!isUnitsFault(error)) throw error;
    this.#bury(error);
  }

  #undo(): void {
    const scope = this.#scope;
    scope.rollback();
    scope.streamTime = this.#streamTimeBefore;
    if (scope.input !== undefined) scope.input.partitionTime = this.#partitionTimeBefore;
  }

  /** What is left of the unit in hand is its dead letter. */
  #bury(error: unknown): void {
    const { input } = this.#scope;
    const stops = input === undefined ? this.#stopsOnFailure : input.topic.onFailure === "stop";
    if (stops) throw this.#failed("TASK_FAILED", "its source says that a failure stops the task", error);
    // A timer that fails does not fire again.
    this.#timer?.store.cancel(this.#timer.key);
    this.#deadLetter(error);
    this.tookPart = true;
    if (this.#window.failed()) return;
    const { failureWindowRecords } = this.#options.config;
    throw this.#failed("FAILURE_RATIO", `${this.#window.failures} of the last ${failureWindowRecords} failed, this one last`, error);
  }

  #deadLetter(error: unknown): void {
    const { input } = this.#scope;
    const origin = this.#origin();
    const code = codeOf(error, "PROCESSOR_FAILED");
    const original = input === undefined || input.cursor.headerCount === 0 ? NO_HEADERS : input.cursor.headers();
    const headers = deadLetterHeaders({ error, code, task: this.name, origin, headers: original });
    const key = input === undefined ? unitKey(origin) : input.keyBytes();
    const value = input === undefined ? null : input.valueBytes();
    const timestamp = Math.max(0, input === undefined ? this.#scope.timestamp : input.cursor.timestamp);
    const topic = deadLetterTopic(this.#options.config.applicationId);
    this.#scope.timestamp = timestamp;
    try {
      this.#scope.append(topic, 0, timestamp, key, value, headers);
    } catch (refused) {
      // Above the limit of the dead letters too: where it came from is told, the bytes are still in the source topic.
      if (!(refused instanceof RecordRefusedError)) throw refused;
      this.#scope.append(topic, 0, timestamp, key === null ? null : key.subarray(0, 1024), null, headers.slice(original.length));
    }
    this.counts.deadLettersByCode.set(code, (this.counts.deadLettersByCode.get(code) ?? 0) + 1);
  }

  #origin(): UnitOrigin {
    const { input, timestamp } = this.#scope;
    if (input !== undefined) return { kind: "record", topic: input.topic.name, partition: input.partition, offset: input.cursor.offset };
    if (this.#timer !== undefined) return { kind: "timer", store: this.#timer.store.name, key: this.#timer.key, at: this.#timer.at };
    assert(this.#punctuation, `task ${this.name} has nothing in hand`);
    return { kind: "punctuation", name: this.#punctuation.name, at: timestamp };
  }

  #failed(code: "TASK_FAILED" | "FAILURE_RATIO", reason: string, cause: unknown): TaskFailedError {
    const origin = this.#origin();
    const what = cause instanceof Error ? cause.message : String(cause);
    const where = origin.kind === "record" ? { topic: origin.topic, partition: origin.partition, offset: origin.offset } : {};
    return new TaskFailedError(code, `Task ${this.name} stops at ${describe(origin)}: ${reason}. ${what}`, {
      task: this.name,
      ...where,
      cause,
    });
  }
}

function offsetOf({ topic, partition, position, partitionTime }: InputPartition): OffsetCommit {
  return { topic: topic.name, partition, offset: position, metadata: encodePartitionTime(partitionTime) };
}

function unitKey(origin: UnitOrigin): Buffer | null {
  return origin.kind === "timer" ? Buffer.from(origin.key) : null;
}

/** Punctuations are not durable: the next firing of the same name is the same unit. */
function sameUnit(a: UnitOrigin, b: UnitOrigin): boolean {
  if (a.kind === "record") return b.kind === "record" && a.topic === b.topic && a.partition === b.partition && a.offset === b.offset;
  if (a.kind === "timer") return b.kind === "timer" && a.store === b.store && a.key === b.key && a.at === b.at;
  return b.kind === "punctuation" && a.name === b.name;
}

function describe(origin: UnitOrigin): string {
  if (origin.kind === "record") return `${origin.topic}/${origin.partition}, offset ${origin.offset}`;
  return origin.kind === "timer" ? `timer ${origin.store} of ${origin.key} at ${origin.at}` : `punctuation ${origin.name} at ${origin.at}`;
}
