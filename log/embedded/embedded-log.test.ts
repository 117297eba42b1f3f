/** The embedded log over each kind of disk passes the suite of the port, and keeps what the port leaves to it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryDisk, openDisk } from "#disk";
import type { Disk, DiskBatch } from "#disk";
import { describe, expect, test } from "vitest";
import { logConformance } from "../conformance/index.ts";
import type { LogUnderTest } from "../conformance/index.ts";
import type { Log } from "../log.ts";
import { RecordBatchCursor } from "../record-batch/record-batch-cursor.ts";
import { openEmbeddedLog } from "./embedded-log.ts";
import { FORMAT_KEY } from "./keys.ts";

async function inMemory(disk: Disk): Promise<LogUnderTest> {
  const log = await openEmbeddedLog({ disk });
  const reopen = async (): Promise<LogUnderTest> => {
    await log.close();
    return inMemory(disk);
  };
  return { log, row: (key) => disk.get("rows", key), reopen, close: () => log.close() };
}

async function onDisk(kind: "rocksdb" | "classic-level", location: string): Promise<LogUnderTest> {
  const disk = await openDisk({ location, kind });
  const log = await openEmbeddedLog({ disk, durability: "process" });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await log.close();
    await disk.close();
  };
  return {
    log,
    row: (key) => disk.get("rows", key),
    reopen: async () => {
      await (closing ??= close());
      return onDisk(kind, location);
    },
    close: async () => {
      await (closing ??= close());
      rmSync(location, { recursive: true, force: true });
    },
  };
}

function directory(): string {
  return mkdtempSync(join(tmpdir(), "slackline-log-"));
}

/** A kind that has no binary on this machine is left out: `disk/` says so itself. */
async function isAvailable(kind: "rocksdb" | "classic-level"): Promise<boolean> {
  const location = directory();
  try {
    await (await openDisk({ location, kind })).close();
    return true;
  } catch (error) {
    if ((error as { readonly code?: string }).code === "DISK_UNAVAILABLE") return false;
    throw error;
  } finally {
    rmSync(location, { recursive: true, force: true });
  }
}

logConformance({ name: "embedded in memory", open: () => inMemory(memoryDisk()) });
for (const kind of ["rocksdb", "classic-level"] as const)
  if (await isAvailable(kind)) logConformance({ name: `embedded on ${kind}`, open: () => onDisk(kind, directory()) });

const at = { topic: "t", partition: 0 };

async function logOn(disk: Disk): Promise<Log> {
  const log = await openEmbeddedLog({ disk });
  await log.topics.ensure([{ name: "t", partitions: 2, cleanup: "delete" }]);
  return log;
}

function values(log: Log, partition = 0): string[] {
  const reader = log.reader();
  reader.assign([{ topic: "t", partition, offset: 0, outOfRange: "fail" }]);
  const cursor = new RecordBatchCursor();
  const found: string[] = [];
  for (let batches = reader.poll(); batches.length > 0; batches = reader.poll())
    for (const batch of batches) {
      cursor.reset(batch.bytes, batch.baseOffset);
      while (cursor.next()) found.push(String(cursor.value()));
    }
  return found;
}

/** A disk whose next write fails, before or after it was done. */
function failing(disk: Disk): Disk & { failNext: "before" | "after" | undefined } {
  const write = (batch: DiskBatch, options: { readonly sync: boolean }): void => {
    const when = wrapper.failNext;
    wrapper.failNext = undefined;
    if (when === "before") throw new Error("the disk is full");
    disk.write(batch, options);
    if (when === "after") throw new Error("the sync failed");
  };
  const wrapper = Object.assign(Object.create(null) as Disk & { failNext: "before" | "after" | undefined }, {
    kind: disk.kind,
    location: disk.location,
    get: disk.get.bind(disk),
    getMany: disk.getMany.bind(disk),
    entries: disk.entries.bind(disk),
    batch: disk.batch.bind(disk),
    write,
    freeBytes: disk.freeBytes.bind(disk),
    share: disk.share.bind(disk),
    failNext: undefined,
  });
  return wrapper;
}

describe("embedded log", () => {
  test.each(["before", "after"] as const)("after a write that failed %s it was done, the ends are those of the disk", async (when) => {
    const disk = failing(memoryDisk());
    const log = await logOn(disk);
    const writer = log.writer({ group: "g", transactionalId: "one" });
    await writer.initialize();
    const reader = log.reader();
    reader.assign([{ ...at, offset: 0, outOfRange: "fail" }]);
    disk.failNext = when;
    writer.append("t", 0, 0, null, Buffer.from("doubtful"));
    await expect(writer.commit({ offsets: [{ ...at, offset: 1, metadata: "" }], rows: [] })).rejects.toMatchObject({
      code: "COMMIT_UNKNOWN",
    });
    await expect(writer.commit({ offsets: [], rows: [] })).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    const next = log.writer({ group: "g", transactionalId: "one" });
    await next.initialize();
    const written = when === "after";
    expect(await log.offsets.committed("g", [at])).toEqual([written ? { offset: 1, metadata: "" } : undefined]);
    next.append("t", 0, 0, null, Buffer.from("sure"));
    await next.commit({ offsets: [], rows: [] });
    expect(values(log)).toEqual(written ? ["doubtful", "sure"] : ["sure"]);
    expect(reader.poll().map((batch) => batch.baseOffset)).toEqual(written ? [0, 1] : [0]);
  });

  test("a commit with an offset of an unknown topic is refused, and nothing of it is written", async () => {
    const log = await logOn(memoryDisk());
    const writer = log.writer({ group: "g", transactionalId: "one" });
    await writer.initialize();
    writer.append("t", 0, 0, null, Buffer.from("v"));
    const offsets = [{ topic: "nowhere", partition: 0, offset: 1, metadata: "" }];
    await expect(writer.commit({ offsets, rows: [] })).rejects.toMatchObject({ code: "COMMIT_REFUSED", cause: { code: "UNKNOWN_TOPIC" } });
    expect(values(log)).toEqual([]);
  });

  test("timestamps that are not whole milliseconds are refused before anything is changed", async () => {
    const log = await logOn(memoryDisk());
    const producer = log.producer();
    for (const timestamp of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      expect(() => producer.append("t", 0, timestamp, null, null)).toThrow(expect.objectContaining({ code: "TIMESTAMP_INVALID" }));
    expect(producer.bufferedBytes).toBe(0);
  });

  test("a reader right behind its writer reads from memory what the disk holds", async () => {
    const disk = memoryDisk();
    const log = await logOn(disk);
    const reader = log.reader();
    reader.assign([{ ...at, offset: 0, outOfRange: "fail" }]);
    const producer = log.producer();
    for (let round = 0; round < 3; round++) {
      producer.append("t", 0, round, Buffer.from("k"), Buffer.from(`v${round}`));
      await producer.flush();
      // Later reads go to the disk, since the first reader's position is the only one that is hot.
      const [hot] = reader.poll();
      const cold = log.reader();
      cold.assign([{ ...at, offset: round, outOfRange: "fail" }]);
      expect(hot?.bytes.equals(cold.poll()[0]?.bytes ?? Buffer.alloc(0))).toBe(true);
      expect([hot?.baseOffset, hot?.nextOffset]).toEqual([round, round + 1]);
    }
    expect(reader.poll()).toEqual([]);
  });

  test("ensure changes retention and limits of a topic that is there, and only those it names", async () => {
    const log = await logOn(memoryDisk());
    await log.topics.ensure([{ name: "t", partitions: 2, cleanup: "delete", retentionMs: 5, recordBytesMax: 100 }]);
    await log.topics.ensure([{ name: "t", partitions: 2, cleanup: "delete", retentionMs: 7 }]);
    expect(await log.topics.describe("t")).toEqual({ name: "t", partitions: 2, cleanup: "delete", retentionMs: 7, recordBytesMax: 100 });
    expect(() => log.producer().append("t", 0, 0, null, Buffer.alloc(101))).toThrow(expect.objectContaining({ code: "RECORD_TOO_LARGE" }));
  });

  test("a log of a newer format is refused", async () => {
    const disk = memoryDisk();
    const batch = disk.batch();
    batch.put("log", FORMAT_KEY, Buffer.from([9]));
    disk.write(batch, { sync: false });
    await expect(openEmbeddedLog({ disk })).rejects.toMatchObject({ code: "LOG_FORMAT_UNKNOWN" });
  });

  test("after close everything is refused and who waits for a change is let go", async () => {
    const log = await logOn(memoryDisk());
    const [reader, producer] = [log.reader(), log.producer()];
    reader.assign([{ ...at, offset: 0, outOfRange: "fail" }]);
    producer.append("t", 0, 0, null, null);
    const waiting = log.changed(log.version());
    await log.close();
    await waiting;
    expect(() => reader.poll()).toThrow(expect.objectContaining({ code: "LOG_UNAVAILABLE" }));
    await expect(producer.flush()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(() => log.writer({ group: "g", transactionalId: "x" })).toThrow(expect.objectContaining({ code: "LOG_UNAVAILABLE" }));
  });
});
