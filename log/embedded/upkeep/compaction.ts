/**
 * Keeps the latest record per key of a compacted partition. A pass reads what is new since the last one (the dirty part) into
 * a bounded map of latest offsets, then goes over all blocks from the front and takes out what the map outdates.
 * It goes on over many calls; a pass that is lost with the process is only begun again. The newest block is never touched.
 */
import type { Disk } from "#disk";
import { nextOffsetOf, recordCountOf } from "../../record-batch/batch-layout.ts";
import { filterBatch } from "../../record-batch/filter-batch.ts";
import { RecordBatchCursor } from "../../record-batch/record-batch-cursor.ts";
import { COMPACTION_KEYS_MAX, TOMBSTONE_DELAY_MS } from "../defaults.ts";
import { blockKey, boundsKey, cleanedKey, offsetOfKey } from "../keys.ts";
import { encodeBounds, slotOf } from "../topic-catalog.ts";
import type { PartitionSlot, TopicEntry } from "../topic-catalog.ts";
import type { UpkeepDependencies } from "./retention.ts";

/** The row that says how far compaction has come. */
interface Cleaned {
  /** Below this each key is there once. */
  readonly upTo: number;
  readonly bytes: number;
  /** Tombstones below this offset were met at `tombstonesAt` first, and may go after the delay; 0 when there are none. */
  readonly tombstonesUpTo: number;
  readonly tombstonesAt: number;
}

interface Pass {
  readonly before: Cleaned;
  readonly latest: Map<string, number>;
  /** The newest block's base offset when the pass began. */
  readonly limit: number;
  readonly dropTombstonesBelow: number;
  phase: "scan" | "rewrite";
  at: number;
  upTo: number;
  bytes: number;
  tombstones: boolean;
}

interface Rewritten {
  readonly key: Buffer;
  readonly before: number;
  readonly after: Buffer | undefined;
}

export class Compaction {
  readonly #deps: UpkeepDependencies;
  readonly #disk: Disk;
  readonly #passes = new Map<number, Pass>();
  readonly #cursor = new RecordBatchCursor();

  constructor(deps: UpkeepDependencies) {
    this.#deps = deps;
    this.#disk = deps.disk;
  }

  /** Looks at about `bytesMax` of blocks at most and returns the bytes it looked at. */
  async run(entry: TopicEntry, partition: number, now: number, bytesMax: number): Promise<number> {
    const at = slotOf(entry, partition);
    const pass = this.#passes.get(at.slot) ?? this.#begin(at, now);
    if (pass === undefined) return 0;
    this.#passes.set(at.slot, pass);
    const looked = pass.phase === "scan" ? this.#scan(at, pass, bytesMax) : 0;
    if (pass.phase === "scan" || looked >= bytesMax) return looked;
    return looked + (await this.#rewrite(at, pass, now, bytesMax - looked));
  }

  /** When the dirty part has grown as large as the clean one, or tombstones have waited long enough: the work stays in proportion to what is written. */
  #begin(at: PartitionSlot, now: number): Pass | undefined {
    const { control } = this.#deps;
    const before = decodeCleaned(this.#disk.get("log", cleanedKey(at.topicId, at.partition)));
    const due = before.tombstonesUpTo > 0 && now >= before.tombstonesAt + TOMBSTONE_DELAY_MS;
    const dirtyBytes = control.bytes(at.slot) - before.bytes;
    if (!due && dirtyBytes < before.bytes) return undefined;
    const limit = this.#newestBlock(at);
    if (limit <= before.upTo && !due) return undefined;
    return {
      before,
      latest: new Map(),
      limit,
      dropTombstonesBelow: due ? before.tombstonesUpTo : 0,
      phase: "scan",
      at: before.upTo,
      upTo: before.upTo,
      bytes: 0,
      tombstones: false,
    };
  }

  #newestBlock(at: PartitionSlot): number {
    const range = {
      from: blockKey(at.topicId, at.partition, 0),
      to: blockKey(at.topicId, at.partition, this.#deps.control.end(at.slot)),
      reverse: true,
      limit: 1,
    };
    for (const [key] of this.#disk.entries("log", range)) return offsetOfKey(key);
    return 0;
  }

  #scan(at: PartitionSlot, pass: Pass, bytesMax: number): number {
    let looked = 0;
    for (const [key, block] of this.#disk.entries("log", {
      from: blockKey(at.topicId, at.partition, pass.at),
      to: blockKey(at.topicId, at.partition, pass.limit),
    })) {
      const baseOffset = offsetOfKey(key);
      this.#cursor.reset(block, baseOffset);
      while (this.#cursor.next()) pass.latest.set(keyOf(this.#cursor), this.#cursor.offset);
      pass.at = nextOffsetOf(block, baseOffset);
      pass.upTo = pass.at;
      looked += block.length;
      if (pass.latest.size >= COMPACTION_KEYS_MAX) break;
      if (looked >= bytesMax) return looked;
    }
    pass.phase = "rewrite";
    pass.at = 0;
    return looked;
  }

  async #rewrite(at: PartitionSlot, pass: Pass, now: number, bytesMax: number): Promise<number> {
    const rewritten: Rewritten[] = [];
    let looked = 0;
    let finished = true;
    for (const [key, block] of this.#disk.entries("log", {
      from: blockKey(at.topicId, at.partition, pass.at),
      to: blockKey(at.topicId, at.partition, pass.upTo),
    })) {
      const baseOffset = offsetOfKey(key);
      const filtered = filterBatch(block, baseOffset, this.#cursor, (cursor) => this.#keeps(pass, cursor));
      const after = recordCountOf(filtered) === 0 ? undefined : filtered;
      if (filtered !== block) rewritten.push({ key, before: block.length, after });
      pass.bytes += after?.length ?? 0;
      pass.at = nextOffsetOf(block, baseOffset);
      looked += block.length;
      if (looked < bytesMax) continue;
      finished = pass.at >= pass.upTo;
      break;
    }
    // A pass whose write fails is void: going on, it would claim blocks to be clean that are as they were.
    this.#passes.delete(at.slot);
    await this.#write(at, rewritten, finished ? this.#cleanedBy(pass, now) : undefined);
    if (!finished) this.#passes.set(at.slot, pass);
    return looked;
  }

  #keeps(pass: Pass, cursor: RecordBatchCursor): boolean {
    const latest = pass.latest.get(keyOf(cursor));
    if (latest !== undefined && cursor.offset < latest) return false;
    if (cursor.valueStart >= 0) return true;
    if (cursor.offset < pass.dropTombstonesBelow) return false;
    pass.tombstones = true;
    return true;
  }

  /** The older date stays for tombstones that still wait; those met since then wait for the next date. */
  #cleanedBy(pass: Pass, now: number): Cleaned {
    const { before } = pass;
    const waits = before.tombstonesUpTo > 0 && pass.dropTombstonesBelow === 0;
    const tombstonesUpTo = waits ? before.tombstonesUpTo : pass.tombstones ? pass.upTo : 0;
    return { upTo: pass.upTo, bytes: pass.bytes, tombstonesUpTo, tombstonesAt: waits ? before.tombstonesAt : now };
  }

  async #write(at: PartitionSlot, rewritten: readonly Rewritten[], cleaned: Cleaned | undefined): Promise<void> {
    const { committer, control } = this.#deps;
    const freed = rewritten.reduce((bytes, { before, after }) => bytes + before - (after?.length ?? 0), 0);
    await committer.change(
      (batch) => {
        for (const { key, after } of rewritten) {
          if (after === undefined) batch.delete("log", key);
          else batch.put("log", key, after);
        }
        const bytes = control.bytes(at.slot) - freed;
        if (freed > 0) {
          const bounds = { start: control.start(at.slot), end: control.end(at.slot), bytes };
          batch.put("log", boundsKey(at.topicId, at.partition), encodeBounds(bounds));
        }
        if (cleaned !== undefined) batch.put("log", cleanedKey(at.topicId, at.partition), encodeCleaned(cleaned));
        return bytes;
      },
      (bytes) => control.publishBytes(at.slot, bytes),
    );
  }
}

/** Bytes as characters: equal for equal keys only. Keys of compacted topics are never null. */
function keyOf(cursor: RecordBatchCursor): string {
  return cursor.keyStart < 0 ? "" : cursor.bytes.toString("latin1", cursor.keyStart, cursor.keyEnd);
}

function encodeCleaned(cleaned: Cleaned): Buffer {
  const row = Buffer.allocUnsafe(32);
  row.writeBigInt64BE(BigInt(cleaned.upTo), 0);
  row.writeBigInt64BE(BigInt(cleaned.bytes), 8);
  row.writeBigInt64BE(BigInt(cleaned.tombstonesUpTo), 16);
  row.writeBigInt64BE(BigInt(cleaned.tombstonesAt), 24);
  return row;
}

function decodeCleaned(row: Buffer | undefined): Cleaned {
  if (row === undefined) return { upTo: 0, bytes: 0, tombstonesUpTo: 0, tombstonesAt: 0 };
  return {
    upTo: Number(row.readBigInt64BE(0)),
    bytes: Number(row.readBigInt64BE(8)),
    tombstonesUpTo: Number(row.readBigInt64BE(16)),
    tombstonesAt: Number(row.readBigInt64BE(24)),
  };
}
