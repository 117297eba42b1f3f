/** Reads blocks by range: from the thread's own hot blocks, else from the disk. What is new is learnt from shared memory. */
import assert from "node:assert/strict";
import type { Disk } from "#disk";
import { LogError } from "../errors.ts";
import type { FetchedBatch, OutOfRange, PartitionAssignment, Reader, ReaderOptions, TopicPartition } from "../log.ts";
import { nextOffsetOf, recordCountOf } from "../record-batch/batch-layout.ts";
import { POLL_BYTES_MAX } from "./defaults.ts";
import type { HotBlocks } from "./hot-blocks.ts";
import { blockKey, offsetOfKey } from "./keys.ts";
import type { SharedControl } from "./shared-control.ts";
import type { PartitionSlot, TopicCatalog } from "./topic-catalog.ts";

export interface EmbeddedReaderDependencies {
  readonly disk: Disk;
  readonly control: SharedControl;
  readonly catalog: TopicCatalog;
  readonly hot: HotBlocks;
}

interface Position {
  readonly at: PartitionSlot;
  readonly outOfRange: OutOfRange;
  offset: number;
  /** The offset may lie inside a block: look for that block first. */
  sought: boolean;
  paused: boolean;
}

interface Poll {
  readonly batches: FetchedBatch[];
  bytes: number;
}

const NOTHING: readonly FetchedBatch[] = [];

export class EmbeddedReader implements Reader {
  readonly #deps: EmbeddedReaderDependencies;
  readonly #pollBytesMax: number;
  #positions: Position[] = [];
  #first = 0;
  /** At this version everything was read: nothing to do until it grows. */
  #idleAt = -1;
  #closed = false;

  constructor(options: ReaderOptions, deps: EmbeddedReaderDependencies) {
    this.#pollBytesMax = options.pollBytesMax ?? POLL_BYTES_MAX;
    this.#deps = deps;
  }

  assign(partitions: readonly PartitionAssignment[]): void {
    const { catalog, hot } = this.#deps;
    const before = this.#positions;
    const positions = partitions.map((wanted): Position => {
      const at = catalog.partition(wanted.topic, wanted.partition);
      const kept = before.find((position) => position.at.slot === at.slot && position.offset === wanted.offset);
      if (kept !== undefined) return { ...kept, outOfRange: wanted.outOfRange };
      return { at, outOfRange: wanted.outOfRange, offset: wanted.offset, sought: true, paused: false };
    });
    for (const position of positions) hot.watch(position.at.slot);
    for (const position of before) hot.unwatch(position.at.slot);
    this.#positions = positions;
    this.#idleAt = -1;
  }

  poll(): readonly FetchedBatch[] {
    const { control } = this.#deps;
    if (this.#closed || control.closed) throw new LogError("LOG_UNAVAILABLE", "The reader or its log is closed. Open it again.");
    const version = control.version();
    if (version === this.#idleAt) return NOTHING;
    const count = this.#positions.length;
    const poll: Poll = { batches: [], bytes: 0 };
    let exhausted = true;
    for (let turn = 0; turn < count; turn++) {
      const position = this.#positions[(this.#first + turn) % count] as Position;
      if (position.paused) continue;
      // Each partition may take an equal part of what is left: those behind get what the ones before did not use.
      const share = poll.bytes + (this.#pollBytesMax - poll.bytes) / (count - turn);
      if (!this.#read(position, share, poll)) exhausted = false;
    }
    if (count > 0) this.#first = (this.#first + 1) % count;
    if (exhausted) this.#idleAt = version;
    return poll.batches;
  }

  position(partition: TopicPartition): number {
    return this.#find(partition).offset;
  }

  endOffset(partition: TopicPartition): number {
    return this.#deps.control.end(this.#find(partition).at.slot);
  }

  pause(partition: TopicPartition): void {
    this.#find(partition).paused = true;
  }

  resume(partition: TopicPartition): void {
    this.#find(partition).paused = false;
    this.#idleAt = -1;
  }

  close(): Promise<void> {
    for (const position of this.#positions) this.#deps.hot.unwatch(position.at.slot);
    this.#positions = [];
    this.#closed = true;
    return Promise.resolve();
  }

  /** True when the partition was read to its end. */
  #read(position: Position, share: number, poll: Poll): boolean {
    const { control, disk, hot } = this.#deps;
    const { slot, topicId, partition } = position.at;
    const end = control.end(slot);
    if (position.offset < control.start(slot) || position.offset > end) this.#reposition(position, end);
    for (let block = hot.get(slot, position.offset); block !== undefined && position.offset < end; block = hot.get(slot, position.offset))
      if (!this.#take(position, position.offset, block, share, poll)) return false;
    if (position.offset >= end) return true;
    const from = position.sought ? this.#blockAt(position) : position.offset;
    for (const [key, block] of disk.entries("log", { from: blockKey(topicId, partition, from), to: blockKey(topicId, partition, end) })) {
      const baseOffset = offsetOfKey(key);
      // A gap is fine where compaction made it; if records were deleted behind our back, the next poll says so.
      if (baseOffset > position.offset && position.offset < control.start(slot)) return false;
      if (!this.#take(position, baseOffset, block, share, poll)) return false;
    }
    return position.offset >= end;
  }

  /** False when the block does not fit any more. */
  #take(position: Position, baseOffset: number, bytes: Buffer, share: number, poll: Poll): boolean {
    if (poll.batches.length > 0 && poll.bytes + bytes.length > this.#pollBytesMax) return false;
    const nextOffset = nextOffsetOf(bytes, baseOffset);
    const { topic, partition } = position.at;
    poll.batches.push({ topic, partition, bytes, baseOffset, fetchOffset: position.offset, nextOffset, recordCount: recordCountOf(bytes) });
    poll.bytes += bytes.length;
    position.offset = nextOffset;
    position.sought = false;
    return poll.bytes < share;
  }

  /** Base offset of the block that contains the position, or the position itself when it lies in a gap. */
  #blockAt(position: Position): number {
    const { topicId, partition } = position.at;
    const range = { from: blockKey(topicId, partition, 0), to: blockKey(topicId, partition, position.offset + 1), reverse: true, limit: 1 };
    for (const [key, block] of this.#deps.disk.entries("log", range)) {
      const baseOffset = offsetOfKey(key);
      return nextOffsetOf(block, baseOffset) > position.offset ? baseOffset : position.offset;
    }
    return position.offset;
  }

  #reposition(position: Position, end: number): void {
    const { topic, partition, slot } = position.at;
    const start = this.#deps.control.start(slot);
    if (position.outOfRange === "fail")
      throw new LogError(
        "OFFSET_OUT_OF_RANGE",
        `${topic}/${partition} holds offsets ${start} to ${end}, but ${position.offset} is to be read. Choose where to go on: what is missing was deleted or never written.`,
        { topic, partition, offset: position.offset },
      );
    position.offset = position.outOfRange === "start" ? start : end;
    position.sought = true;
  }

  #find(partition: TopicPartition): Position {
    const found = this.#positions.find(({ at }) => at.partition === partition.partition && at.topic === partition.topic);
    assert(found, `${partition.topic}/${partition.partition} is not assigned to this reader`);
    return found;
  }
}
