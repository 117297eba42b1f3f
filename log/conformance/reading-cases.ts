import { expect, test, vi } from "vitest";
import type { LogUnderTest } from "./log-under-test.ts";
import { codeOf, fresh, from, pollRecords, produce, readRecords, topicOf, utf8, writerOf } from "./log-under-test.ts";
import type { Reader } from "../log.ts";

/** Readers, bounds, committed offsets, changes. */
export function readingCases(under: () => LogUnderTest, waitMsMax: number): void {
  /** Polls until `enough` says so; values by partition, in the order they came. */
  async function pollUntil(reader: Reader, enough: (values: Map<string, string[]>) => boolean): Promise<Map<string, string[]>> {
    const values = new Map<string, string[]>();
    await vi.waitFor(
      () => {
        for (const [at, records] of pollRecords(reader))
          values.set(at, [...(values.get(at) ?? []), ...records.map((record) => record.value ?? "null")]);
        expect(enough(values)).toBe(true);
      },
      { timeout: waitMsMax, interval: 2 },
    );
    return values;
  }

  test("a reader starts inside a block at the offset it was given and moves its position", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    await produce(log, topic, 0, numbers(100));
    const [all, some] = [log.reader(), log.reader()];
    const offsets = (await readRecords(log, { topic, partition: 0 }, 100, waitMsMax)).map((record) => record.offset);
    some.assign([from(topic, 0, offsets[60])]);
    expect(some.position({ topic, partition: 0 })).toBe(offsets[60]);
    const values = await pollUntil(some, (seen) => (seen.get(`${topic}/0`)?.length ?? 0) >= 40);
    expect(values.get(`${topic}/0`)).toEqual(numbers(100).slice(60));
    expect(some.position({ topic, partition: 0 })).toBeGreaterThan(offsets[99] ?? 0);
    await Promise.all([all.close(), some.close()]);
  });

  test("one poll gives at most its bytes, and every partition its turn", async () => {
    const { log } = under();
    const topic = await topicOf(log, 3);
    for (let round = 0; round < 10; round++)
      for (const partition of [0, 1, 2]) await produce(log, topic, partition, [`${partition}-${round} ${"x".repeat(3000)}`]);
    const reader = log.reader({ pollBytesMax: 10_000 });
    reader.assign([0, 1, 2].map((partition) => from(topic, partition)));
    let seen = 0;
    const positions = new Map<string, number>();
    await vi.waitFor(
      () => {
        const batches = reader.poll();
        expect(batches.reduce((bytes, batch) => bytes + batch.bytes.length, 0)).toBeLessThanOrEqual(10_000);
        for (const batch of batches)
          positions.set(`${batch.topic}/${batch.partition}`, (positions.get(`${batch.topic}/${batch.partition}`) ?? 0) + batch.recordCount);
        seen += batches.reduce((count, batch) => count + batch.recordCount, 0);
        // None is starved while the others are read.
        if (seen === 15) expect(Math.min(...positions.values())).toBeGreaterThan(1);
        expect(seen).toBeGreaterThanOrEqual(30);
      },
      { timeout: waitMsMax, interval: 1 },
    );
    expect([seen, ...positions.values()]).toEqual([30, 10, 10, 10]);
  });

  test("a batch above the poll's bytes comes alone", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    await produce(log, topic, 0, ["x".repeat(5000), "y".repeat(5000)]);
    const reader = log.reader({ pollBytesMax: 100 });
    reader.assign([from(topic, 0)]);
    const values = await pollUntil(reader, (seen) => (seen.get(`${topic}/0`)?.length ?? 0) >= 2);
    expect(values.get(`${topic}/0`)?.map((value) => value[0])).toEqual(["x", "y"]);
  });

  test("a paused partition gives nothing and loses nothing", async () => {
    const { log } = under();
    const topic = await topicOf(log, 2);
    const reader = log.reader();
    reader.assign([from(topic, 0), from(topic, 1)]);
    reader.pause({ topic, partition: 0 });
    await produce(log, topic, 0, ["a", "b"]);
    await produce(log, topic, 1, ["c"]);
    const first = await pollUntil(reader, (seen) => (seen.get(`${topic}/1`)?.length ?? 0) >= 1);
    expect(first.has(`${topic}/0`)).toBe(false);
    expect(reader.position({ topic, partition: 0 })).toBe(0);
    reader.resume({ topic, partition: 0 });
    const second = await pollUntil(reader, (seen) => (seen.get(`${topic}/0`)?.length ?? 0) >= 2);
    expect(second.get(`${topic}/0`)).toEqual(["a", "b"]);
  });

  test("a new assignment keeps what stays, drops what goes and starts what comes", async () => {
    const { log } = under();
    const topic = await topicOf(log, 3);
    for (const partition of [0, 1, 2]) await produce(log, topic, partition, [`${partition}a`]);
    const reader = log.reader();
    reader.assign([from(topic, 0), from(topic, 1)]);
    await pollUntil(reader, (seen) => seen.size === 2);
    for (const partition of [0, 1, 2]) await produce(log, topic, partition, [`${partition}b`]);
    reader.assign([from(topic, 1, reader.position({ topic, partition: 1 })), from(topic, 2)]);
    const values = await pollUntil(
      reader,
      (seen) => (seen.get(`${topic}/1`)?.length ?? 0) >= 1 && (seen.get(`${topic}/2`)?.length ?? 0) >= 2,
    );
    expect([...values].toSorted(([one], [other]) => one.localeCompare(other))).toEqual([
      [`${topic}/1`, ["1b"]],
      [`${topic}/2`, ["2a", "2b"]],
    ]);
    expect(() => reader.position({ topic, partition: 0 })).toThrow();
    expect(await codeOf(() => reader.assign([from(fresh("nowhere"), 0)]))).toBe("UNKNOWN_TOPIC");
  });

  test("the end offset of a reader is never ahead of the truth and comes to it", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const reader = log.reader();
    reader.assign([from(topic, 0)]);
    expect(reader.endOffset({ topic, partition: 0 })).toBeLessThanOrEqual(0);
    const writer = await writerOf(log);
    writer.append(topic, 0, 0, null, utf8("v"));
    await writer.commit({ offsets: [], rows: [] });
    const end = await log.offsets.bound({ topic, partition: 0 }, "stable");
    await pollUntil(reader, (seen) => seen.size === 1);
    await vi.waitFor(
      () => {
        reader.poll();
        expect(reader.endOffset({ topic, partition: 0 })).toBe(end);
        expect(reader.position({ topic, partition: 0 })).toBe(end);
      },
      { timeout: waitMsMax, interval: 2 },
    );
  });

  test("deleted records move the start; a reader below it goes where its policy says", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    await produce(log, topic, 0, numbers(50));
    await produce(log, topic, 0, ["last"]);
    const at = { topic, partition: 0 };
    const offsets = (await readRecords(log, at, 51, waitMsMax)).map((record) => record.offset);
    await log.topics.deleteRecords(at, offsets[30] ?? 0);
    expect(await log.offsets.bound(at, "start")).toBe(offsets[30]);
    const readers = (["start", "end", "fail"] as const).map((outOfRange) => {
      const reader = log.reader();
      reader.assign([{ ...at, offset: 3, outOfRange }]);
      return reader;
    });
    const [start, end, fail] = readers as [Reader, Reader, Reader];
    const values = await pollUntil(start, (seen) => (seen.get(`${topic}/0`)?.length ?? 0) >= 21);
    expect(values.get(`${topic}/0`)).toEqual([...numbers(50).slice(30), "last"]);
    const stable = await log.offsets.bound(at, "stable");
    await vi.waitFor(
      () => {
        expect(end.poll()).toEqual([]);
        expect(end.position(at)).toBe(stable);
      },
      { timeout: waitMsMax, interval: 2 },
    );
    await vi.waitFor(async () => expect(await codeOf(() => fail.poll())).toBe("OFFSET_OUT_OF_RANGE"), { timeout: waitMsMax, interval: 2 });
  });

  test("an offset beyond the end is out of range too", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    await produce(log, topic, 0, ["a"]);
    const reader = log.reader();
    reader.assign([{ topic, partition: 0, offset: 1_000_000, outOfRange: "start" }]);
    const values = await pollUntil(reader, (seen) => seen.size === 1);
    expect(values.get(`${topic}/0`)).toEqual(["a"]);
  });

  test("bounds tell start, stable end and high watermark", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const at = { topic, partition: 0 };
    expect([
      await log.offsets.bound(at, "start"),
      await log.offsets.bound(at, "stable"),
      await log.offsets.bound(at, "high-watermark"),
    ]).toEqual([0, 0, 0]);
    await produce(log, topic, 0, numbers(3));
    expect([
      await log.offsets.bound(at, "start"),
      await log.offsets.bound(at, "stable"),
      await log.offsets.bound(at, "high-watermark"),
    ]).toEqual([0, 3, 3]);
    expect(await codeOf(() => log.offsets.bound({ topic: fresh("nowhere"), partition: 0 }, "start"))).toBe("UNKNOWN_TOPIC");
  });

  test("an offset for a time is that of the first record at or after it", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const at = { topic, partition: 0 };
    for (const timestamps of [
      [10, 40, 20],
      [30, 50],
    ]) {
      const producer = log.producer();
      for (const timestamp of timestamps) producer.append(topic, 0, timestamp, null, utf8("v"));
      await producer.flush();
    }
    const found = [];
    for (const timestamp of [0, 10, 11, 40, 41, 50, 51]) found.push(await log.offsets.forTime(at, timestamp));
    expect(found).toEqual([0, 0, 1, 1, 4, 4, undefined]);
  });

  test("committed offsets are kept by group and partition, and groups are listed", async () => {
    const { log } = under();
    const topic = await topicOf(log, 2);
    await produce(log, topic, 0, ["a", "b"]);
    await produce(log, topic, 1, ["c"]);
    const groups = [fresh("group"), fresh("group-longer")];
    for (const [index, group] of groups.entries()) {
      const writer = await writerOf(log, group);
      await writer.commit({ offsets: [{ topic, partition: index, offset: index + 1, metadata: group }], rows: [] });
    }
    const partitions = [0, 1].map((partition) => ({ topic, partition }));
    expect(await log.offsets.committed(groups[0] ?? "", partitions)).toEqual([{ offset: 1, metadata: groups[0] }, undefined]);
    expect(await log.offsets.committed(groups[1] ?? "", partitions)).toEqual([undefined, { offset: 2, metadata: groups[1] }]);
    expect(await log.offsets.committed(fresh("group"), partitions)).toEqual([undefined, undefined]);
    expect(await log.offsets.groups()).toEqual(expect.arrayContaining(groups));
  });

  test("the version grows with what may be read, and who waits for it is woken", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const reader = log.reader();
    reader.assign([from(topic, 0)]);
    reader.poll();
    const before = log.version();
    const woken = log.changed(before);
    await produce(log, topic, 0, ["v"]);
    await woken;
    expect(log.version()).toBeGreaterThan(before);
    await log.changed(before);
  });

  test("what was committed is there after the log was opened again", async (context) => {
    const first = under();
    if (first.reopen === undefined) {
      context.skip();
      return;
    }
    const [topic, group, id] = [await topicOf(first.log, 2), fresh("group"), fresh("id")];
    await produce(first.log, topic, 0, numbers(10));
    const older = await writerOf(first.log, group, id);
    older.append(topic, 1, 0, null, utf8("committed"));
    await older.commit({ offsets: [{ topic, partition: 0, offset: 4, metadata: "m" }], rows: [] });
    older.append(topic, 1, 0, null, utf8("not committed"));
    await first.log.topics.deleteRecords({ topic, partition: 0 }, 2);
    const { log, close } = await first.reopen();
    expect(await log.topics.describe(topic)).toMatchObject({ name: topic, partitions: 2 });
    expect(await log.offsets.committed(group, [{ topic, partition: 0 }])).toEqual([{ offset: 4, metadata: "m" }]);
    expect(await log.offsets.bound({ topic, partition: 0 }, "start")).toBe(2);
    await produce(log, topic, 1, ["after"]);
    expect((await readRecords(log, { topic, partition: 1 }, 2, waitMsMax)).map((record) => record.value)).toEqual(["committed", "after"]);
    await close();
  });
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}
