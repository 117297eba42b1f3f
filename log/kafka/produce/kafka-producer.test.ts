/** The plain idempotent producer: identity and sequences over failures, and where they come to their end. */
import { expect, test } from "vitest";
import { codeOf, utf8 } from "../../conformance/log-under-test.ts";
import { BASE_SEQUENCE_AT, PRODUCER_ID_AT } from "../../record-batch/batch-layout.ts";
import { BlockCompression } from "../../record-batch/block-compression.ts";
import { RecordBatchBuilder } from "../../record-batch/record-batch-builder.ts";
import { Cluster } from "../client/cluster.ts";
import { wasmCompressors } from "../client/wire.ts";
import { hurriedSurroundings } from "../testing/hurried-surroundings.ts";
import { scriptedWire } from "../testing/scripted-wire.ts";
import { TopicCatalog } from "../topic-catalog.ts";
import { KafkaProducer } from "./kafka-producer.ts";

/** Answers each produce by the next code, then by none; notes producer id and sequence of each batch. */
async function producerOn(codes: readonly number[]) {
  const sent: (readonly [id: number, sequence: number])[] = [];
  const left = [...codes];
  let identities = 0;
  const { wire } = scriptedWire({
    topicConfigs: async (_to, names) => names.map((name) => ({ name, errorCode: 0, values: new Map(), ownNames: new Set<string>() })),
    initProducer: async () => ({ errorCode: 0, producerId: BigInt(++identities), producerEpoch: 0 }),
    produce: async (_to, { partitions }) =>
      partitions.map(({ topic, partition, batch }) => {
        sent.push([Number(batch.readBigInt64BE(PRODUCER_ID_AT)), batch.readInt32BE(BASE_SEQUENCE_AT)]);
        return { topic, partition, errorCode: left.shift() ?? 0, baseOffset: 5, message: null };
      }),
  });
  const cluster = new Cluster({ wire, surroundings: hurriedSurroundings(), bootstrap: [{ host: "broker", port: 9092 }] });
  const catalog = new TopicCatalog(cluster);
  await cluster.open();
  await catalog.load();
  const compression = new BlockCompression(wasmCompressors, 1_000);
  return { producer: new KafkaProducer({ cluster, catalog, compression, kind: "none", lane: 0, closed: () => {} }), sent };
}

async function flush(producer: KafkaProducer): Promise<string> {
  producer.append("out", 0, 1, null, utf8("a"));
  producer.append("out", 0, 1, null, utf8("b"));
  return codeOf(() => producer.flush());
}

test("sequences go on from flush to flush, and passing codes send the same again", async () => {
  const { producer, sent } = await producerOn([0, 6]);
  for (let time = 0; time < 2; time++) expect(await flush(producer)).toBe("none");
  expect(sent).toEqual([
    [1, 0],
    [1, 2],
    [1, 2],
  ]);
});

test.each([
  [45, "LOG_UNAVAILABLE"],
  [47, "LOG_UNAVAILABLE"],
  [59, "LOG_UNAVAILABLE"],
  [29, "LOG_FORBIDDEN"],
  [10, "RECORD_TOO_LARGE"],
])("after a flush that failed with %i (%s) there is another identity, from sequence 0: the old one has a gap", async (code, expected) => {
  const { producer, sent } = await producerOn([code]);
  expect(await flush(producer)).toBe(expected);
  expect(await flush(producer)).toBe("none");
  expect(sent).toEqual([
    [1, 0],
    [2, 0],
  ]);
});

test("after the largest sequence comes 0, in the midst of a flush too", () => {
  const builder = new RecordBatchBuilder({ blockBytesMax: 100 });
  for (let record = 0; record < 6; record++) builder.append(1, null, Buffer.alloc(30));
  const blocks = builder.seal({ producerId: 1n, producerEpoch: 0, baseSequence: 0x7fff_ffff - 1, transactional: false });
  const counts = blocks.map(({ recordCount }) => recordCount);
  let next = 0x7fff_ffff - 1;
  for (const [index, { bytes }] of blocks.entries()) {
    expect(bytes.readInt32BE(BASE_SEQUENCE_AT)).toBe(next);
    next = (next + (counts[index] ?? 0)) % 0x8000_0000;
  }
  expect(blocks.length).toBeGreaterThan(2);
  expect(next).toBe(4);
});
