/** Frees blocks from the front of a partition: those below the start, and what age and size allow. */
import type { Disk } from "#disk";
import { maxTimestampOf, nextOffsetOf } from "../../record-batch/batch-layout.ts";
import type { Committer } from "../commit/committer.ts";
import { decodeCommitted } from "../committed-row.ts";
import { groupsOf } from "../embedded-offsets.ts";
import { blockKey, boundsKey, committedKey, offsetOfKey } from "../keys.ts";
import type { SharedControl } from "../shared-control.ts";
import { encodeBounds, slotOf } from "../topic-catalog.ts";
import type { PartitionSlot, TopicEntry } from "../topic-catalog.ts";

export interface UpkeepDependencies {
  readonly disk: Disk;
  readonly control: SharedControl;
  readonly committer: Committer;
}

/** What decides about a block. */
interface BlockFacts {
  readonly next: number;
  readonly maxTimestamp: number;
  readonly bytes: number;
}

interface Freed {
  readonly keys: readonly Buffer[];
  readonly bytes: number;
  /** Bytes of all blocks that were looked at. */
  readonly looked: number;
  readonly start: number;
}

export class Retention {
  readonly #deps: UpkeepDependencies;
  /** The oldest block kept, by slot: while its turn has not come, nothing is read. */
  readonly #front = new Map<number, BlockFacts>();

  constructor(deps: UpkeepDependencies) {
    this.#deps = deps;
  }

  /** Looks at about `bytesMax` of blocks at most and returns the bytes it looked at. */
  async run(entry: TopicEntry, partition: number, now: number, bytesMax: number): Promise<number> {
    const at = slotOf(entry, partition);
    const freed = this.#scan(entry, at, now, bytesMax);
    if (freed.keys.length === 0) return freed.looked;
    const { control, committer } = this.#deps;
    await committer.change((batch) => {
      const start = Math.max(freed.start, control.start(at.slot));
      const bytes = control.bytes(at.slot) - freed.bytes;
      for (const key of freed.keys) batch.delete("log", key);
      batch.put("log", boundsKey(at.topicId, partition), encodeBounds({ start, end: control.end(at.slot), bytes }));
      // Before the blocks go: a reader in another thread that meets the gap then finds itself out of range.
      control.publishStart(at.slot, start);
      control.publishBytes(at.slot, bytes);
    });
    return freed.looked;
  }

  #scan(entry: TopicEntry, at: PartitionSlot, now: number, bytesMax: number): Freed {
    const { disk, control } = this.#deps;
    const keys: Buffer[] = [];
    let start = control.start(at.slot);
    let bytes = 0;
    let looked = 0;
    let floor: number | undefined;
    const frees = (block: BlockFacts): boolean => {
      if (block.next <= start) return true;
      if (!isOver(entry, block, now, control.bytes(at.slot) - bytes)) return false;
      floor ??= this.#floor(entry, at);
      return block.next <= floor;
    };
    const front = this.#front.get(at.slot);
    if (front !== undefined && !frees(front)) return { keys, bytes, looked, start };
    this.#front.delete(at.slot);
    const range = { from: blockKey(at.topicId, at.partition, 0), to: blockKey(at.topicId, at.partition, control.end(at.slot)) };
    for (const [key, block] of disk.entries("log", range)) {
      const facts = { next: nextOffsetOf(block, offsetOfKey(key)), maxTimestamp: maxTimestampOf(block), bytes: block.length };
      looked += block.length;
      if (!frees(facts)) {
        this.#front.set(at.slot, facts);
        break;
      }
      keys.push(key);
      bytes += block.length;
      start = Math.max(start, facts.next);
      if (looked >= bytesMax) break;
    }
    return { keys, bytes, looked, start };
  }

  /** What every group that reads the topic has behind it. A group that has committed elsewhere in the topic, but not here, has all of it before it. */
  #floor(entry: TopicEntry, at: PartitionSlot): number {
    const { disk, control } = this.#deps;
    let floor = Number.POSITIVE_INFINITY;
    for (const group of groupsOf(disk)) {
      const keys = Array.from({ length: entry.config.partitions }, (_, partition) => committedKey(group, entry.id, partition));
      const rows = disk.getMany("log", keys);
      const row = rows[at.partition];
      if (row !== undefined) floor = Math.min(floor, decodeCommitted(row).offset);
      else if (rows.some((other) => other !== undefined)) floor = Math.min(floor, control.start(at.slot));
    }
    return floor;
  }
}

/** Age and size allow the block to go. Kafka's rule for the size: what is left behind is never below the bound. */
function isOver(entry: TopicEntry, block: BlockFacts, now: number, held: number): boolean {
  const { retentionMs, retentionBytes, cleanup } = entry.config;
  if (cleanup === "compact") return false;
  if (retentionMs !== undefined && block.maxTimestamp < now - retentionMs) return true;
  return retentionBytes !== undefined && held - block.bytes >= retentionBytes;
}
