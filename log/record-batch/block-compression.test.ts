import { expect, test } from "vitest";
import { wasmCompressors } from "../kafka/client/wire.ts";
import { ATTRIBUTES_AT } from "./batch-layout.ts";
import { BlockCompression } from "./block-compression.ts";
import { RecordBatchBuilder } from "./record-batch-builder.ts";
import { RecordBatchCursor } from "./record-batch-cursor.ts";

function block(value: string): Buffer {
  const builder = new RecordBatchBuilder();
  for (let record = 0; record < 10; record++) builder.append(record, null, Buffer.from(value));
  return Buffer.from(builder.seal()[0]?.bytes ?? []);
}

const compression = new BlockCompression(wasmCompressors, 100_000);

test.each(["gzip", "snappy", "lz4", "zstd"] as const)("%s: a block comes back byte for byte, smaller meanwhile", (kind) => {
  const plain = block("text ".repeat(100));
  const small = compression.compress(plain, kind);
  expect(small.length).toBeLessThan(plain.length / 3);
  expect(compression.decompress(small, 0)).toEqual(plain);
  const cursor = new RecordBatchCursor();
  cursor.reset(compression.decompress(small, 5), 5);
  expect(cursor.next() && String(cursor.value())).toBe("text ".repeat(100));
});

test("what does not become smaller stays as it is", () => {
  const plain = block("");
  expect(compression.compress(plain, "lz4")).toBe(plain);
  expect(compression.compress(plain, "none")).toBe(plain);
  expect(compression.decompress(plain, 0)).toBe(plain);
});

test.each(["gzip", "snappy", "lz4", "zstd"] as const)("%s: what would become too large, or is no such data, is refused", (kind) => {
  const bomb = compression.compress(block("0".repeat(20_000)), kind);
  expect(() => compression.decompress(bomb, 3)).toThrow(expect.objectContaining({ code: "BATCH_CORRUPT", offset: 3 }));
  const damaged = compression.compress(block("text ".repeat(100)), kind);
  damaged.fill(0xee, 61);
  expect(() => compression.decompress(damaged, 3)).toThrow(expect.objectContaining({ code: "BATCH_CORRUPT" }));
});

test("a codec that is not known is named", () => {
  const strange = block("x");
  strange.writeInt16BE(7, ATTRIBUTES_AT);
  expect(() => compression.decompress(strange, 3)).toThrow(expect.objectContaining({ code: "COMPRESSION_UNSUPPORTED" }));
});
