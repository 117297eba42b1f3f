/** Native memory that the collector does not see is bounded by count, whether the event loop turns or not. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDisk } from "../open-disk.ts";

/** The native batch of a batch of this folder. */
const nativeOf = (batch: object): unknown => Reflect.get(batch, "native");

test("a thread that writes one batch after another uses one native batch, and only a large one is left to the collector", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slackline-batches-"));
  await using disk = await openDisk({ location: directory, kind: "rocksdb" });
  const natives = new Set<unknown>();
  const write = (number: number, valueBytes: number): void => {
    const batch = disk.batch();
    natives.add(nativeOf(batch));
    batch.put("rows", Buffer.from(`key${number}`), Buffer.alloc(valueBytes, number));
    disk.write(batch, { sync: false });
    expect(() => batch.put("rows", Buffer.from("late"), Buffer.alloc(1))).toThrow(/nothing more/);
  };
  for (let number = 0; number < 1_000; number++) write(number, 100);
  expect(natives.size).toBe(1);
  write(1_000, 2 * 1024 * 1024);
  for (let number = 1_001; number < 1_100; number++) write(number, 100);
  expect(natives.size).toBe(2);
  // What was in a batch before is gone from it.
  expect([...disk.entries("rows", {})]).toHaveLength(1_100);
  expect(disk.get("rows", Buffer.from("key7"))).toEqual(Buffer.alloc(100, 7));
  await disk.close();
  await rm(directory, { recursive: true, force: true });
});
