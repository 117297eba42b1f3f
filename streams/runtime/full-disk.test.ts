import { memoryDisk } from "#disk";
import { openEmbeddedLog } from "#log";
import { expect, test } from "vitest";
import { consume, counts, countingTopology, produce, settle, threadOn, words } from "./fixtures/counting.ts";
import { topicConfigs } from "./topic-configs.ts";

test("a full volume stops commits, and once there is room the thread goes on with nothing lost and nothing doubled", async () => {
  let free = Infinity;
  const disk = Object.assign(memoryDisk(), { freeBytes: () => free });
  const topology = countingTopology();
  const before = await openEmbeddedLog({ disk });
  await before.topics.ensure(topicConfigs(topology, "app"));
  await produce(before, words, [
    ["a", "x"],
    ["a", "x"],
  ]);
  await before.close();
  free = 1_000;
  const log = await openEmbeddedLog({ disk });
  const thread = threadOn({ disk, log, topology });
  let now = await settle(thread, 100, 20_000);
  expect(thread.state).not.toBe("failed");
  expect(thread.metrics().aborts).toBeGreaterThan(2);
  expect(await consume(log, counts)).toEqual([]);
  free = Infinity;
  now = await settle(thread, now, now + 20_000);
  await thread.stop();
  expect((await consume(log, counts)).map(({ value }) => value)).toEqual([1, 2]);
});
