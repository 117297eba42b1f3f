import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { changelogPositionKey, dropPositions, inputPositionKey, putPosition, readPosition } from "./position-rows.ts";

test("positions of a store go with its rows, those of others and of inputs stay", () => {
  const disk = memoryDisk();
  const batch = disk.batch();
  const keys = [1, 2, 255, 256].flatMap((store) => [0, 7].map((partition) => changelogPositionKey(store, partition)));
  const input = inputPositionKey("words", 3);
  for (const [index, key] of [...keys, input].entries()) putPosition(batch, key, { position: 2 ** 40 + index, currentAt: index });
  disk.write(batch, { sync: false });
  dropPositions(disk, 255);
  expect([...keys, input].map((key) => readPosition(disk, key)?.position)).toEqual(
    [0, 1, 2, 3, undefined, undefined, 6, 7, 8].map((index) => (index === undefined ? undefined : 2 ** 40 + index)),
  );
});

test("a row that is no position is none", () => {
  const disk = memoryDisk();
  const key = changelogPositionKey(1, 0);
  for (const row of [Buffer.alloc(0), Buffer.alloc(17), Buffer.from([1, ...Buffer.alloc(16, 0xff)]), Buffer.alloc(40, 1)]) {
    const batch = disk.batch();
    batch.put("rows", key, row);
    disk.write(batch, { sync: false });
    expect(readPosition(disk, key)).toBeUndefined();
  }
});
