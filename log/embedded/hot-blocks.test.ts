import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { HOT_BYTES_MAX } from "./defaults.ts";
import { HotBlocks } from "./hot-blocks.ts";

const MIB = 1024 * 1024;

test("the newest blocks are found again, and never more bytes are held than the bound", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const hot = new HotBlocks();
  hot.watch(0);
  const kept: (WeakRef<Buffer> | undefined)[] = [];
  for (let offset = 0; offset < 64; offset++) {
    hot.add(0, offset, Buffer.allocUnsafeSlow(MIB).fill(offset));
    const block = hot.get(0, offset);
    kept.push(block && new WeakRef(block));
  }
  // A weak reference holds what it was made for until the turn of the event loop is over.
  await new Promise(setImmediate);
  collect();
  expect(kept.filter((block) => block?.deref() !== undefined)).toHaveLength(HOT_BYTES_MAX / MIB);
  expect(hot.get(0, 63)?.[0]).toBe(63);
  expect(hot.get(0, 0)).toBeUndefined();
});

test("a small block holds its own bytes and nothing beside them", () => {
  const hot = new HotBlocks();
  hot.watch(0);
  const block = Buffer.from("a small block");
  hot.add(0, 0, block);
  expect(hot.get(0, 0)).toEqual(block);
  expect(hot.get(0, 0)?.buffer.byteLength).toBe(block.length);
});

test("what nobody here reads is not kept", () => {
  const hot = new HotBlocks();
  hot.watch(1);
  hot.unwatch(1);
  hot.add(1, 0, Buffer.from("block"));
  expect(hot.get(1, 0)).toBeUndefined();
});
