/** Bounds from shared memory, committed offsets from their rows. Every commit is atomic here, so everything is stable at once. */
import type { Disk } from "#disk";
import type { CommittedOffset, OffsetBound, Offsets, TopicPartition } from "../log.ts";
import { maxTimestampOf } from "../record-batch/batch-layout.ts";
import { RecordBatchCursor } from "../record-batch/record-batch-cursor.ts";
import { decodeCommitted } from "./committed-row.ts";
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
    const cursor = new RecordBatchCursor();
    for (const [key, block] of this.#disk.entries("log", {
      from: blockKey(topicId, partition.partition, 0),
      to: blockKey(topicId, partition.partition, end),
    })) {
      if (maxTimestampOf(block) < timestamp) continue;
      cursor.reset(block, offsetOfKey(key));
      while (cursor.next()) if (cursor.timestamp >= timestamp && cursor.offset >= start) return cursor.offset;
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
