/** The reader against scripted answers: what happens to a log that is cut, deleted, made anew, or not to be read any more. */
import { expect, test } from "vitest";
import { codeOf, utf8 } from "../../conformance/log-under-test.ts";
import type { OutOfRange } from "../../log.ts";
import { LEADER_EPOCH_AT, stampBaseOffset } from "../../record-batch/batch-layout.ts";
import { BlockCompression } from "../../record-batch/block-compression.ts";
import { RecordBatchBuilder } from "../../record-batch/record-batch-builder.ts";
import { Cluster } from "../client/cluster.ts";
import type { FetchPartition, KafkaWire, MetadataResponse } from "../client/wire-contract.ts";
import { wasmCompressors } from "../client/wire.ts";
import { hurriedSurroundings } from "../testing/hurried-surroundings.ts";
import { scriptedWire } from "../testing/scripted-wire.ts";
import { TopicCatalog } from "../topic-catalog.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import { KafkaReader } from "./kafka-reader.ts";

const at = { topic: "out", partition: 0 };
type Answer = Partial<FetchedPartition>;

function batch(offset: number, value: string, epoch: number): Buffer {
  const builder = new RecordBatchBuilder();
  builder.append(1, null, utf8(value));
  const bytes = Buffer.from(builder.seal()[0]?.bytes ?? []);
  stampBaseOffset(bytes, offset);
  // No part of what the CRC covers.
  bytes.writeInt32BE(epoch, LEADER_EPOCH_AT);
  return bytes;
}

/** Answers each fetch by the next of the list, then by nothing new. */
async function readerOn(answers: readonly Answer[], script: Partial<KafkaWire> = {}, outOfRange: OutOfRange = "fail") {
  const asked: FetchPartition[] = [];
  const left = [...answers];
  const { wire } = scriptedWire({
    topicConfigs: async (_to, names) => names.map((name) => ({ name, errorCode: 0, values: new Map(), ownNames: new Set<string>() })),
    fetch: async (_to, { partitions }) => {
      const [partition] = partitions as [FetchPartition];
      asked.push(partition);
      const nothing = { highWatermark: 10, stableOffset: 10, startOffset: 0, errorCode: 0, aborted: [], records: Buffer.alloc(0) };
      const answer = left.shift();
      if (answer === undefined) await new Promise(setImmediate);
      return { errorCode: 0, partitions: [{ ...nothing, topicId: partition.topicId, partition: 0, ...answer }] };
    },
    ...script,
  });
  const surroundings = hurriedSurroundings();
  const cluster = new Cluster({ wire, surroundings, bootstrap: [{ host: "broker", port: 9092 }] });
  const catalog = new TopicCatalog(cluster);
  await cluster.open();
  await catalog.load();
  const compression = new BlockCompression(wasmCompressors, 1_000);
  const reader = new KafkaReader({}, { cluster, catalog, compression, arrived: () => {}, lane: 0, closed: () => {} });
  reader.assign([{ ...at, offset: 0, outOfRange }]);
  return { reader, asked, cluster, surroundings };
}

/** Polls as a host does; throws what a poll throws. */
async function turns(reader: KafkaReader, count = 40): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    reader.poll();
    await new Promise(setImmediate);
  }
}

const metadata = (topics: readonly { readonly name: string; readonly topicId: string }[]): MetadataResponse => ({
  brokers: [{ host: "broker", port: 9092, nodeId: 1 }],
  topics: topics.map((topic) => ({
    ...topic,
    internal: false,
    errorCode: 0,
    partitions: [{ partition: 0, leader: 1, errorCode: 0 }],
  })),
});

test("each fetch says the epoch of what was read, so that a broker with another log is found out", async () => {
  const { reader, asked } = await readerOn([{ records: batch(0, "a", 3) }, { records: batch(1, "b", 4) }]);
  await turns(reader);
  expect(asked.slice(0, 3).map(({ offset, lastEpoch }) => [offset, lastEpoch])).toEqual([
    [0, undefined],
    [1, 3],
    [2, 4],
  ]);
  await reader.close();
});

test("records that were read and are gone after an unclean change of leader are told, not passed over", async () => {
  const { reader } = await readerOn([{ records: Buffer.concat([batch(0, "a", 3), batch(1, "b", 3)]) }, { cutAt: 1 }]);
  await expect(turns(reader)).rejects.toThrow(/was cut at 1 by a change of its leader, and was read up to 2/);
  await reader.close();
});

test("where a reader may begin anew it goes on from where the log was cut", async () => {
  const { reader, asked } = await readerOn(
    [{ records: Buffer.concat([batch(0, "a", 3), batch(1, "b", 3)]) }, { cutAt: 1 }, { records: batch(1, "c", 4) }],
    {},
    "start",
  );
  await turns(reader);
  expect(asked.slice(0, 4).map(({ offset }) => offset)).toEqual([0, 2, 1, 2]);
  await reader.close();
});

test("an epoch that the broker has forgotten is no lost record: the offset is asked for once more without it", async () => {
  const { reader, asked } = await readerOn([{ records: batch(0, "a", 3) }, { errorCode: 1 }, { records: batch(1, "b", 5) }]);
  await turns(reader);
  expect(asked.slice(0, 4).map(({ offset, lastEpoch }) => [offset, lastEpoch])).toEqual([
    [0, undefined],
    [1, 3],
    [1, undefined],
    [2, 5],
  ]);
  const gone = await readerOn([{ records: batch(0, "a", 3) }, { errorCode: 1 }, { errorCode: 1 }]);
  expect(await codeOf(() => turns(gone.reader))).toBe("OFFSET_OUT_OF_RANGE");
  await Promise.all([reader.close(), gone.reader.close()]);
});

test("out of range at a broker that leads no more: who leads is asked for before it is tried again", async () => {
  let refreshed = 0;
  const bounds = [6, 0];
  const { reader, asked, cluster } = await readerOn(
    [{ errorCode: 1 }, { errorCode: 1 }, { records: batch(7, "a", 1) }],
    { listOffset: async (_to, place) => ({ ...place, errorCode: bounds.shift() ?? 0, offset: 7 }) },
    "start",
  );
  const refresh = cluster.refresh.bind(cluster);
  cluster.refresh = () => {
    refreshed++;
    return refresh();
  };
  await turns(reader);
  expect(asked.slice(0, 3).map(({ offset }) => offset)).toEqual([0, 0, 7]);
  expect(refreshed).toBeGreaterThan(0);
  await reader.close();
});

test("a topic that was made anew under a reader is another topic", async () => {
  let topicId = "00";
  const { reader, cluster } = await readerOn([{ records: batch(0, "a", 0) }], {
    metadata: async () => metadata([{ name: "out", topicId }]),
  });
  await turns(reader);
  topicId = "01";
  await cluster.refresh();
  await expect(turns(reader)).rejects.toMatchObject({ code: "TOPIC_MISMATCH", topic: "out" });
  await reader.close();
});

test("a topic that is gone is told after half a minute, one that was away for a moment is not", async () => {
  let there = true;
  const { reader, cluster, surroundings } = await readerOn([], {
    metadata: async () => metadata(there ? [{ name: "out", topicId: "00" }] : []),
  });
  await turns(reader);
  there = false;
  await cluster.refresh();
  await turns(reader, 5);
  there = true;
  await turns(reader);
  there = false;
  await cluster.refresh();
  const before = surroundings.now();
  await expect(turns(reader, 2_000)).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
  expect(surroundings.now() - before).toBeGreaterThan(30_000);
  await reader.close();
});

test("who may not read is told which right is missing", async () => {
  const { reader } = await readerOn([{ errorCode: 29 }]);
  await expect(turns(reader)).rejects.toThrow(/TOPIC_AUTHORIZATION_FAILED \(29\)\. Grant User:ANONYMOUS Read on the topic out\./);
  await reader.close();
});
