import { expect, test } from "vitest";
import { Cluster } from "./client/cluster.ts";
import type { OffsetFetchResponse } from "./client/wire-contract.ts";
import { KafkaOffsets } from "./kafka-offsets.ts";
import { OwnCommits } from "./produce/own-commits.ts";
import { hurriedSurroundings } from "./testing/hurried-surroundings.ts";
import { scriptedWire } from "./testing/scripted-wire.ts";
import { TopicCatalog } from "./topic-catalog.ts";

const places = [0, 1].map((partition) => ({ topic: "out", partition }));

async function offsetsOn(answers: readonly OffsetFetchResponse[]) {
  const left = [...answers];
  const { wire, calls } = scriptedWire({ offsets: async () => (left.length > 1 ? left.shift() : left[0]) as OffsetFetchResponse });
  const cluster = new Cluster({ wire, surroundings: hurriedSurroundings(), bootstrap: [{ host: "broker", port: 9092 }] });
  await cluster.open();
  return { offsets: new KafkaOffsets(cluster, new TopicCatalog(cluster), new OwnCommits()), calls };
}

const whole = { errorCode: 0, partitions: places.map((place) => ({ ...place, errorCode: 0, offset: 7, metadata: "" })) };

test("offsets whose transaction is still open are waited for", async () => {
  const unstable = { errorCode: 0, partitions: whole.partitions.map((each) => ({ ...each, errorCode: 88, offset: -1 })) };
  const { offsets, calls } = await offsetsOn([unstable, unstable, whole]);
  expect(await offsets.committed("g", places)).toEqual([
    { offset: 7, metadata: "" },
    { offset: 7, metadata: "" },
  ]);
  expect(calls.filter((call) => call === "offsets")).toHaveLength(3);
});

test("a partition that the broker does not know or leaves out is asked for again: it is never taken for one that was never committed", async () => {
  for (const partial of [
    { errorCode: 0, partitions: whole.partitions.slice(0, 1) },
    { errorCode: 0, partitions: whole.partitions.map((each) => ({ ...each, errorCode: 3, offset: -1 })) },
  ]) {
    expect((await (await offsetsOn([partial, whole])).offsets.committed("g", places))[1]).toEqual({ offset: 7, metadata: "" });
    await expect((await offsetsOn([partial])).offsets.committed("g", places)).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  }
});

test("none is committed where the broker says so", async () => {
  const none = { errorCode: 0, partitions: whole.partitions.map((each) => ({ ...each, offset: -1 })) };
  expect(await (await offsetsOn([none])).offsets.committed("g", places)).toEqual([undefined, undefined]);
});
