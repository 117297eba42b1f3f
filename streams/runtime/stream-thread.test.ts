import { expect, test } from "vitest";
import { benchOf, consume, counts, countingTopology, produce, settle, threadOn, words } from "./fixtures/counting.ts";

test("processes what is there, commits when idle, and a new thread goes on where the last one stopped", async () => {
  const bench = await benchOf(countingTopology());
  await produce(bench.log, words, [
    ["a", "x"],
    ["b", "x"],
    ["a", "x"],
  ]);
  const first = threadOn(bench);
  await settle(first, 0, 100);
  expect(first.metrics()).toMatchObject({ recordsProcessed: 3, recordsForwarded: 3, commits: 1, aborts: 0, deadLetters: 0 });
  await first.stop();
  expect(first.state).toBe("stopped");

  await produce(bench.log, words, [["a", "x"]]);
  const second = threadOn(bench);
  await settle(second, 200, 300);
  await second.stop();
  const counted = await consume(bench.log, counts);
  expect(counted.filter(({ key }) => key === "a").map(({ value }) => value)).toEqual([1, 2, 3]);
});
