/**
 * Stores that are kept in memory beside the threads that write them: read from committed rows when a task opens, then as its commits
 * are told. A task that closes, moves or dies takes its partitions out again.
 */
import assert from "node:assert/strict";
import type { CommittedOffset } from "#log";
import type { StoreKey } from "#state";
import type { Topology } from "../dsl/builder.ts";
import { turnOfLoop } from "../runtime/defaults.ts";
import type { TaskId } from "../task/task-id.ts";
import type { Subtopology } from "../topology/node.ts";
import type { CommittedView, InputPosition } from "./committed-view.ts";
import { isPlain, type PlainDescriptor } from "./plain-rows.ts";
import { fedRows, type RowFeedMessage } from "./row-feed.ts";

/** Who keeps a store's rows. Called synchronously; keys and values are decoded and belong to it. */
export interface RowSink {
  put(partition: number, key: StoreKey, value: unknown): void;
  delete(partition: number, key: StoreKey): void;
  /** Forget everything of the partition. */
  clear(partition: number): void;
  /** What made a partition fall out, which has been cleared. */
  failed(error: unknown): void;
}

export interface CommittedFeedOptions {
  readonly topology: Topology;
  /** Of the same topology; with `log` and `group`. */
  readonly view: CommittedView;
  /** Key-value stores. */
  readonly stores: readonly string[];
}

/** Rows that are read at once when a task opens. */
const SCAN_ROWS = 500;

interface Followed {
  readonly name: string;
  readonly descriptor: PlainDescriptor;
  readonly subtopology: Subtopology;
  sink: RowSink | undefined;
  /** By partition; another object once its task has been opened again. */
  readonly open: Map<number, OpenTask>;
  /** Partitions whose rows are all in the sink. */
  readonly whole: Set<number>;
  /** Partitions whose positions could not be asked for: once more at their next commit. */
  readonly unasked: Set<number>;
}

interface OpenTask {
  readonly id: TaskId;
  readonly thread: number;
}

export class CommittedFeed implements AsyncDisposable {
  readonly stores: readonly string[];
  readonly #options: CommittedFeedOptions;
  readonly #followed: readonly Followed[];
  /** Of the inputs of open tasks, by topic and partition: as new as the rows in the sinks at least. */
  readonly #positions = new Map<string, CommittedOffset>();
  /** One scan after the other. */
  #scans: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: CommittedFeedOptions) {
    this.#options = options;
    this.stores = options.stores;
    this.#followed = options.stores.map((name) => followedOf(options.topology, name));
  }

  /** From now on the sink has the store's rows, as soon as they are read; until what is returned is called. One at a time for each store. */
  attach(store: string, sink: RowSink): () => void {
    const followed = this.#followed.find(({ name }) => name === store);
    assert(followed !== undefined && followed.sink === undefined, `${store} is none of the feed's stores, or has its sink already`);
    followed.sink = sink;
    for (const task of followed.open.values()) this.#scan(followed, task);
    return () => {
      followed.whole.clear();
      if (followed.sink === sink) followed.sink = undefined;
    };
  }

  /** Undefined while not all rows of the partition are in the sink; else how far the inputs were processed that they come from. */
  positions(store: string, partition: number): readonly InputPosition[] | undefined {
    const followed = this.#followed.find(({ name }) => name === store);
    if (followed?.whole.has(partition) !== true) return undefined;
    const sources = followed.subtopology.sources.filter(({ topic }) => partition < topic.partitions);
    return sources.map(({ topic: { name } }) => ({ topic: name, partition, committed: this.#positions.get(placeOf(name, partition)) }));
  }

  /** Whether all rows of the partition are in the sink. */
  whole(store: string, partition: number): boolean {
    for (const { name, whole } of this.#followed) if (name === store) return whole.has(partition);
    return false;
  }

  /** All partitions of the store are in its sink. */
  complete(store: string): boolean {
    const followed = this.#followed.find(({ name }) => name === store);
    return followed !== undefined && followed.whole.size === followed.subtopology.partitions;
  }

  /** Resolves when the scans that were begun are over. */
  get settled(): Promise<void> {
    return this.#scans;
  }

  hear(thread: number, message: RowFeedMessage): void {
    if (this.#closed) return;
    switch (message.kind) {
      case "opened":
        this.#opened({ id: message.task, thread });
        break;
      case "closed":
        this.#forget(message.task);
        break;
      case "committed":
        this.#committed(message);
        break;
      default:
        message satisfies never;
    }
  }

  /** Whatever the thread had not told is not known. */
  threadGone(thread: number): void {
    this.#forgetAll((task) => task.thread === thread);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#forgetAll(() => true);
    await this.#scans;
  }

  #opened(task: OpenTask): void {
    this.#forget(task.id);
    for (const followed of this.#storesOf(task.id)) {
      followed.open.set(task.id.partition, task);
      if (followed.sink !== undefined) this.#scan(followed, task);
    }
  }

  #forgetAll(which: (task: OpenTask) => boolean): void {
    for (const { open } of this.#followed) for (const task of open.values()) if (which(task)) this.#forget(task.id);
  }

  #forget(id: TaskId): void {
    for (const { open, whole, sink, subtopology } of this.#storesOf(id)) {
      if (!open.delete(id.partition)) continue;
      whole.delete(id.partition);
      sink?.clear(id.partition);
      for (const { topic } of subtopology.sources) this.#positions.delete(placeOf(topic.name, id.partition));
    }
  }

  #committed({ offsets, rows }: Extract<RowFeedMessage, { readonly kind: "committed" }>): void {
    for (const row of fedRows(rows)) {
      const followed = this.#followed[row.store];
      assert(followed !== undefined, "a thread tells of the feed's stores");
      const { sink, descriptor, open, subtopology } = followed;
      const { partition, bytes, keyStart, keyEnd, valueEnd } = row;
      if (sink === undefined || !open.has(partition)) continue;
      try {
        const key = descriptor.key.decode(bytes, keyStart, keyEnd);
        if (valueEnd < 0) sink.delete(partition, key);
        else sink.put(partition, key, descriptor.value.decode(bytes, keyEnd, valueEnd));
      } catch (error) {
        this.#forget({ subtopology: subtopology.index, partition });
        sink.failed(error);
      }
    }
    for (const { topic, partition, offset, metadata } of offsets) {
      this.#reach(topic, partition, { offset, metadata });
      this.#askAgain(partition);
    }
  }

  #askAgain(partition: number): void {
    for (const followed of this.#followed) {
      const task = followed.open.get(partition);
      if (followed.unasked.delete(partition) && task !== undefined) this.#scan(followed, task);
    }
  }

  /** Positions grow: a scan may have seen more than what is told after it. */
  #reach(topic: string, partition: number, committed: CommittedOffset): void {
    const place = placeOf(topic, partition);
    if ((this.#positions.get(place)?.offset ?? -1) <= committed.offset) this.#positions.set(place, committed);
  }

  #scan(followed: Followed, task: OpenTask): void {
    this.#scans = this.#scans
      .then(() => this.#read(followed, task))
      .catch((error: unknown) => {
        this.#forget(task.id);
        followed.sink?.failed(error);
      });
  }

  /** Rows that are told while it reads are older than what it reads after them, or the same. */
  async #read(followed: Followed, task: OpenTask): Promise<void> {
    const { name, sink, whole } = followed;
    const { partition } = task.id;
    const gone = (): boolean => followed.open.get(partition) !== task;
    if (sink === undefined || gone()) return;
    // Positions first: rows are then at least as new.
    const positions = await this.#options.view.position(name, partition).catch(() => undefined);
    if (positions === undefined) {
      followed.unasked.add(partition);
      return;
    }
    let from: StoreKey | undefined;
    for (let full = true; full;) {
      if (gone() || followed.sink !== sink) return;
      const rows = this.#options.view.range(name, { partition, limit: SCAN_ROWS, ...(from === undefined ? {} : { from }) });
      for (const { key, value } of rows) sink.put(partition, key, value);
      from = rows.at(-1)?.key;
      full = rows.length === SCAN_ROWS;
      if (full) await turnOfLoop();
    }
    for (const { topic, committed } of positions) if (committed !== undefined) this.#reach(topic, partition, committed);
    if (followed.sink === sink) whole.add(partition);
  }

  #storesOf({ subtopology }: TaskId): readonly Followed[] {
    return this.#followed.filter((followed) => followed.subtopology.index === subtopology);
  }
}

function followedOf({ subtopologies }: Topology, name: string): Followed {
  for (const subtopology of subtopologies) {
    const descriptor = subtopology.stores.find((store) => store.name === name);
    if (descriptor === undefined) continue;
    assert(isPlain(descriptor), `${name} is a ${descriptor.kind} store: only key-value stores are followed`);
    return { name, descriptor, subtopology, sink: undefined, open: new Map(), whole: new Set(), unasked: new Set() };
  }
  throw new assert.AssertionError({ message: `the topology has no store ${name}` });
}

function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
