/** Random walks of writers, a producer, a reader and upkeep over the embedded log, against arrays. */
import { memoryDisk } from "#disk";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Log, Producer, Reader, Writer } from "../log.ts";
import { RecordBatchCursor } from "../record-batch/record-batch-cursor.ts";
import { openEmbeddedLog } from "./embedded-log.ts";

const PARTITIONS = 2;
const RETENTION_BYTES = 400_000;

type Entry = readonly [partition: number, value: string];

/** What the log should hold, in the plainest form. */
class Model {
  readonly records: string[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly starts: number[] = Array.from({ length: PARTITIONS }, () => 0);
  readonly positions: number[] = Array.from({ length: PARTITIONS }, () => 0);
  readonly buffered: Entry[][] = [[], [], []];
  readonly saved: number[] = [0, 0, 0];
  committed = 0;

  commit(who: number): void {
    for (const [partition, value] of this.buffered[who] ?? []) this.records[partition]?.push(value);
    this.buffered[who] = [];
    this.saved[who] = 0;
  }
}

interface System {
  log: Log;
  reader: Reader;
  writers: Writer[];
  producer: Producer;
  commits: number;
}

interface Step {
  readonly what: "append" | "savepoint" | "rollback" | "commit" | "poll" | "delete" | "maintain" | "reopen";
  readonly who: number;
  readonly partition: number;
  readonly size: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    { weight: 12, arbitrary: fc.constant("append" as const) },
    { weight: 8, arbitrary: fc.constantFrom("savepoint" as const, "rollback" as const, "commit" as const, "poll" as const) },
    { weight: 1, arbitrary: fc.constantFrom("delete" as const, "maintain" as const, "reopen" as const) },
  ),
  who: fc.integer({ min: 0, max: 2 }),
  partition: fc.integer({ min: 0, max: PARTITIONS - 1 }),
  size: fc.constantFrom(0, 3, 50, 3000, 90_000),
});

const disks = new WeakMap<Log, ReturnType<typeof memoryDisk>>();

async function start(disk: ReturnType<typeof memoryDisk>, positions: readonly number[]): Promise<System> {
  const log = await openEmbeddedLog({ disk });
  disks.set(log, disk);
  await log.topics.ensure([{ name: "t", partitions: PARTITIONS, cleanup: "delete", retentionBytes: RETENTION_BYTES }]);
  const writers = [0, 1].map((index) => log.writer({ group: "g", transactionalId: `writer ${index}` }));
  for (const writer of writers) await writer.initialize();
  const reader = log.reader({ pollBytesMax: 200_000 });
  reader.assign(positions.map((offset, partition) => ({ topic: "t", partition, offset, outOfRange: "start" })));
  return { log, reader, writers, producer: log.producer(), commits: 0 };
}

/** Each record read is the model's at that offset, in order and without a gap but for what was deleted. */
function poll(system: System, model: Model): void {
  const cursor = new RecordBatchCursor();
  for (const batch of system.reader.poll()) {
    const position = Math.max(model.positions[batch.partition] ?? 0, model.starts[batch.partition] ?? 0);
    let expected = position;
    cursor.reset(batch.bytes, batch.baseOffset);
    while (cursor.next()) {
      if (cursor.offset < batch.fetchOffset) continue;
      expect([cursor.offset, String(cursor.value())]).toEqual([expected, model.records[batch.partition]?.[expected]]);
      expected += 1;
    }
    expect(batch.nextOffset).toBe(expected);
    model.positions[batch.partition] = expected;
  }
}

/** Retention moves the start forward only while more than its bound is held. */
async function retained(system: System, model: Model, partition: number): Promise<void> {
  const start = await system.log.offsets.bound({ topic: "t", partition }, "start");
  const before = model.starts[partition] ?? 0;
  expect(start).toBeGreaterThanOrEqual(before);
  if (start === before) return;
  model.starts[partition] = start;
  // The values alone: what stands around each record is a few bytes, and 61 a block.
  const held = model.records[partition]?.slice(start).reduce((bytes, value) => bytes + value.length, 0) ?? 0;
  expect(held).toBeGreaterThan(0.8 * RETENTION_BYTES);
}

async function take(system: System, model: Model, { what, who, partition, size }: Step, index: number): Promise<System> {
  const writer = system.writers[who];
  const buffered = model.buffered[who] ?? [];
  if (what === "append") {
    const value = `${index} ${"x".repeat(size)}`;
    (writer ?? system.producer).append("t", partition, index, Buffer.from("k"), Buffer.from(value));
    buffered.push([partition, value]);
  } else if (what === "savepoint") {
    writer?.savepoint();
    if (writer !== undefined) model.saved[who] = buffered.length;
  } else if (what === "rollback") {
    writer?.rollback();
    if (writer !== undefined) buffered.length = model.saved[who] ?? 0;
  } else if (what === "commit") {
    await (writer === undefined
      ? system.producer.flush()
      : writer.commit({ offsets: [{ topic: "t", partition: 0, offset: index, metadata: `${who}` }], rows: [] }));
    if (writer !== undefined) model.committed = index;
    model.commit(who);
  } else if (what === "poll") poll(system, model);
  else if (what === "maintain") {
    await system.log.maintain(0);
    for (const each of model.starts.keys()) await retained(system, model, each);
  } else if (what === "delete") {
    await system.log.topics.deleteRecords({ topic: "t", partition }, index);
    model.starts[partition] = Math.max(model.starts[partition] ?? 0, Math.min(index, model.records[partition]?.length ?? 0));
  } else {
    await system.log.close();
    for (const [each] of model.buffered.entries()) model.buffered[each] = [];
    model.saved.fill(0);
    return start(disks.get(system.log) ?? memoryDisk(), model.positions);
  }
  return system;
}

test("writers, a producer, readers and upkeep in any order keep to a plain model, also over reopening", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 150, size: "max" }), async (steps) => {
      const model = new Model();
      let system = await start(memoryDisk(), model.positions);
      for (const [index, each] of steps.entries()) {
        system = await take(system, model, each, index);
        for (const partition of model.starts.keys()) {
          expect(await system.log.offsets.bound({ topic: "t", partition }, "start")).toBe(model.starts[partition]);
          expect(await system.log.offsets.bound({ topic: "t", partition }, "stable")).toBe(model.records[partition]?.length);
        }
        for (const [who, writer] of system.writers.entries()) expect(writer.bufferedBytes > 0).toBe((model.buffered[who]?.length ?? 0) > 0);
      }
      for (let call = 0; call < 40; call++) poll(system, model);
      expect(model.positions.map((position, partition) => Math.max(position, model.starts[partition] ?? 0))).toEqual(
        model.records.map((records) => records.length),
      );
      const [committed] = await system.log.offsets.committed("g", [{ topic: "t", partition: 0 }]);
      expect(committed?.offset ?? 0).toBe(model.committed);
      await system.log.close();
    }),
    { numRuns: 150 },
  );
});
