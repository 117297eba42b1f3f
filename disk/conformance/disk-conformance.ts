/** What every kind of database must do, as tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Disk, DiskEntry, DiskKind, Family, KeyRange } from "../disk.ts";
import { openDisk, type OwnedDisk } from "../open-disk.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const texts = (disk: Disk, family: Family, range: KeyRange): string[] =>
  [...disk.entries(family, range)].map(([key, value]) => `${key.toString("latin1")}=${value.toString("latin1")}`);

const flat = (entries: IterableIterator<DiskEntry>): string =>
  [...entries].map(([key, value]) => key.toString("latin1") + value.toString("latin1")).join(" ");
const paddedKey = (index: number): Buffer => bytes(String(index).padStart(6, "0"));

/** A batch from a list: a null value deletes. */
function write(disk: Disk, family: Family, rows: Readonly<Record<string, string | null>>): void {
  const batch = disk.batch();
  for (const [key, value] of Object.entries(rows))
    if (value === null) batch.delete(family, bytes(key));
    else batch.put(family, bytes(key), bytes(value));
  disk.write(batch, { sync: false });
}

/** Registers the suite for one kind. */
export function diskConformance(kind: DiskKind): void {
  describe(`a ${kind} database`, () => {
    let location: string;
    let disk: OwnedDisk;

    beforeEach(async () => {
      location = await mkdtemp(join(tmpdir(), "slackline-disk-"));
      disk = await openDisk({ location, kind });
    });
    afterEach(async () => {
      await disk.close();
      await rm(location, { recursive: true, force: true });
    });

    test("says what it is", () => {
      expect(disk.kind).toBe(kind);
      expect(disk.notice).toBeUndefined();
      expect(disk.freeBytes()).toBeGreaterThan(0);
      expect(disk.share() === undefined).toBe(kind === "memory");
    });

    test("gives back what was put, replaced and deleted, families apart", () => {
      write(disk, "rows", { a: "1", b: "2", c: "" });
      write(disk, "log", { a: "log" });
      write(disk, "rows", { a: "3", b: null });
      expect(disk.get("rows", bytes("a"))?.toString()).toBe("3");
      expect(disk.get("rows", bytes("b"))).toBeUndefined();
      expect(disk.get("rows", bytes("c"))).toEqual(Buffer.alloc(0));
      expect(disk.get("log", bytes("a"))?.toString()).toBe("log");
      expect(disk.getMany("rows", [bytes("x"), bytes("c"), bytes("a")]).map((value) => value?.toString())).toEqual([undefined, "", "3"]);
      expect(disk.getMany("rows", [])).toEqual([]);
      expect(texts(disk, "log", {})).toEqual(["a=log"]);
    });

    test("applies a batch in its order, counts it, and takes it once", () => {
      const batch = disk.batch();
      batch.put("rows", bytes("a"), bytes("1"));
      batch.delete("rows", bytes("a"));
      batch.delete("rows", bytes("b"));
      batch.put("rows", bytes("b"), bytes("22"));
      expect(batch.operations).toBe(4);
      expect(batch.bytes).toBe(2 + 1 + 1 + 3);
      expect(texts(disk, "rows", {})).toEqual([]);
      disk.write(batch, { sync: true });
      expect(texts(disk, "rows", {})).toEqual(["b=22"]);
      expect(() => disk.write(batch, { sync: false })).toThrow(/at most once/);
      disk.write(disk.batch(), { sync: false });
    });

    test("orders keys as unsigned bytes", () => {
      const keys = ["\x00", "\x00\x00", "\x01", "a", "a\x00", "aa", "\x7f", "\x80", "\xfe\xff", "\xff", "\xff\xff"];
      write(disk, "rows", Object.fromEntries(keys.toReversed().map((key) => [key, ""])));
      expect([...disk.entries("rows", {})].map(([key]) => key.toString("latin1"))).toEqual(keys);
      expect([...disk.entries("rows", { reverse: true })].map(([key]) => key.toString("latin1"))).toEqual(keys.toReversed());
    });

    test("iterates half-open ranges, both ways, up to a limit", () => {
      write(disk, "rows", { a: "", b: "", c: "", d: "", e: "" });
      const keys = (range: KeyRange): string => texts(disk, "rows", range).join("").replaceAll("=", "");
      expect(keys({ from: bytes("b"), to: bytes("d") })).toBe("bc");
      expect(keys({ from: bytes("b"), to: bytes("d"), reverse: true })).toBe("cb");
      expect(keys({ from: bytes("aa") })).toBe("bcde");
      expect(keys({ to: bytes("cc"), reverse: true })).toBe("cba");
      expect(keys({ limit: 2 })).toBe("ab");
      expect(keys({ reverse: true, limit: 2 })).toBe("ed");
      expect(keys({ limit: Infinity })).toBe("abcde");
      for (const empty of [
        { limit: 0 },
        { from: bytes("b"), to: bytes("b") },
        { from: bytes("d"), to: bytes("b") },
        { from: bytes("d"), to: bytes("b"), reverse: true },
        { to: bytes("") },
        { from: bytes("f") },
        { to: bytes("a"), reverse: true },
      ])
        expect(keys(empty)).toBe("");
    });

    test("shows a range as it was at the call, also before the first entry is taken", () => {
      write(disk, "rows", { a: "1", c: "1" });
      const forward = disk.entries("rows", {});
      const backward = disk.entries("rows", { reverse: true });
      write(disk, "rows", { a: "2", b: "2", c: null, d: "2" });
      expect(flat(forward)).toBe("a1 c1");
      expect(flat(backward)).toBe("c1 a1");
      expect(texts(disk, "rows", {})).toEqual(["a=2", "b=2", "d=2"]);
    });

    test("iterates far more than one chunk, nested and broken off, while rows change", () => {
      const count = 3_000;
      const batch = disk.batch();
      for (let index = 0; index < count; index++) batch.put("log", paddedKey(index), Buffer.alloc(50, index));
      disk.write(batch, { sync: false });
      let outer = 0;
      for (const [at] of disk.entries("log", {})) {
        expect(at).toEqual(paddedKey(outer));
        if (outer % 500 === 0) {
          let inner = 0;
          for (const _ of disk.entries("log", { from: at })) if (++inner === 40) break;
          expect(inner).toBe(40);
          write(disk, "log", { [at.toString("latin1")]: null });
        }
        outer++;
      }
      expect(outer).toBe(count);
      expect([...disk.entries("log", {})]).toHaveLength(count - 6);
    });

    test("keeps its bytes apart from the caller's", () => {
      const key = bytes("key");
      const value = bytes("value");
      const batch = disk.batch();
      batch.put("rows", key, value);
      disk.write(batch, { sync: false });
      key.fill(0);
      value.fill(0);
      const got = disk.get("rows", bytes("key"));
      expect(got?.toString()).toBe("value");
      got?.fill(1);
      for (const entry of disk.entries("rows", {})) for (const part of entry) part.fill(2);
      expect(texts(disk, "rows", {})).toEqual(["key=value"]);
    });

    test("takes values of megabytes and hundreds of keys at once", () => {
      const big = Buffer.alloc(3_000_000, "0123456789");
      const batch = disk.batch();
      for (let index = 0; index < 4; index++) batch.put("log", bytes(`big${index}`), big);
      disk.write(batch, { sync: false });
      expect(disk.get("log", bytes("big3"))?.equals(big)).toBe(true);
      expect([...disk.entries("log", {})].reduce((sum, [, value]) => sum + value.length, 0)).toBe(4 * big.length);
      const many = disk.getMany(
        "log",
        Array.from({ length: 700 }, (_, index) => bytes(`big${index}`)),
      );
      expect(many.map((value) => value?.length ?? 0).reduce((sum, length) => sum + length)).toBe(4 * big.length);
    });

    test("deletes a range and nothing beside it", () => {
      const batch = disk.batch();
      for (let index = 0; index < 2_500; index++) batch.put("rows", bytes(`k${String(index).padStart(5, "0")}`), bytes("v"));
      batch.put("log", bytes("k00100"), bytes("other family"));
      disk.write(batch, { sync: false });
      disk.deleteRange("rows", bytes("k00001"), bytes("k02499"));
      disk.deleteRange("rows", bytes("k00000"), bytes("k00000"));
      disk.deleteRange("rows", bytes("z"), bytes("a"));
      expect(texts(disk, "rows", {})).toEqual(["k00000=v", "k02499=v"]);
      expect(texts(disk, "log", {})).toHaveLength(1);
      write(disk, "rows", { k00005: "again" });
      expect(texts(disk, "rows", { limit: 2 })).toEqual(["k00000=v", "k00005=again"]);
    });

    test("refuses every call after close, also of an iterator that was left open", async () => {
      write(disk, "rows", Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, "v"])));
      const left = disk.entries("rows", {});
      left.next();
      const batch = disk.batch();
      batch.put("rows", bytes("a"), bytes("b"));
      const closing = disk.close();
      await Promise.all([closing, disk.close()]);
      const closed = expect.objectContaining({ code: "DISK_CLOSED" });
      expect(() => left.next()).toThrow(closed);
      left.return?.();
      expect(() => disk.get("rows", bytes("a"))).toThrow(closed);
      expect(() => disk.getMany("rows", [bytes("a")])).toThrow(closed);
      expect(() => disk.entries("rows", {})).toThrow(closed);
      expect(() => disk.batch()).toThrow(closed);
      expect(() => disk.write(batch, { sync: false })).toThrow(closed);
      expect(() => disk.deleteRange("rows", bytes("a"), bytes("b"))).toThrow(closed);
    });

    test.skipIf(kind === "memory")("has everything again when it is opened again, by itself the same kind", async () => {
      write(disk, "rows", { a: "1", b: "2" });
      write(disk, "log", { c: "3" });
      disk.deleteRange("rows", bytes("b"), bytes("c"));
      await disk.close();
      disk = await openDisk({ location });
      expect(disk.kind).toBe(kind);
      expect([...texts(disk, "rows", {}), ...texts(disk, "log", {})]).toEqual(["a=1", "c=3"]);
    });

    test("equals a sorted map under random batches and ranges", () => {
      const key = fc.string({ unit: fc.constantFrom("\x00", "a", "b", "\x80", "\xff"), minLength: 1, maxLength: 4 });
      const operation = fc.oneof(
        fc.record({
          kind: fc.constant("write" as const),
          rows: fc.array(fc.tuple(key, fc.option(fc.string({ unit: "binary-ascii", maxLength: 5 }))), { maxLength: 12, size: "max" }),
        }),
        fc.record({
          kind: fc.constant("range" as const),
          from: fc.option(key),
          to: fc.option(key),
          reverse: fc.boolean(),
          limit: fc.option(fc.nat(8)),
        }),
        fc.record({ kind: fc.constant("delete-range" as const), from: key, to: key }),
      );
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 30, size: "max" }), (operations) => {
          disk.deleteRange("rows", bytes("\x00"), bytes("\xff\xff\xff\xff\xff\xff"));
          const model = new Map<string, string>();
          for (const step of operations) {
            if (step.kind === "write") {
              const batch = disk.batch();
              for (const [at, value] of step.rows) {
                if (value === null) batch.delete("rows", bytes(at));
                else batch.put("rows", bytes(at), bytes(value));
                if (value === null) model.delete(at);
                else model.set(at, value);
              }
              disk.write(batch, { sync: false });
            } else if (step.kind === "delete-range") {
              disk.deleteRange("rows", bytes(step.from), bytes(step.to));
              for (const at of model.keys()) if (at >= step.from && at < step.to) model.delete(at);
            } else {
              const { from, to, reverse, limit } = step;
              const expected = [...model]
                .filter(([at]) => (from === null || at >= from) && (to === null || at < to))
                .sort(([a], [b]) => (a < b ? -1 : 1));
              if (reverse) expected.reverse();
              const range: KeyRange = {
                reverse,
                ...(from === null ? {} : { from: bytes(from) }),
                ...(to === null ? {} : { to: bytes(to) }),
                ...(limit === null ? {} : { limit }),
              };
              expect(texts(disk, "rows", range)).toEqual(expected.slice(0, limit ?? undefined).map(([at, value]) => `${at}=${value}`));
            }
          }
        }),
        { numRuns: kind === "classic-level" ? 25 : 80 },
      );
    });
  });
}
