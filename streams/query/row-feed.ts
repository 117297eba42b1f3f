/**
 * What a stream thread tells of the rows it has committed, for whoever keeps some stores in memory beside it. Contract and bytes only:
 * `CommittedFeed` listens.
 */
import type { OffsetCommit, RowWrite } from "#log";
import { ROW_PREFIX_BYTES } from "#state";
import type { Topology } from "../dsl/builder.ts";
import type { TaskId } from "../task/task-id.ts";

/** Structured-cloneable. */
export type RowFeedMessage =
  /** All rows of the task's stores are in the database, and each change of them is told from now on. */
  | { readonly kind: "opened"; readonly task: TaskId }
  | { readonly kind: "closed"; readonly task: TaskId }
  /** `rows` has a buffer of its own and may be transferred; its rows are as new as `offsets`. */
  | { readonly kind: "committed"; readonly offsets: readonly OffsetCommit[]; readonly rows: Uint8Array<ArrayBuffer> };

export interface RowFeed {
  /** Key-value stores that are told of. */
  readonly stores: readonly string[];
  readonly tell: (message: RowFeedMessage) => void;
}

/** One changed row. `value` is undefined for one that was deleted; bytes are views. */
export interface FedRow {
  /** Place in the feed's `stores`. */
  readonly store: number;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Below 0: deleted. */
  readonly valueEnd: number;
}

const HEAD_BYTES = 16;
const DELETED = -1;

/** A thread's side. */
export class RowTap {
  readonly #feed: RowFeed;
  readonly #places = new Map<number, number>();
  readonly #subtopologies = new Set<number>();
  readonly #topics = new Set<string>();

  constructor(feed: RowFeed, { subtopologies }: Topology, storeIds: ReadonlyMap<string, number>) {
    this.#feed = feed;
    for (const [place, store] of feed.stores.entries()) this.#places.set(storeIds.get(store) ?? -1, place);
    for (const { index, stores, sources } of subtopologies) {
      if (!stores.some(({ name }) => feed.stores.includes(name))) continue;
      this.#subtopologies.add(index);
      for (const { topic } of sources) this.#topics.add(topic.name);
    }
  }

  opened(task: TaskId): void {
    if (this.#subtopologies.has(task.subtopology)) this.#feed.tell({ kind: "opened", task });
  }

  closed(task: TaskId): void {
    if (this.#subtopologies.has(task.subtopology)) this.#feed.tell({ kind: "closed", task });
  }

  /** Bytes of what `told` is called with once the commit has been acknowledged; undefined when it concerns nobody. */
  sealed(rows: readonly RowWrite[], offsets: readonly OffsetCommit[]): RowFeedMessage | undefined {
    const concerned = offsets.filter(({ topic }) => this.#topics.has(topic));
    return concerned.length === 0 ? undefined : { kind: "committed", offsets: concerned, rows: this.#packed(rows) };
  }

  committed(message: RowFeedMessage): void {
    this.#feed.tell(message);
  }

  #packed(rows: readonly RowWrite[]): Uint8Array<ArrayBuffer> {
    let size = 0;
    for (let index = 0; index < rows.length; index++) {
      const { key, value } = rows[index] as RowWrite; // in bounds
      if (this.#placeOf(key) !== undefined) size += HEAD_BYTES + key.length - ROW_PREFIX_BYTES + (value?.length ?? 0);
    }
    const packed = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (let index = 0; index < rows.length; index++) {
      const { key, value } = rows[index] as RowWrite; // in bounds
      const place = this.#placeOf(key);
      if (place === undefined) continue;
      packed.writeUInt32LE(place, at);
      packed.writeUInt32LE(uint32(key, 4), at + 4);
      packed.writeUInt32LE(key.length - ROW_PREFIX_BYTES, at + 8);
      packed.writeInt32LE(value?.length ?? DELETED, at + 12);
      packed.set(key.subarray(ROW_PREFIX_BYTES), at + HEAD_BYTES);
      at += HEAD_BYTES + key.length - ROW_PREFIX_BYTES;
      if (value === null) continue;
      packed.set(value, at);
      at += value.length;
    }
    return packed;
  }

  #placeOf(key: Uint8Array): number | undefined {
    return this.#places.get(uint32(key, 0));
  }
}

/** In the order in which they were written. */
export function* fedRows(rows: Uint8Array<ArrayBuffer>): Generator<FedRow> {
  const bytes = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
  for (let at = 0; at < bytes.length;) {
    const keyStart = at + HEAD_BYTES;
    const keyEnd = keyStart + bytes.readUInt32LE(at + 8);
    const length = bytes.readInt32LE(at + 12);
    const valueEnd = length === DELETED ? DELETED : keyEnd + length;
    yield { store: bytes.readUInt32LE(at), partition: bytes.readUInt32LE(at + 4), bytes, keyStart, keyEnd, valueEnd };
    at = length === DELETED ? keyEnd : valueEnd;
  }
}

/** Row keys are big-endian. */
function uint32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}
