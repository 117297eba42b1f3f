/** Native memory that the collector does not see is bounded by count, whether the event loop turns or not. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DiskBatch } from "../disk.ts";
import { openDisk } from "../open-disk.ts";

/** The native batch of a batch of this folder. */
const nativeOf = (batch: object): unknown => Reflect.get(batch, "native");

test("a thread that writes one batch after another uses one native batch, and only a large one is left to the collector", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slackline-batches-"));
  await using disk = await openDisk({ location: directory, kind: "rocksdb" });
  const natives = new Set<unknown>();
  const write = (number: number, valueBytes: number): DiskBatch => {
    const batch = disk.batch();
    natives.add(nativeOf(batch));
    batch.put("rows", Buffer.from(`key${number}`), Buffer.alloc(valueBytes, number));
    disk.write(batch, { sync: false });
    return batch;
  };
  let last = write(0, 100);
  for (let number = 1; number < 200; number++) last = write(number, 100);
  expect(natives.size).toBe(1);
  // It may be another's by now.
  expect(() => last.put("rows", Buffer.from("late"), Buffer.alloc(1))).toThrow(/nothing more/);
  expect(() => last.delete("rows", Buffer.from("key1"))).toThrow(/nothing more/);
  write(200, 2 * 1024 * 1024);
  for (let number = 201; number < 300; number++) write(number, 100);
  expect(natives.size).toBe(2);
  // What was in a batch before is gone from it.
  expect([...disk.entries("rows", {})]).toHaveLength(300);
  expect(disk.get("rows", Buffer.from("key7"))).toEqual(Buffer.alloc(100, 7));
  await disk.close();
  await rm(directory, { recursive: true, force: true });
});
