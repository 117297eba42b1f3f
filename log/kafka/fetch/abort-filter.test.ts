import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ATTRIBUTES_AT, CONTROL_BIT, CRC_AT, LAST_OFFSET_DELTA_AT, stampBaseOffset } from "../../record-batch/batch-layout.ts";
import { crc32c } from "../../record-batch/crc32c.ts";
import { RecordBatchBuilder } from "../../record-batch/record-batch-builder.ts";
import { RecordBatchCursor } from "../../record-batch/record-batch-cursor.ts";
import { committedOf } from "./abort-filter.ts";
import type { AbortedTransaction } from "./fetch-response.ts";

interface BatchOptions {
  readonly producerId?: number;
  readonly transactional?: boolean;
  readonly key?: Uint8Array;
}

function batch(
  offset: number,
  values: readonly string[],
  { producerId = -1, transactional = producerId >= 0, key }: BatchOptions = {},
): Buffer {
  const builder = new RecordBatchBuilder();
  for (const value of values) builder.append(1, key ?? null, Buffer.from(value));
  const [sealed] = builder.seal({ producerId: BigInt(producerId), producerEpoch: 0, baseSequence: 0, transactional });
  const bytes = Buffer.from(sealed?.bytes ?? []);
  stampBaseOffset(bytes, offset);
  return bytes;
}

function marker(offset: number, producerId: number, commit: boolean): Buffer {
  const key = Buffer.from([0, 0, 0, commit ? 1 : 0]);
  return resealed(batch(offset, [""], { producerId, key }), (bytes) =>
    bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES_AT) | CONTROL_BIT, ATTRIBUTES_AT),
  );
}

function resealed(bytes: Buffer, change: (bytes: Buffer) => unknown): Buffer {
  change(bytes);
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT);
  return bytes;
}

function read(batches: readonly Buffer[], aborted: readonly [producerId: number, firstOffset: number][], fetchOffset = 0) {
  const list: AbortedTransaction[] = aborted.map(([producerId, firstOffset]) => ({ producerId: BigInt(producerId), firstOffset }));
  const committed = committedOf({ records: Buffer.concat(batches), aborted: list }, fetchOffset);
  const values: string[] = [];
  const cursor = new RecordBatchCursor();
  for (const { bytes, baseOffset } of committed.batches) {
    cursor.reset(bytes, baseOffset);
    while (cursor.next()) if (cursor.offset >= fetchOffset) values.push(String(cursor.value()));
  }
  return { values, nextOffset: committed.nextOffset, nextOffsets: committed.batches.map((each) => each.nextOffset) };
}

describe("abort filter", () => {
  test("drops the records of an aborted transaction and keeps those of a committed one and of plain producers", () => {
    const batches = [
      batch(0, ["a"], { producerId: 1 }),
      batch(1, ["b"], { producerId: 2 }),
      batch(2, ["c"]),
      marker(3, 1, false),
      marker(4, 2, true),
    ];
    expect(read(batches, [[1, 0]])).toEqual({ values: ["b", "c"], nextOffset: 5, nextOffsets: [2, 5] });
  });

  test("sorts the list, which comes in the order of the markers: the older of two overlapping ones does not leak", () => {
    const batches = [
      batch(0, ["old"], { producerId: 1 }),
      batch(1, ["new"], { producerId: 2 }),
      marker(2, 2, false),
      batch(3, ["old2"], { producerId: 1 }),
      marker(4, 1, false),
    ];
    expect(
      read(batches, [
        [2, 1],
        [1, 0],
      ]).values,
    ).toEqual([]);
  });

  test("opens all that have begun when the fetch starts inside several of them", () => {
    const batches = [batch(10, ["x"], { producerId: 1 }), batch(11, ["y"], { producerId: 2 }), marker(12, 1, false), marker(13, 2, false)];
    expect(
      read(
        batches,
        [
          [2, 4],
          [1, 3],
        ],
        10,
      ),
    ).toEqual({ values: [], nextOffset: 14, nextOffsets: [] });
  });

  test("keeps dropping when the marker is beyond the fetch", () => {
    expect(read([batch(0, ["x"], { producerId: 1 }), batch(1, ["y"], { producerId: 1 })], [[1, 0]])).toEqual({
      values: [],
      nextOffset: 2,
      nextOffsets: [],
    });
  });

  test("a producer that aborts and then commits is dropped and kept in turn", () => {
    const batches = [
      batch(0, ["no"], { producerId: 1 }),
      marker(1, 1, false),
      batch(2, ["yes"], { producerId: 1 }),
      marker(3, 1, true),
      batch(4, ["no"], { producerId: 1 }),
      marker(5, 1, false),
    ];
    expect(
      read(batches, [
        [1, 0],
        [1, 4],
      ]).values,
    ).toEqual(["yes"]);
  });

  test("is not ended by a data record whose key is four zero bytes", () => {
    const batches = [batch(0, ["a"], { producerId: 1, key: Buffer.alloc(4) }), batch(1, ["b"], { producerId: 1 }), marker(2, 1, false)];
    expect(read(batches, [[1, 0]]).values).toEqual([]);
    expect(read([batch(0, ["a"], { key: Buffer.alloc(4) })], []).values).toEqual(["a"]);
  });

  test("keeps a plain batch of a producer whose transaction is aborted", () => {
    expect(
      read([batch(0, ["a"], { producerId: 1 }), batch(1, ["plain"], { producerId: 1, transactional: false })], [[1, 0]]).values,
    ).toEqual(["plain"]);
  });

  test("a commit marker ends nothing that is aborted", () => {
    const batches = [batch(0, ["a"], { producerId: 1 }), marker(1, 2, true), batch(2, ["b"], { producerId: 1 })];
    expect(read(batches, [[1, 0]]).values).toEqual([]);
  });

  test("moves over batches that compaction has emptied, and over a gap", () => {
    const empty = resealed(batch(0, ["gone"]), (bytes) => bytes.writeInt32BE(9, LAST_OFFSET_DELTA_AT));
    const emptied = resealed(Buffer.from(empty.subarray(0, 61)), (bytes) => {
      bytes.writeInt32BE(49, 8);
      bytes.writeInt32BE(0, 57);
    });
    expect(read([emptied, batch(20, ["a"])], [])).toEqual({ values: ["a"], nextOffset: 21, nextOffsets: [21] });
  });

  test("ignores a piece of a batch at the end, and a fetch of nothing else stays where it is", () => {
    const whole = batch(0, ["a"]);
    const next = batch(1, ["b"]);
    for (const bytes of [1, 20, 61, next.length - 1])
      expect(read([whole, next.subarray(0, bytes)], [])).toEqual({ values: ["a"], nextOffset: 1, nextOffsets: [1] });
    expect(read([next.subarray(0, next.length - 1)], [], 1)).toEqual({ values: [], nextOffset: 1, nextOffsets: [] });
  });

  test("skips batches that end before the offset that was asked for", () => {
    expect(read([batch(0, ["a", "b"]), batch(2, ["c", "d"])], [], 3)).toEqual({ values: ["d"], nextOffset: 4, nextOffsets: [4] });
  });

  test("a damaged batch is refused, wherever the damage is", () => {
    const whole = batch(7, ["value"]);
    for (let at = 16; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
      expect(() => read([damaged], [], 7), `byte ${at}`).toThrow(/offset 7 is damaged/);
    }
  });

  test("whatever the transactions and wherever the fetch begins and ends, exactly the committed records are kept", () => {
    const step = fc.record({
      producer: fc.integer({ min: 0, max: 3 }),
      action: fc.constantFrom("write", "write", "write", "commit", "abort", "plain"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), fc.nat(), (steps, fromSeed, toSeed) => {
        const log = modelLog(steps);
        const fromIndex = log.batches.length === 0 ? 0 : fromSeed % log.batches.length;
        const toIndex = fromIndex + (toSeed % (log.batches.length - fromIndex + 1));
        const fetchOffset = fromIndex;
        // As brokers do: in the order of the markers, those that overlap the fetched range.
        const list = log.aborted
          .filter((each) => each.last >= fetchOffset && each.first < toIndex)
          .map((each): [number, number] => [each.producer, each.first]);
        const expected = log.records
          .filter((each) => each.offset >= fetchOffset && each.offset < toIndex && each.committed)
          .map((each) => each.value);
        const got = read(log.batches.slice(fromIndex, toIndex), list, fetchOffset);
        expect(got.values).toEqual(expected);
        expect(got.nextOffset).toBe(toIndex);
      }),
      { numRuns: 500 },
    );
  });
});

interface ModelRecord {
  readonly offset: number;
  readonly value: string;
  committed: boolean;
}

/** A partition in which each batch has one offset; what is open at the end is committed by markers behind it. */
function modelLog(steps: readonly { readonly producer: number; readonly action: string }[]) {
  const batches: Buffer[] = [];
  const records: ModelRecord[] = [];
  const aborted: { readonly producer: number; readonly first: number; readonly last: number }[] = [];
  const open = new Map<number, ModelRecord[]>();
  const end = (producer: number, commit: boolean): void => {
    const mine = open.get(producer);
    if (mine === undefined) return;
    const offset = batches.length;
    batches.push(marker(offset, producer, commit));
    for (const record of mine) record.committed = commit;
    if (!commit) aborted.push({ producer, first: mine[0]?.offset ?? 0, last: offset });
    open.delete(producer);
  };
  for (const { producer, action } of steps) {
    const offset = batches.length;
    if (action === "commit" || action === "abort") end(producer, action === "commit");
    else {
      const record = { offset, value: `${producer}@${offset}`, committed: true };
      records.push(record);
      if (action === "write") {
        open.set(producer, [...(open.get(producer) ?? []), record]);
        batches.push(batch(offset, [record.value], { producerId: producer }));
      } else batches.push(batch(offset, [record.value]));
    }
  }
  for (const producer of Array.from(open.keys())) end(producer, true);
  return { batches, records, aborted };
}
