import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareRuns } from "./same-bytes.ts";
import type { RawRecord } from "./same-bytes.ts";

const bytes = fc.option(fc.uint8Array({ maxLength: 4 }));
const runs = fc
  .array(fc.record({ partition: fc.nat(2), timestamp: fc.nat(3), key: bytes, value: bytes }), { minLength: 1, maxLength: 30 })
  .map((records) => {
    const next = new Map<number, number>();
    return records.map((record): RawRecord => {
      const offset = next.get(record.partition) ?? 0;
      next.set(record.partition, offset + 1);
      return { ...record, offset };
    });
  });

const byPartition = (records: readonly RawRecord[]) => records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
const copy = (records: readonly RawRecord[]) =>
  records.map((record) => ({ ...record, value: record.value && Uint8Array.from(record.value) }));

test("equal runs are equal, however their partitions are interleaved", async () => {
  await fc.assert(
    fc.asyncProperty(runs, async (records) => {
      const verdict = await compareRuns([{ topic: "t", first: records, second: byPartition(copy(records)) }]);
      expect(verdict).toMatchObject({ invariant: "D6", ok: true, checked: records.length, violations: [] });
    }),
  );
});

test("a run that lacks a record, has one more, or differs in any field is told with its place", async () => {
  await fc.assert(
    fc.asyncProperty(runs, fc.nat(), fc.nat(4), async (records, number, kind) => {
      const at = number % records.length;
      const record = records[at];
      if (record === undefined) return;
      const mutations: readonly (readonly RawRecord[])[] = [
        records.toSpliced(at, 1),
        [...records, { ...record, offset: 1_000 }],
        records.with(at, { ...record, value: Uint8Array.of(...(record.value ?? []), 7) }),
        records.with(at, { ...record, timestamp: record.timestamp + 1 }),
        records.with(at, { ...record, key: record.key === null ? new Uint8Array() : null }),
      ];
      const verdict = await compareRuns([{ topic: "t", first: records, second: mutations[kind] ?? [] }]);
      expect(verdict.ok).toBe(false);
      expect(verdict.violations[0]).toMatch(new RegExp(`^t-${record.partition}@\\d+: `));
      expect(verdict.violationCount).toBe(1);
    }),
  );
});

const compare = async (a: RawRecord, b: RawRecord, offsets = true) =>
  (await compareRuns([{ topic: "t", first: [a], second: [b] }], { offsets })).violations;

test("headers count, offsets only if asked for", async () => {
  const record = { partition: 0, offset: 0, timestamp: 1, key: null, value: Uint8Array.of(1) };
  const header = (value: number) => ({ ...record, headers: [{ key: "h", value: Uint8Array.of(value) }] });
  expect(await compare(header(1), header(1))).toEqual([]);
  expect(await compare(header(1), header(2))).toEqual(["t-0@0: the runs differ in headers"]);
  expect(await compare(record, { ...record, offset: 2 })).toEqual(["t-0@2: the runs differ in offset: 0 and 2"]);
  expect(await compare(record, { ...record, offset: 2 }, false)).toEqual([]);
});

test("gives up when one reading runs far ahead of the other", async () => {
  const records = Array.from({ length: 20 }, (_, offset): RawRecord => ({ partition: 0, offset, timestamp: 0, key: null, value: null }));
  const others = records.map((record) => ({ ...record, partition: 1 }));
  await expect(compareRuns([{ topic: "t", first: records, second: others }], { aheadMax: 10 })).rejects.toThrow("ahead of the other");
});
