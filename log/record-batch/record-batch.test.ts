import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LogError } from "../errors.ts";
import type { RecordHeader } from "../log.ts";
import { ATTRIBUTES_AT, CRC_AT, nextOffsetOf, recordCountOf, stampBaseOffset } from "./batch-layout.ts";
import { crc32c } from "./crc32c.ts";
import { filterBatch } from "./filter-batch.ts";
import { RecordBatchBuilder } from "./record-batch-builder.ts";
import { RecordBatchCursor } from "./record-batch-cursor.ts";

interface PlainRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

const bytes = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null });
const header = fc.record({ key: fc.string({ unit: "binary", maxLength: 5 }), value: bytes });
const timestamp = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }));
const record = fc.record({ timestamp, key: bytes, value: bytes, headers: fc.array(header, { maxLength: 3 }) });

function append(
  builder: RecordBatchBuilder,
  each: { timestamp: number; key: Uint8Array | null; value: Uint8Array | null; headers: RecordHeader[] },
): void {
  builder.append(each.timestamp, each.key, each.value, each.headers);
}

function plain(
  each: { timestamp: number; key: Uint8Array | null; value: Uint8Array | null; headers: RecordHeader[] },
  offset: number,
): PlainRecord {
  return {
    offset,
    timestamp: each.timestamp,
    key: hex(each.key),
    value: hex(each.value),
    headers: each.headers.map((one) => [one.key, hex(one.value)] as const),
  };
}

function hex(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString("hex");
}

function read(blocks: readonly Buffer[], baseOffset = 0): PlainRecord[] {
  const cursor = new RecordBatchCursor();
  const records: PlainRecord[] = [];
  let offset = baseOffset;
  for (const block of blocks) {
    cursor.reset(block, offset);
    while (cursor.next()) {
      const headers = cursor.headers().map((one) => [one.key, hex(one.value)] as const);
      records.push({ offset: cursor.offset, timestamp: cursor.timestamp, key: hex(cursor.key()), value: hex(cursor.value()), headers });
    }
    offset = cursor.nextOffset;
  }
  return records;
}

/** Kafka's own description of the format, read naively with big integers: independent of the cursor. */
function naive(block: Buffer): PlainRecord[] {
  let at = 61;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = block.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n));
    }
  };
  const field = (): string | null => {
    const length = varint();
    if (length < 0) return null;
    at += length;
    return block.toString("hex", at - length, at);
  };
  const records: PlainRecord[] = [];
  for (let left = block.readInt32BE(57); left > 0; left--) {
    const length = varint();
    const end = at + length;
    expect(block.readInt8(at++)).toBe(0);
    const timestampOf = Number(block.readBigInt64BE(27)) + varint();
    const offset = Number(block.readBigInt64BE(0)) + varint();
    const key = field();
    const value = field();
    const headers = Array.from({ length: varint() }, () => [Buffer.from(field() ?? "", "hex").toString(), field()] as const);
    expect(at).toBe(end);
    records.push({ offset, timestamp: timestampOf, key, value, headers });
  }
  expect(at).toBe(block.length);
  return records;
}

describe("CRC-32C", () => {
  test("gives the check values of its catalogue, at any alignment", () => {
    const text = Buffer.from("xx123456789");
    expect(crc32c(text, 2, 11)).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32), 0, 32)).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff), 0, 32)).toBe(0x62a8ab43);
    expect(crc32c(text, 0, 0)).toBe(0);
  });
});

describe("RecordBatchBuilder", () => {
  test("writes what a naive reader of Kafka's format reads, over several blocks and timestamps in any order", () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 60, size: "max" }),
        fc.integer({ min: 80, max: 600 }),
        (records, blockBytesMax) => {
          const builder = new RecordBatchBuilder({ blockBytesMax });
          for (const each of records) append(builder, each);
          const blocks = builder.seal().map((block) => block.bytes);
          let offset = 1000;
          for (const block of blocks) {
            stampBaseOffset(block, offset);
            offset = nextOffsetOf(block, offset);
            expect(block.readInt32BE(8)).toBe(block.length - 12);
            expect(block.readUInt32BE(CRC_AT)).toBe(crc32c(block, ATTRIBUTES_AT, block.length));
            expect(block.readBigInt64BE(43)).toBe(-1n);
          }
          const expected = records.map((each, index) => plain(each, 1000 + index));
          expect(blocks.flatMap(naive)).toEqual(expected);
          expect(read(blocks, 1000)).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("comes back to its savepoint byte for byte, whatever was appended since", () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 30, size: "max" }),
        fc.array(record, { maxLength: 30, size: "max" }),
        fc.array(record, { maxLength: 10 }),
        (kept, undone, after) => {
          const builder = new RecordBatchBuilder({ blockBytesMax: 300 });
          const plainly = new RecordBatchBuilder({ blockBytesMax: 300 });
          for (const each of kept) append(builder, each);
          builder.savepoint();
          const length = builder.byteLength;
          for (const each of undone) append(builder, each);
          builder.rollback();
          expect(builder.byteLength).toBe(length);
          for (const each of after) append(builder, each);
          for (const each of [...kept, ...after]) append(plainly, each);
          expect(builder.seal().map((block) => block.bytes.toString("hex"))).toEqual(
            plainly.seal().map((block) => block.bytes.toString("hex")),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test("closes a block before its bound and gives a larger record a block of its own", () => {
    const builder = new RecordBatchBuilder({ blockBytesMax: 1000 });
    for (let index = 0; index < 20; index++) builder.append(index, null, Buffer.alloc(200));
    builder.append(20, null, Buffer.alloc(5000));
    builder.append(21, null, Buffer.alloc(5));
    const sizes = builder.seal().map((block) => block.bytes.length);
    expect(sizes.filter((size) => size > 1000)).toHaveLength(1);
    expect(sizes.reduce((all, size) => all + size, 0)).toBe(builder.byteLength);
  });

  test("stamps a producer with sequences that go on over blocks and wrap at 2^31", () => {
    const builder = new RecordBatchBuilder({ blockBytesMax: 100 });
    for (let index = 0; index < 3; index++) builder.append(index, null, Buffer.alloc(60));
    const blocks = builder.seal({ producerId: 7n, producerEpoch: 3, baseSequence: 0x7fff_ffff, transactional: true });
    expect(blocks.map(({ bytes: block }) => block.readInt32BE(53))).toEqual([0x7fff_ffff, 0, 1]);
    expect(blocks.map(({ bytes: block }) => [block.readBigInt64BE(43), block.readInt16BE(51), block.readInt16BE(21)])).toEqual(
      Array.from({ length: 3 }, () => [7n, 3, 16]),
    );
  });

  test("is used again after a reset without a trace of what it held", () => {
    const builder = new RecordBatchBuilder();
    builder.append(1, Buffer.from("old"), Buffer.alloc(3_000_000));
    builder.seal();
    builder.reset();
    builder.append(5, Buffer.from("new"), null);
    expect(read(builder.seal().map((block) => block.bytes))).toEqual([
      { offset: 0, timestamp: 5, key: hex(Buffer.from("new")), value: null, headers: [] },
    ]);
  });
});

function sample(): Buffer {
  const builder = new RecordBatchBuilder();
  for (let index = 0; index < 5; index++)
    builder.append(1_700_000_000_000 + index * 1e6, Buffer.from(`key ${index}`), index === 3 ? null : Buffer.from(`value ${index}`), [
      { key: "h", value: Buffer.from("v") },
    ]);
  return Buffer.from(builder.seal()[0]?.bytes ?? []);
}

/** Reads everything there is to read. */
function walk(block: Buffer, checkCrc: boolean): void {
  const cursor = new RecordBatchCursor({ checkCrc });
  cursor.reset(block, 0);
  while (cursor.next()) {
    for (const at of [cursor.keyStart, cursor.keyEnd, cursor.valueStart, cursor.valueEnd]) expect(at).toBeLessThanOrEqual(block.length);
    cursor.headers();
    cursor.key();
    cursor.value();
  }
}

function codeOf(action: () => void): string {
  try {
    action();
    return "none";
  } catch (error) {
    if (error instanceof LogError) return error.code;
    throw error;
  }
}

describe("RecordBatchCursor", () => {
  test("finds any single changed byte behind the CRC", () => {
    const block = sample();
    for (let at = CRC_AT; at < block.length; at++) {
      const damaged = Buffer.from(block);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(codeOf(() => walk(damaged, true))).toBe("BATCH_CORRUPT");
    }
  });

  test("answers BATCH_CORRUPT or stays inside the block, whatever the bytes are", () => {
    const block = sample();
    const damage = fc.array(fc.tuple(fc.integer({ min: 0, max: block.length - 1 }), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.integer({ min: 0, max: block.length }), fc.boolean(), (changes, cut, truncate) => {
        const damaged = Buffer.from(truncate ? block.subarray(0, cut) : block);
        for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte;
        expect(["none", "BATCH_CORRUPT", "COMPRESSION_UNSUPPORTED"]).toContain(codeOf(() => walk(damaged, false)));
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        // A sound header over nonsense, so that the records section itself is met.
        const nonsense = Buffer.concat([block.subarray(0, 61), rest]);
        nonsense.writeInt32BE(nonsense.length - 12, 8);
        expect(["none", "BATCH_CORRUPT"]).toContain(codeOf(() => walk(nonsense, false)));
      }),
      { numRuns: 3000 },
    );
  });

  test("refuses a hostile header count at once", () => {
    const builder = new RecordBatchBuilder();
    builder.append(0, null, null);
    const block = Buffer.from(builder.seal()[0]?.bytes ?? []);
    block[block.length - 1] = 0x7e;
    expect(codeOf(() => walk(block, false))).toBe("BATCH_CORRUPT");
  });

  test("names the compression of a block that it cannot read", () => {
    const block = sample();
    block.writeInt16BE(4, ATTRIBUTES_AT);
    block.writeUInt32BE(crc32c(block, ATTRIBUTES_AT, block.length), CRC_AT);
    expect(() => new RecordBatchCursor().reset(block, 9)).toThrow(/offset 9 .*zstd/);
  });

  test("gives every record the append time of the broker where the batch says so", () => {
    const block = sample();
    block.writeInt16BE(8, ATTRIBUTES_AT);
    block.writeUInt32BE(crc32c(block, ATTRIBUTES_AT, block.length), CRC_AT);
    expect(new Set(read([block]).map((each) => each.timestamp))).toEqual(new Set([1_700_004_000_000]));
  });
});

describe("filterBatch", () => {
  test("keeps the records it is told to, with their offsets, and the range of the block", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(record, fc.boolean()), { minLength: 1, maxLength: 20 }), (records) => {
        const builder = new RecordBatchBuilder();
        for (const [each] of records) append(builder, each);
        const block = builder.seal()[0]?.bytes ?? Buffer.alloc(0);
        fc.pre(recordCountOf(block) === records.length);
        const filtered = filterBatch(block, 100, new RecordBatchCursor(), (cursor) => records[cursor.offset - 100]?.[1] === true);
        expect(read([filtered], 100)).toEqual(
          records.map(([each], index) => plain(each, 100 + index)).filter((_, index) => records[index]?.[1]),
        );
        expect(nextOffsetOf(filtered, 100)).toBe(100 + records.length);
      }),
    );
  });
});
