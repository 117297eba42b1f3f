import { memoryDisk } from "#disk";
import type { Disk } from "#disk";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Log, TopicConfig } from "../../log.ts";
import { RecordBatchCursor } from "../../record-batch/record-batch-cursor.ts";
import { TOMBSTONE_DELAY_MS } from "../defaults.ts";
import { openEmbeddedLog } from "../embedded-log.ts";

const at = { topic: "t", partition: 0 };

async function logWith(config: Partial<TopicConfig>, disk: Disk = memoryDisk()): Promise<Log> {
  const log = await openEmbeddedLog({ disk });
  await log.topics.ensure([{ name: "t", partitions: 1, cleanup: "delete", ...config }]);
  return log;
}

/** One block per call. */
async function put(log: Log, timestamp: number, records: readonly (readonly [key: string, value: string | null])[]): Promise<void> {
  const producer = log.producer();
  for (const [key, value] of records) producer.append("t", 0, timestamp, Buffer.from(key), value === null ? null : Buffer.from(value));
  await producer.flush();
}

async function commit(log: Log, group: string, offset: number): Promise<void> {
  const writer = log.writer({ group, transactionalId: group });
  await writer.initialize();
  await writer.commit({ offsets: [{ ...at, offset, metadata: "" }], rows: [] });
}

function held(log: Log, start: number): (readonly [offset: number, key: string | null, value: string | null])[] {
  const reader = log.reader();
  reader.assign([{ ...at, offset: start, outOfRange: "fail" }]);
  const cursor = new RecordBatchCursor();
  const records: [number, string | null, string | null][] = [];
  for (let batches = reader.poll(); batches.length > 0; batches = reader.poll())
    for (const batch of batches) {
      cursor.reset(batch.bytes, batch.baseOffset);
      while (cursor.next()) records.push([cursor.offset, cursor.key()?.toString() ?? null, cursor.value()?.toString() ?? null]);
    }
  expect(reader.position(at)).toBe(reader.endOffset(at));
  return records;
}

describe("retention", () => {
  test("by age frees what is older, block by block from the front", async () => {
    const log = await logWith({ retentionMs: 100 });
    for (const timestamp of [1000, 1050, 1200, 1020]) await put(log, timestamp, [["k", "v"]]);
    await log.maintain(1100);
    expect(await log.offsets.bound(at, "start")).toBe(0);
    await log.maintain(1160);
    // The last one is old too, but stands behind one that is not.
    expect(await log.offsets.bound(at, "start")).toBe(2);
    await log.maintain(5000);
    expect(await log.offsets.bound(at, "start")).toBe(4);
    expect(await log.offsets.bound(at, "stable")).toBe(4);
    await put(log, 6000, [["k", "new"]]);
    expect(held(log, 4)).toEqual([[4, "k", "new"]]);
  });

  test("by size leaves at least the bound", async () => {
    const log = await logWith({ retentionBytes: 3000 });
    for (let index = 0; index < 10; index++) await put(log, 0, [["k", "x".repeat(930)]]);
    await log.maintain(0);
    // Three blocks of 1,001 bytes are just above the bound.
    expect(await log.offsets.bound(at, "start")).toBe(7);
  });

  test("never passes what a reading group has not committed, and not at all a partition that it has yet to commit", async () => {
    const log = await logWith({ retentionMs: 10, partitions: 2 });
    for (let index = 0; index < 5; index++) await put(log, 0, [["k", "v"]]);
    await commit(log, "slow", 2);
    await commit(log, "fast", 5);
    await log.maintain(1e9);
    expect(await log.offsets.bound(at, "start")).toBe(2);
    await commit(log, "slow", 5);
    const producer = log.producer();
    producer.append("t", 1, 0, null, null);
    await producer.flush();
    await log.maintain(1e9);
    expect(await log.offsets.bound(at, "start")).toBe(5);
    expect(await log.offsets.bound({ topic: "t", partition: 1 }, "start")).toBe(0);
  });

  test("frees the blocks of deleted records, and what a reader in the gap had not read is out of range", async () => {
    const disk = memoryDisk();
    const log = await logWith({}, disk);
    for (let index = 0; index < 3; index++)
      await put(log, 0, [
        ["a", "1"],
        ["b", "2"],
      ]);
    const reader = log.reader();
    reader.assign([{ ...at, offset: 1, outOfRange: "fail" }]);
    await log.topics.deleteRecords(at, 3);
    const blocks = (): number => [...disk.entries("log", { from: Buffer.from([0x10]), to: Buffer.from([0x11]) })].length;
    expect(blocks()).toBe(3);
    await log.maintain(0);
    expect(blocks()).toBe(2);
    expect(() => reader.poll()).toThrow(expect.objectContaining({ code: "OFFSET_OUT_OF_RANGE", offset: 1 }));
    expect(held(log, 3).map(([offset]) => offset)).toEqual([2, 3, 4, 5]);
  });

  test("keeps what was retained when the log is opened again", async () => {
    const disk = memoryDisk();
    const log = await logWith({ retentionMs: 10 }, disk);
    await put(log, 0, [["k", "v"]]);
    await log.maintain(1000);
    await log.close();
    const again = await openEmbeddedLog({ disk });
    expect([await again.offsets.bound(at, "start"), await again.offsets.bound(at, "stable")]).toEqual([1, 1]);
  });
});

describe("compaction", () => {
  test("keeps the latest record per key at its offset, whatever was written before and between", async () => {
    const records = fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.option(fc.string({ maxLength: 3 }), { nil: null })), {
      minLength: 1,
      maxLength: 6,
    });
    const step = fc.oneof({ weight: 4, arbitrary: records }, { weight: 1, arbitrary: fc.constant("maintain" as const) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: "max" }), async (steps) => {
        const log = await logWith({ cleanup: "compact" });
        const all: [number, string, string | null][] = [];
        for (const each of steps) {
          if (each === "maintain") await log.maintain(0);
          else {
            for (const [key, value] of each) all.push([all.length, key, value]);
            await put(log, 0, each);
          }
        }
        for (let call = 0; call < 3; call++) await log.maintain(0);
        const kept = held(log, 0);
        const state = (list: typeof kept): Map<string | null, string | null> => new Map(list.map(([, key, value]) => [key, value]));
        expect(state(kept)).toEqual(state(all));
        for (const record of kept) expect(all).toContainEqual(record);
        expect(kept.map(([offset]) => offset)).toEqual(kept.map(([offset]) => offset).toSorted((one, other) => one - other));
        expect(await log.offsets.bound(at, "stable")).toBe(all.length);
      }),
      { numRuns: 100 },
    );
  });

  test("leaves one record per key in all but the newest block, and reads over the gaps from any offset", async () => {
    const log = await logWith({ cleanup: "compact" });
    for (let round = 0; round < 50; round++)
      await put(log, round, [
        ["a", `${round}`],
        [`b${round % 5}`, `${round}`],
      ]);
    await log.maintain(0);
    const kept = held(log, 0);
    expect(kept.length).toBeLessThanOrEqual(8);
    for (let offset = 0; offset <= 100; offset += 7)
      expect(held(log, offset).filter(([found]) => found >= offset)).toEqual(kept.filter(([found]) => found >= offset));
  });

  test("keeps a tombstone for the delay after it was first met, then drops it", async () => {
    const log = await logWith({ cleanup: "compact" });
    await put(log, 0, [
      ["a", "1"],
      ["b", "1"],
    ]);
    await put(log, 0, [["a", null]]);
    await put(log, 0, [["c", "1"]]);
    await log.maintain(1000);
    expect(held(log, 0)).toEqual([
      [1, "b", "1"],
      [2, "a", null],
      [3, "c", "1"],
    ]);
    await log.maintain(999 + TOMBSTONE_DELAY_MS);
    expect(held(log, 0)).toHaveLength(3);
    await log.maintain(1000 + TOMBSTONE_DELAY_MS);
    expect(held(log, 0)).toEqual([
      [1, "b", "1"],
      [3, "c", "1"],
    ]);
  });

  test("begins anew after a write that failed, so that no key is left twice and no deleted one comes back", async () => {
    const disk = memoryDisk();
    let fails = false;
    const write = disk.write.bind(disk);
    disk.write = (batch, options) => {
      if (fails) throw new Error("no space left on device");
      write(batch, options);
    };
    const log = await logWith({ cleanup: "compact" }, disk);
    for (const value of ["old", "older", null]) await put(log, 0, [["k", value]]);
    await put(log, 0, [["newest", "block"]]);
    fails = true;
    await expect(log.maintain(0)).rejects.toMatchObject({ code: "COMMIT_UNKNOWN" });
    fails = false;
    await log.maintain(1);
    expect(held(log, 0)).toEqual([
      [2, "k", null],
      [3, "newest", "block"],
    ]);
  });

  test("does not free records by age, refuses records without a key, and goes on over many calls", async () => {
    const log = await logWith({ cleanup: "compact", retentionMs: 1 });
    const producer = log.producer();
    expect(() => producer.append("t", 0, 0, null, Buffer.from("v"))).toThrow(expect.objectContaining({ code: "KEY_REQUIRED" }));
    const value = Buffer.alloc(1000);
    for (let round = 0; round < 40; round++) {
      for (let index = 0; index < 1000; index++) producer.append("t", 0, 0, Buffer.from(`key ${index}`), value);
      await producer.flush();
    }
    // 40 MB are more than one call may look at.
    await log.maintain(1e9);
    for (let call = 0; call < 6; call++) await log.maintain(1e9);
    const kept = held(log, 0);
    expect(new Set(kept.map(([, key]) => key)).size).toBe(1000);
    expect(kept.length).toBeLessThan(1200);
  });
});
