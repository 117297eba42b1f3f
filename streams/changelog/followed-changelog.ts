/** One changelog partition that is read into rows: where its rows are, how far they have come, and how a record becomes a row. */
import type { Disk, DiskBatch } from "#disk";
import type { FetchedBatch, RecordBatchCursor, TopicPartition } from "#log";
import { localPrefixBytes, prefixEnd, ROW_PREFIX_BYTES, rowPrefix, writeLocalPrefix, type StoreDescriptor } from "#state";
import type { ChangelogBounds } from "./changelog-bounds.ts";
import { changelogPositionKey, putPosition, readPosition } from "./position-rows.ts";
import { restorePlan, type RestorePlan } from "./restore-plan.ts";

export interface FollowedChangelogOptions {
  readonly disk: Disk;
  readonly bounds: ChangelogBounds;
  readonly descriptor: StoreDescriptor;
  readonly storeId: number;
}

export class FollowedChangelog implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly store: string;
  /** Where it began this time. */
  begunAt = 0;
  /** Everything below is in the rows. */
  position = 0;
  /** Rows of an earlier life are gone on with. */
  hadRows = false;
  /** Restoring: the end as asked; standby: the stable end as known. */
  end: number;
  #currentAt = 0;
  readonly #disk: Disk;
  /** First offset that is still held. */
  readonly start: number;
  readonly #prefix: Buffer;
  readonly #localPrefixBytes: number;
  readonly #positionKey: Buffer;

  constructor({ disk, bounds, descriptor, storeId }: FollowedChangelogOptions) {
    this.topic = bounds.topic;
    this.partition = bounds.partition;
    this.store = bounds.store;
    this.end = bounds.end;
    this.#disk = disk;
    this.start = bounds.start;
    this.#prefix = rowPrefix(storeId, bounds.partition);
    this.#localPrefixBytes = localPrefixBytes(descriptor);
    this.#positionKey = changelogPositionKey(storeId, bounds.partition);
  }

  /** Where to begin; to be started over when the plan says so. */
  begin(now: number): RestorePlan {
    const stored = readPosition(this.#disk, this.#positionKey);
    this.begunAt = stored?.position ?? this.start;
    this.position = this.begunAt;
    this.#currentAt = stored?.currentAt ?? now;
    const plan = restorePlan(stored, { start: this.start, end: this.end }, now);
    this.hadRows = plan.kind === "go-on";
    return plan;
  }

  /** Compaction never moves the start: records were deleted, and nobody knows what was in them. */
  get isCut(): boolean {
    return this.start > 0;
  }

  get hasRows(): boolean {
    for (const _ of this.#disk.entries("rows", { from: this.#prefix, to: prefixEnd(this.#prefix), limit: 1 })) return true;
    return false;
  }

  /** From the start again. The position goes first: without it rows are never believed. */
  startOver(now: number): void {
    const batch = this.#disk.batch();
    batch.delete("rows", this.#positionKey);
    this.#disk.write(batch, { sync: false });
    if (this.hasRows) this.#disk.deleteRange("rows", this.#prefix, prefixEnd(this.#prefix));
    this.begunAt = this.start;
    this.position = this.start;
    this.#currentAt = now;
  }

  /** Answers how many records became rows. */
  apply(fetched: FetchedBatch, cursor: RecordBatchCursor, batch: DiskBatch): number {
    const { bytes, baseOffset, fetchOffset, recordCount } = fetched;
    const extra = ROW_PREFIX_BYTES + this.#localPrefixBytes;
    // Keys behind their prefix, and values that need one; the other values stay where they are.
    const memory = Buffer.allocUnsafe(bytes.length + recordCount * extra);
    let at = 0;
    let count = 0;
    cursor.reset(bytes, baseOffset);
    while (cursor.next()) {
      if (cursor.offset < fetchOffset || cursor.keyStart < 0) continue;
      const keyFrom = at;
      at += this.#prefix.copy(memory, at);
      at += bytes.copy(memory, at, cursor.keyStart, cursor.keyEnd);
      const key = memory.subarray(keyFrom, at);
      count++;
      if (cursor.valueStart < 0) batch.delete("rows", key);
      else if (this.#localPrefixBytes === 0) batch.put("rows", key, bytes.subarray(cursor.valueStart, cursor.valueEnd));
      else {
        const valueFrom = at;
        at = writeLocalPrefix(cursor.timestamp, memory, at);
        at += bytes.copy(memory, at, cursor.valueStart, cursor.valueEnd);
        batch.put("rows", key, memory.subarray(valueFrom, at));
      }
    }
    return count;
  }

  /** In the batch that has the rows up to there. */
  moveTo(position: number, batch: DiskBatch, now: number): void {
    this.position = position;
    // A deletion that this still has to come to is there for a day after what it deletes was read.
    if (position >= this.end) this.#currentAt = now;
    putPosition(batch, this.#positionKey, { position, currentAt: this.#currentAt });
  }
}
