/** The one place that writes blocks: gives offsets inside the lock, writes one batch, then shows the new ends to all threads. */
import type { Disk, DiskBatch } from "#disk";
import { LogError, WriterLostError } from "../../errors.ts";
import type { AppendedRange } from "../../log.ts";
import { stampBaseOffset } from "../../record-batch/batch-layout.ts";
import type { PendingOutput } from "../../record-batch/output-buffer.ts";
import type { HotBlocks } from "../hot-blocks.ts";
import { blockKey, boundsKey } from "../keys.ts";
import type { SharedControl } from "../shared-control.ts";
import { encodeBounds } from "../topic-catalog.ts";
import type { PartitionSlot } from "../topic-catalog.ts";
import { HalfDone } from "./commit-lock.ts";
import type { CommitLock } from "./commit-lock.ts";
import type { SpaceReserve } from "./space-reserve.ts";

export interface CommitterOptions {
  readonly disk: Disk;
  readonly control: SharedControl;
  readonly lock: CommitLock;
  readonly hot: HotBlocks;
  /** Batches survive power loss, not only the death of the process. */
  readonly sync: boolean;
  readonly reserve: SpaceReserve;
}

export interface CommitWork {
  readonly outputs: readonly PendingOutput<PartitionSlot>[];
  /** Runs first inside the lock and may throw to refuse the commit. */
  readonly check?: () => void;
  /** Puts what goes with the blocks into their batch. */
  readonly extend?: (batch: DiskBatch) => void;
}

interface NewBlock {
  readonly baseOffset: number;
  readonly bytes: Buffer;
}

interface NewBlocks {
  readonly slot: number;
  readonly end: number;
  readonly bytes: number;
  readonly blocks: readonly NewBlock[];
}

export class Committer {
  readonly #disk: Disk;
  readonly #control: SharedControl;
  readonly #lock: CommitLock;
  readonly #hot: HotBlocks;
  readonly #sync: boolean;
  readonly #reserve: SpaceReserve;

  constructor(options: CommitterOptions) {
    this.#disk = options.disk;
    this.#control = options.control;
    this.#lock = options.lock;
    this.#hot = options.hot;
    this.#sync = options.sync;
    this.#reserve = options.reserve;
  }

  /** Synchronous unless another thread holds the lock for long. Throws or rejects with LogErrors only. */
  commit(work: CommitWork): readonly AppendedRange[] | Promise<readonly AppendedRange[]> {
    return this.#lock.run(() => this.#commit(work));
  }

  /** For bookkeeping without blocks, and what gives room back: one batch inside the lock, also on a full disk. `after` publishes what was written. */
  change<T>(prepare: (batch: DiskBatch) => T, after?: (prepared: T) => void): T | Promise<T> {
    return this.#lock.run(() => {
      this.#refuseClosed();
      const batch = this.#disk.batch();
      const prepared = prepare(batch);
      if (batch.operations > 0) this.#write(batch);
      after?.(prepared);
      return prepared;
    });
  }

  #commit(work: CommitWork): readonly AppendedRange[] {
    this.#refuseClosed();
    work.check?.();
    const batch = this.#disk.batch();
    const ranges: AppendedRange[] = [];
    const written: NewBlocks[] = [];
    for (const output of work.outputs) this.#putBlocks(output, batch, ranges, written);
    work.extend?.(batch);
    if (batch.operations === 0) return ranges;
    this.#reserve.check(batch.bytes);
    this.#write(batch);
    for (const { slot, end, bytes, blocks } of written) {
      // Only now: a block that failed to be written must not be found in memory.
      for (const block of blocks) this.#hot.add(slot, block.baseOffset, block.bytes);
      this.#control.publishBytes(slot, bytes);
      this.#control.publishEnd(slot, end);
    }
    this.#control.bumpVersion();
    return ranges;
  }

  #putBlocks(output: PendingOutput<PartitionSlot>, batch: DiskBatch, ranges: AppendedRange[], written: NewBlocks[]): void {
    const { topic, partition, topicId, slot } = output.partition;
    const baseOffset = this.#control.end(slot);
    const bytesBefore = this.#control.bytes(slot);
    let offset = baseOffset;
    let bytes = bytesBefore;
    const blocks: NewBlock[] = [];
    for (const block of output.builder.seal()) {
      stampBaseOffset(block.bytes, offset);
      batch.put("log", blockKey(topicId, partition, offset), block.bytes);
      blocks.push({ baseOffset: offset, bytes: block.bytes });
      bytes += block.bytes.length;
      offset += block.recordCount;
    }
    const start = this.#control.start(slot);
    batch.put("log", boundsKey(topicId, partition), encodeBounds({ start, end: offset, bytes }));
    ranges.push({ topic, partition, baseOffset, count: offset - baseOffset });
    written.push({ slot, end: offset, bytes, blocks });
  }

  /** After a write that threw nobody knows what the disk holds: the next holder reads it. */
  #write(batch: DiskBatch): void {
    try {
      this.#disk.write(batch, { sync: this.#sync });
    } catch (error) {
      throw new HalfDone(
        new WriterLostError(
          "COMMIT_UNKNOWN",
          "The disk did not say whether the commit was written. Read the committed offsets and go on from there.",
          {
            cause: error,
          },
        ),
      );
    }
  }

  #refuseClosed(): void {
    if (this.#control.closed) throw new LogError("LOG_UNAVAILABLE", "The log is closed. Open it again.");
  }
}
