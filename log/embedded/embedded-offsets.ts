/** Bounds from shared memory, committed offsets from their rows. Every commit is atomic here, so everything is stable at once. */
import type { Disk } from "#disk";
import type { CommittedOffset, OffsetBound, Offsets, TopicPartition } from "../log.ts";
import { maxTimestampOf, nextOffsetOf } from "../record-batch/batch-layout.ts";
import { RecordBatchCursor } from "../record-batch/record-batch-cursor.ts";
import { decodeCommitted } from "./committed-row.ts";
import { SLICE_BYTES_MAX, yieldToLoop } from "./defaults.ts";
import { ALL_COMMITTED, afterGroup, blockKey, committedKey, groupOfKey, offsetOfKey } from "./keys.ts";
import type { SharedControl } from "./shared-control.ts";
import type { TopicCatalog } from "./topic-catalog.ts";

export class EmbeddedOffsets implements Offsets {
  readonly #disk: Disk;
  readonly #control: SharedControl;
  readonly #catalog: TopicCatalog;

  constructor(disk: Disk, control: SharedControl, catalog: TopicCatalog) {
    this.#disk = disk;
    this.#control = control;
    this.#catalog = catalog;
  }

  async bound(partition: TopicPartition, bound: OffsetBound): Promise<number> {
    const { slot } = this.#catalog.partition(partition.topic, partition.partition);
    return bound === "start" ? this.#control.start(slot) : this.#control.end(slot);
  }

  async forTime(partition: TopicPartition, timestamp: number): Promise<number | undefined> {
    const { slot, topicId } = this.#catalog.partition(partition.topic, partition.partition);
    const start = this.#control.start(slot);
    const end = this.#control.end(slot);
    for (let from = 0; from < end; await yieldToLoop()) {
      const found = this.#searchSlice(topicId, partition.partition, { from, start, end, timestamp });
      if (found.offset !== undefined) return found.offset;
      from = found.next;
    }
    return undefined;
  }

  async committed(group: string, partitions: readonly TopicPartition[]): Promise<readonly (CommittedOffset | undefined)[]> {
    const keys = partitions.map(({ topic, partition }) =>
      committedKey(group, this.#catalog.partition(topic, partition).topicId, partition),
    );
    return this.#disk.getMany("log", keys).map((row) => (row === undefined ? undefined : decodeCommitted(row)));
  }

  async groups(): Promise<readonly string[]> {
    return groupsOf(this.#disk);
  }

  /** A bounded piece of the partition: an iterator lives within one synchronous call, and other work wants its turn. */
  #searchSlice(topicId: number, partition: number, search: TimeSearch): { readonly offset?: number; readonly next: number } {
    const cursor = new RecordBatchCursor();
    let looked = 0;
    for (const [key, block] of this.#disk.entries("log", {
      from: blockKey(topicId, partition, search.from),
      to: blockKey(topicId, partition, search.end),
    })) {
      const baseOffset = offsetOfKey(key);
      const next = nextOffsetOf(block, baseOffset);
      looked += block.length;
      if (maxTimestampOf(block) >= search.timestamp) {
        cursor.reset(block, baseOffset);
        while (cursor.next())
          if (cursor.timestamp >= search.timestamp && cursor.offset >= search.start) return { offset: cursor.offset, next };
      }
      if (looked >= SLICE_BYTES_MAX) return { next };
    }
    return { next: search.end };
  }
}

interface TimeSearch {
  readonly from: number;
  readonly start: number;
  readonly end: number;
  readonly timestamp: number;
}

/** One seek per group, not one per row. */
export function groupsOf(disk: Disk): string[] {
  const groups: string[] = [];
  for (let from = ALL_COMMITTED.from; ;) {
    const [entry] = [...disk.entries("log", { from, to: ALL_COMMITTED.to, limit: 1 })];
    if (entry === undefined) return groups;
    const group = groupOfKey(entry[0]);
    groups.push(group);
    from = afterGroup(group);
  }
}
