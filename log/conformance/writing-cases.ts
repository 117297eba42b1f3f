import { expect, test } from "vitest";
import type { LogUnderTest } from "./log-under-test.ts";
import { codeOf, fresh, produce, readRecords, readValues, topicOf, utf8, writerOf } from "./log-under-test.ts";

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Producers and transactional writers. */
export function writingCases(under: () => LogUnderTest, waitMsMax: number): void {
  test("a producer's records come back in order with key, value, timestamp and headers", async () => {
    const { log } = under();
    const topic = await topicOf(log, 2);
    const producer = log.producer();
    producer.append(topic, 1, 7, utf8("k"), utf8("v"), [
      { key: "a", value: utf8("1") },
      { key: "a", value: null },
    ]);
    producer.append(topic, 1, 3, null, utf8(""));
    producer.append(topic, 1, 1_700_000_000_000, utf8(""), null);
    expect(producer.bufferedBytes).toBeGreaterThan(0);
    const ranges = await producer.flush();
    expect(producer.bufferedBytes).toBe(0);
    expect(ranges.map(({ topic: name, partition, count }) => ({ name, partition, count }))).toEqual([
      { name: topic, partition: 1, count: 3 },
    ]);
    const records = await readRecords(log, { topic, partition: 1 }, 3, waitMsMax, ranges[0]?.baseOffset);
    expect(records[0]?.offset).toBe(ranges[0]?.baseOffset);
    expect(records.map(({ timestamp, key, value, headers }) => ({ timestamp, key, value, headers }))).toEqual([
      {
        timestamp: 7,
        key: "k",
        value: "v",
        headers: [
          ["a", "1"],
          ["a", null],
        ],
      },
      { timestamp: 3, key: null, value: "", headers: [] },
      { timestamp: 1_700_000_000_000, key: "", value: null, headers: [] },
    ]);
    expect(await readValues(log, topic, 0, 0, waitMsMax)).toEqual([]);
  });

  test("nothing of a producer is seen before the flush, and an empty flush is nothing", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const producer = log.producer();
    expect(await producer.flush()).toEqual([]);
    producer.append(topic, 0, 0, null, utf8("later"));
    expect(await readValues(log, topic, 0, 0, waitMsMax)).toEqual([]);
    await producer.flush();
    expect(await readValues(log, topic, 0, 1, waitMsMax)).toEqual(["later"]);
  });

  test("many megabytes in one commit keep their order over all blocks", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const writer = await writerOf(log);
    const padding = "x".repeat(1000);
    const values = Array.from({ length: 3000 }, (_, index) => `${index} ${padding}`);
    for (const [index, value] of values.entries()) writer.append(topic, 0, index, null, utf8(value));
    await writer.commit({ offsets: [], rows: [] });
    expect(await readValues(log, topic, 0, 3000, waitMsMax)).toEqual(values);
  });

  test("a record above the topic's limit is refused before anything is changed", async () => {
    const { log } = under();
    const topic = await topicOf(log, 1, { recordBytesMax: 1000 });
    const writer = await writerOf(log);
    writer.append(topic, 0, 0, null, utf8("before"));
    const buffered = writer.bufferedBytes;
    expect(await codeOf(() => writer.append(topic, 0, 0, utf8("k"), Buffer.alloc(1000)))).toBe("RECORD_TOO_LARGE");
    expect(writer.bufferedBytes).toBe(buffered);
    writer.append(topic, 0, 0, null, utf8("after"));
    await writer.commit({ offsets: [], rows: [] });
    expect(await readValues(log, topic, 0, 2, waitMsMax)).toEqual(["before", "after"]);
  });

  test("a topic or partition that is not there is refused before anything is changed", async () => {
    const { log } = under();
    const topic = await topicOf(log, 2);
    const writer = await writerOf(log);
    expect(await codeOf(() => writer.append(fresh("nowhere"), 0, 0, null, utf8("v")))).toBe("UNKNOWN_TOPIC");
    expect(await codeOf(() => writer.append(topic, 2, 0, null, utf8("v")))).toBe("UNKNOWN_TOPIC");
    expect(writer.bufferedBytes).toBe(0);
    await writer.commit({ offsets: [], rows: [] });
  });

  test("a writer's records and offsets are seen after the commit, and nothing of them before", async () => {
    const { log } = under();
    const [input, output, group] = [await topicOf(log), await topicOf(log, 2), fresh("group")];
    await produce(log, input, 0, ["i"]);
    const writer = await writerOf(log, group);
    writer.append(output, 0, 5, utf8("k"), utf8("a"));
    writer.append(output, 1, 5, utf8("k"), utf8("b"));
    expect(await log.offsets.committed(group, [{ topic: input, partition: 0 }])).toEqual([undefined]);
    expect(await readValues(log, output, 0, 0, waitMsMax)).toEqual([]);
    await writer.commit({ offsets: [{ topic: input, partition: 0, offset: 1, metadata: "time=5" }], rows: [] });
    expect(await log.offsets.committed(group, [{ topic: input, partition: 0 }])).toEqual([{ offset: 1, metadata: "time=5" }]);
    expect(await readValues(log, output, 0, 1, waitMsMax)).toEqual(["a"]);
    expect(await readValues(log, output, 1, 1, waitMsMax)).toEqual(["b"]);
    await writer.close();
  });

  test("a commit may carry offsets alone, or nothing at all", async () => {
    const { log } = under();
    const [topic, group] = [await topicOf(log), fresh("group")];
    await produce(log, topic, 0, ["a", "b"]);
    const writer = await writerOf(log, group);
    await writer.commit({ offsets: [{ topic, partition: 0, offset: 1, metadata: "" }], rows: [] });
    await writer.commit({ offsets: [], rows: [] });
    await writer.commit({ offsets: [{ topic, partition: 0, offset: 2, metadata: "é" }], rows: [] });
    expect(await log.offsets.committed(group, [{ topic, partition: 0 }])).toEqual([{ offset: 2, metadata: "é" }]);
  });

  test("a rollback takes back all appends since the savepoint, in every partition, and only them", async () => {
    const { log } = under();
    const topic = await topicOf(log, 2);
    const writer = await writerOf(log);
    writer.append(topic, 0, 0, null, utf8("kept"));
    writer.savepoint();
    const buffered = writer.bufferedBytes;
    writer.append(topic, 0, 0, null, utf8("gone"));
    writer.append(topic, 1, 0, null, Buffer.alloc(300_000));
    writer.rollback();
    expect(writer.bufferedBytes).toBe(buffered);
    writer.append(topic, 0, 0, null, utf8("after"));
    writer.rollback();
    writer.append(topic, 1, 0, null, utf8("other"));
    await writer.commit({ offsets: [], rows: [] });
    expect(await readValues(log, topic, 0, 1, waitMsMax)).toEqual(["kept"]);
    expect(await readValues(log, topic, 1, 1, waitMsMax)).toEqual(["other"]);
  });

  test("what is appended while a commit is in flight belongs to the next one", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const writer = await writerOf(log);
    writer.append(topic, 0, 0, null, utf8("first"));
    const inFlight = writer.commit({ offsets: [], rows: [] });
    expect(writer.bufferedBytes).toBe(0);
    writer.append(topic, 0, 0, null, utf8("second"));
    writer.savepoint();
    writer.append(topic, 0, 0, null, utf8("undone"));
    await inFlight;
    writer.rollback();
    expect(await readValues(log, topic, 0, 1, waitMsMax)).toEqual(["first"]);
    await writer.commit({ offsets: [], rows: [] });
    expect(await readValues(log, topic, 0, 2, waitMsMax)).toEqual(["first", "second"]);
  });

  test("the bytes given to append may be changed afterwards", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const writer = await writerOf(log);
    const bytes = utf8("abc");
    writer.append(topic, 0, 0, bytes, bytes);
    bytes.fill(0);
    await writer.commit({ offsets: [], rows: [] });
    expect(await readRecords(log, { topic, partition: 0 }, 1, waitMsMax)).toMatchObject([{ key: "abc", value: "abc" }]);
  });

  test("a newer writer of the same id fences the older: nothing of it is committed any more", async () => {
    const { log } = under();
    const [topic, group, id] = [await topicOf(log), fresh("group"), fresh("id")];
    const older = await writerOf(log, group, id);
    older.append(topic, 0, 0, null, utf8("before"));
    await older.commit({ offsets: [{ topic, partition: 0, offset: 0, metadata: "old" }], rows: [] });
    older.append(topic, 0, 0, null, utf8("zombie"));
    const newer = await writerOf(log, group, id);
    expect(await codeOf(() => older.commit({ offsets: [{ topic, partition: 0, offset: 9, metadata: "zombie" }], rows: [] }))).toBe(
      "WRITER_FENCED",
    );
    newer.append(topic, 0, 0, null, utf8("after"));
    await newer.commit({ offsets: [], rows: [] });
    expect(await readValues(log, topic, 0, 2, waitMsMax)).toEqual(["before", "after"]);
    expect(await log.offsets.committed(group, [{ topic, partition: 0 }])).toEqual([{ offset: 0, metadata: "old" }]);
    expect(await codeOf(() => older.commit({ offsets: [], rows: [] }))).toBe("LOG_UNAVAILABLE");
    expect(await codeOf(() => older.append(topic, 0, 0, null, null))).toBe("LOG_UNAVAILABLE");
  });

  test("why a commit has failed is told before anything else: appends are taken until then", async () => {
    const { log } = under();
    const [topic, group, id] = [await topicOf(log), fresh("group"), fresh("id")];
    const older = await writerOf(log, group, id);
    older.append(topic, 0, 0, null, utf8("never"));
    await writerOf(log, group, id);
    const told: string[] = [];
    void codeOf(() => older.commit({ offsets: [], rows: [] })).then((code) => told.push(code ?? "nothing"));
    for (await turn(); told.length === 0; await turn()) older.append(topic, 0, 0, null, utf8("never"));
    expect(told).toEqual(["WRITER_FENCED"]);
    expect(await codeOf(() => older.append(topic, 0, 0, null, null))).toBe("LOG_UNAVAILABLE");
    expect(await readValues(log, topic, 0, 0, waitMsMax)).toEqual([]);
  });

  test("a writer of another id is not fenced", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const one = await writerOf(log);
    const other = await writerOf(log);
    one.append(topic, 0, 0, null, utf8("one"));
    await one.commit({ offsets: [], rows: [] });
    other.append(topic, 0, 0, null, utf8("other"));
    await other.commit({ offsets: [], rows: [] });
    expect(await readValues(log, topic, 0, 2, waitMsMax)).toEqual(["one", "other"]);
  });

  test("a writer that is closed before its commit leaves nothing", async () => {
    const { log } = under();
    const topic = await topicOf(log);
    const writer = await writerOf(log);
    writer.append(topic, 0, 0, null, utf8("never"));
    await writer.close();
    expect(await readValues(log, topic, 0, 0, waitMsMax)).toEqual([]);
    expect(await codeOf(() => writer.commit({ offsets: [], rows: [] }))).toBe("LOG_UNAVAILABLE");
  });

  test("a commit whose metadata is too long is refused as a whole", async () => {
    const { log } = under();
    const [topic, group] = [await topicOf(log), fresh("group")];
    const writer = await writerOf(log, group);
    writer.append(topic, 0, 0, null, utf8("never"));
    const offsets = [{ topic, partition: 0, offset: 0, metadata: "m".repeat(4097) }];
    expect(await codeOf(() => writer.commit({ offsets, rows: [] }))).toBe("COMMIT_REFUSED");
    expect(await readValues(log, topic, 0, 0, waitMsMax)).toEqual([]);
    expect(await log.offsets.committed(group, [{ topic, partition: 0 }])).toEqual([undefined]);
  });

  test("with atomicRows, store rows are put and deleted by the same commit", async (context) => {
    const { log, row } = under();
    if (!log.capabilities.atomicRows || row === undefined) {
      context.skip();
      return;
    }
    const [kept, dropped] = [utf8(fresh("row")), utf8(fresh("row"))];
    const writer = await writerOf(log);
    await writer.commit({
      offsets: [],
      rows: [
        { key: kept, value: utf8("1") },
        { key: dropped, value: utf8("2") },
      ],
    });
    expect([row(kept), row(dropped)].map(String)).toEqual(["1", "2"]);
    await writer.commit({ offsets: [], rows: [{ key: dropped, value: null }] });
    expect([row(kept), row(dropped)].map(String)).toEqual(["1", "undefined"]);
  });
}
