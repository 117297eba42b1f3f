import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { prefixEnd, rowPrefix } from "./row-key.ts";
import { loadStoreIds } from "./store-ids.ts";

test("a store keeps its id whatever comes and goes, and no id is given twice", () => {
  const disk = memoryDisk();
  expect([...loadStoreIds(disk, ["b", "a", "b"])]).toEqual([
    ["b", 1],
    ["a", 2],
  ]);
  expect(loadStoreIds(disk, ["c", "a"]).get("c")).toBe(3);
  expect(new Map(loadStoreIds(disk, ["é/store", "b"]))).toEqual(
    new Map([
      ["a", 2],
      ["b", 1],
      ["c", 3],
      ["é/store", 4],
    ]),
  );
  expect(loadStoreIds(disk, []).size).toBe(4);
});

test("the end of a prefix is behind every key that begins with it, and before the next prefix", () => {
  expect(prefixEnd(rowPrefix(1, 0xffffffff))).toEqual(Buffer.from([0, 0, 0, 2]));
  expect(prefixEnd(rowPrefix(1, 7))).toEqual(rowPrefix(1, 8));
  expect(() => prefixEnd(Buffer.from([0xff, 0xff]))).toThrow(RangeError);
});
