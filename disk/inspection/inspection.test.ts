/** What the databases themselves do not notice; with hundreds of seeds in `sim/damage/`. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDisk } from "../open-disk.ts";
import { findLogCuts } from "./level-logs.ts";
import { findDamagedTable } from "./level-tables.ts";
import { manifestOf } from "./manifest.ts";
import { readRecordLog } from "./record-log.ts";
import { findSequenceGap } from "./sequence-gap.ts";
import { decompressSnappy } from "./snappy-block.ts";

let location: string;
beforeEach(() => {
  location = mkdtempSync(join(tmpdir(), "slackline-inspection-"));
});
afterEach(() => rmSync(location, { recursive: true, force: true }));

/** Every value of another kind, some longer than a block of the log, some that repeat themselves. */
const valueOf = (index: number): Buffer =>
  index % 7 === 0
    ? Buffer.alloc(40_000, `long ${index} `)
    : Buffer.from(`value ${index} ${Math.imul(index, 2_654_435_761)}`.repeat(1 + (index % 9)));

/** Several openings: tables of the earlier ones, a log of the last. Closed, so that files stand still. */
async function written(kind: "rocksdb" | "classic-level"): Promise<string> {
  for (let life = 0; life < 3; life++) {
    const disk = await openDisk({ location, kind, memtableBytesMax: 16 * 1024 * 1024 });
    for (let index = 0; index < 60; index++) {
      const batch = disk.batch();
      batch.put("rows", Buffer.from(`key ${life} ${index}`), valueOf(index));
      disk.write(batch, { sync: false });
    }
    await disk.close();
  }
  return join(location, "database");
}

const newest = (files: string, pattern: RegExp): string =>
  join(
    files,
    readdirSync(files)
      .filter((name) => pattern.test(name))
      .toSorted()
      .at(-1) ?? "",
  );

describe.each(["rocksdb", "classic-level"] as const)("the files of a %s database", (kind) => {
  test("fit together as they are, and every record of log and MANIFEST is whole", async () => {
    const files = await written(kind);
    expect(findSequenceGap(files)).toBeUndefined();
    const log = readRecordLog(readFileSync(newest(files, /\.log$/)));
    expect(log).toMatchObject({ damagedAt: undefined });
    expect(log.records).toHaveLength(60);
    const tables = readdirSync(files).flatMap((name) => (/\.(?:sst|ldb)$/.test(name) ? [Number.parseInt(name, 10)] : []));
    expect(manifestOf(files)?.tables).toEqual(new Set(tables));
    expect(tables.length).toBeGreaterThan(0);
  });

  test("do not when MANIFEST has lost its end: refused, also the next time", async () => {
    const files = await written(kind);
    const manifest = newest(files, /^MANIFEST/);
    const { records } = readRecordLog(readFileSync(manifest));
    // What the last opening has made of the log before it; behind it RocksDB has only moved a table.
    truncateSync(manifest, (records.at(kind === "rocksdb" ? -2 : -1)?.at ?? 0) + 3);
    // LevelDB has nothing to begin with then.
    if (kind === "rocksdb") expect(findSequenceGap(files)).toMatch(/what is between is missing/);
    for (let again = 0; again < 2; again++) await expect(openDisk({ location })).rejects.toMatchObject({ code: "DISK_CORRUPT" });
  });
});

describe("LevelDB", () => {
  test("skips what is damaged in its log; here the log ends there", async () => {
    const files = await written("classic-level");
    const log = newest(files, /\.log$/);
    const bytes = readFileSync(log);
    const { records } = readRecordLog(bytes);
    const broken = records[30];
    bytes.writeUInt8(bytes.readUInt8((broken?.at ?? 0) + 20) ^ 1, (broken?.at ?? 0) + 20);
    writeFileSync(log, bytes);
    expect(findLogCuts(files)).toEqual([{ file: log, at: broken?.at }]);
    await using disk = await openDisk({ location });
    const there = (index: number): boolean => disk.get("rows", Buffer.from(`key 2 ${index}`)) !== undefined;
    expect([there(29), there(30), there(31), there(59)]).toEqual([true, false, false, false]);
  });

  test("does not look at the checksums of its tables; every bit of them is looked at when it is opened", async () => {
    const files = await written("classic-level");
    const table = newest(files, /\.ldb$/);
    const whole = readFileSync(table);
    expect(findDamagedTable(files)).toBeUndefined();
    // The last bytes before the magic number are filled up and mean nothing.
    const length = whole.length - 48;
    for (let round = 0; round < 60; round++) {
      const at = Math.floor((round * length) / 60);
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (round % 8)), at);
      writeFileSync(table, bytes);
      expect(findDamagedTable(files), `byte ${at}`).toBeDefined();
    }
    await expect(openDisk({ location })).rejects.toMatchObject({ code: "DISK_CORRUPT" });
  });

  test("that somebody has open is locked, whatever its files look like meanwhile", async () => {
    await using disk = await openDisk({ location, kind: "classic-level" });
    const batch = disk.batch();
    batch.put("rows", Buffer.from("key"), Buffer.from("value"));
    disk.write(batch, { sync: true });
    const log = newest(join(location, "database"), /\.log$/);
    writeFileSync(log, Buffer.from("half of a record"), { flag: "a" });
    const before = readFileSync(log);
    await expect(openDisk({ location })).rejects.toMatchObject({ code: "DISK_LOCKED" });
    expect(readFileSync(log).equals(before)).toBe(true);
  });
});

describe("Snappy", () => {
  test("gives literals and copies, also of what is being written", () => {
    // 11 bytes: the literal "ab", then 9 bytes from 2 back.
    const block = Buffer.from([11, 1 << 2, 97, 98, (5 << 2) | 1, 2]);
    expect(decompressSnappy(block, 100).toString()).toBe("abababababa");
  });

  test("refuses what is too long, ends early or points before its beginning", () => {
    for (const bytes of [[200, 1], [3, 0, 97], [4, 0, 97, 1, 9], [2, 4, 97], []])
      expect(() => decompressSnappy(Buffer.from(bytes), 100)).toThrow(RangeError);
  });
});
