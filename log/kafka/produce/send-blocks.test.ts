/** What other clients lost or doubled when a part of a request fails: each block goes out again as it is until its own leader has answered. */
import { expect, test } from "vitest";
import { Cluster } from "../client/cluster.ts";
import type { MetadataResponse, ProducedPartition, ProducePartition } from "../client/wire-contract.ts";
import { WireError } from "../client/wire-error.ts";
import { hurriedSurroundings } from "../testing/hurried-surroundings.ts";
import { scriptedWire } from "../testing/scripted-wire.ts";
import { sendBlocks } from "./send-blocks.ts";

const options = { transactionalId: "id", version: 2, purpose: "produce/0", msMax: 5_000 } as const;

type Answering = (broker: number, partition: ProducePartition, time: number) => ProducedPartition | "lost" | "slow";

const stored = ({ topic, partition }: ProducePartition, baseOffset: number): ProducedPartition => ({
  topic,
  partition,
  errorCode: 0,
  baseOffset,
  message: null,
});

/** Two brokers, each leads one partition. What was sent is noted as `broker/partition: bytes`. */
async function clusterOn(answering: Answering) {
  const sent: string[] = [];
  const times = new Map<number, number>();
  const metadata: MetadataResponse = {
    brokers: [1, 2].map((nodeId) => ({ nodeId, host: "broker", port: nodeId })),
    topics: [
      {
        name: "out",
        topicId: "00",
        internal: false,
        errorCode: 0,
        partitions: [0, 1].map((partition) => ({ partition, leader: partition + 1, errorCode: 0 })),
      },
    ],
  };
  const { wire } = scriptedWire({
    metadata: async () => metadata,
    produce: async ({ port }, { partitions }) => {
      const answers: ProducedPartition[] = [];
      for (const partition of partitions) {
        sent.push(`${port}/${partition.partition}: ${partition.batch.toString()}`);
        const time = (times.get(partition.partition) ?? 0) + 1;
        times.set(partition.partition, time);
        const answer = answering(port, partition, time);
        if (answer === "lost") throw new WireError("no-answer", "lost", undefined);
        if (answer === "slow") {
          for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
          answers.push(stored(partition, 5));
        } else answers.push(answer);
      }
      return answers;
    },
  });
  const cluster = new Cluster({ wire, surroundings: hurriedSurroundings(), bootstrap: [{ host: "broker", port: 1 }] });
  await cluster.open();
  return { cluster, sent };
}

const both = [0, 1].map((partition) => ({
  topic: "out",
  partition,
  blocks: [{ bytes: Buffer.from(`block of ${partition}`), recordCount: 3 }],
}));

test("a partition whose leader has moved is sent again alone, and is not taken for stored because another broker has answered", async () => {
  const { cluster, sent } = await clusterOn((_broker, partition, time) =>
    partition.partition === 0 && time === 1 ? { ...stored(partition, -1), errorCode: 6 } : stored(partition, 5),
  );
  const places = await sendBlocks(cluster, both, options);
  expect(places.map(({ partition, lastOffset, count }) => [partition, lastOffset, count])).toEqual([
    [0, 7, 3],
    [1, 7, 3],
  ]);
  expect(sent).toEqual(["1/0: block of 0", "2/1: block of 1", "1/0: block of 0"]);
});

test("a slow broker is waited for while a fast one fails: its block goes out once", async () => {
  const { cluster, sent } = await clusterOn((broker, partition, time) =>
    broker === 2 ? "slow" : time < 3 ? { ...stored(partition, -1), errorCode: 19 } : stored(partition, 5),
  );
  await sendBlocks(cluster, both, options);
  expect(sent.filter((each) => each.startsWith("2/1"))).toEqual(["2/1: block of 1"]);
});

test("a block whose answer was lost goes out again byte for byte, so that the broker knows it by its sequence", async () => {
  const { cluster, sent } = await clusterOn((_broker, partition, time) =>
    partition.partition === 0 && time === 1
      ? "lost"
      : partition.partition === 0
        ? { ...stored(partition, -1), errorCode: 46 }
        : stored(partition, 5),
  );
  const places = await sendBlocks(cluster, both, options);
  expect(sent.filter((each) => each.startsWith("1/0"))).toEqual(["1/0: block of 0", "1/0: block of 0"]);
  // Where it lies nobody said.
  expect(places[0]?.lastOffset).toBe(-1);
});

test("the next block of a partition is not sent before the one before it is stored", async () => {
  const { cluster, sent } = await clusterOn((_broker, partition, time) => (time === 2 ? "lost" : stored(partition, 5)));
  const blocks = ["a", "b", "c"].map((text) => ({ bytes: Buffer.from(text), recordCount: 1 }));
  await sendBlocks(cluster, [{ topic: "out", partition: 0, blocks }], options);
  expect(sent).toEqual(["1/0: a", "1/0: b", "1/0: b", "1/0: c"]);
});
