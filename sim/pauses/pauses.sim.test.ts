/** What the protocol alone costs when instances come, go and die: bounds that no machine can better, and none of ours may exceed. */
import { expect, test } from "vitest";
import { PausedGroup } from "./paused-group.ts";

const SESSION_MS = 6_000;
/** What a process takes to come up. */
const START_MS = 1_000;
const SETTLE_MS = 2_000;
/** A heartbeat, two generations, a commit on either side of them. */
const HAND_OVER_MS_MAX = 300;
/** 200 records a second come into the changelogs, and by the end they hold about 4,000. */
const RESTORED_MAX = 1_600;

async function groupOf(names: readonly string[]): Promise<PausedGroup> {
  const group = new PausedGroup(1, SESSION_MS);
  await group.open();
  for (const name of names) {
    await group.start(name);
    await group.run(SETTLE_MS);
  }
  group.longestPauseMs();
  return group;
}

test("tasks stand still for a heartbeat when an instance is stopped or comes, for its start when it comes back, for its session when it does not", async () => {
  const group = await groupOf(["a", "b", "c"]);
  const restored = group.restoredRecords;
  await group.stop("a");
  await group.run(SETTLE_MS);
  expect(group.longestPauseMs()).toBeLessThan(HAND_OVER_MS_MAX);
  await group.start("a");
  await group.run(SETTLE_MS);
  expect(group.longestPauseMs()).toBeLessThan(HAND_OVER_MS_MAX);
  // Its place is kept: nobody waits for the session of who died.
  group.kill("b");
  await group.run(START_MS);
  await group.start("b");
  await group.run(SETTLE_MS);
  expect(group.longestPauseMs()).toBeLessThan(START_MS + HAND_OVER_MS_MAX);
  expect(group.running).toEqual(["c 3", "a 2", "b 3"]);
  group.kill("c");
  await group.run(SESSION_MS + SETTLE_MS);
  const pause = group.longestPauseMs();
  expect(pause).toBeGreaterThan(SESSION_MS - HAND_OVER_MS_MAX);
  expect(pause).toBeLessThan(SESSION_MS + HAND_OVER_MS_MAX);
  expect(group.running).toEqual(["a 4", "b 4"]);
  // No commit was dropped by all that, and what was restored is what had been missed.
  expect(group.aborts).toBe(0);
  expect(group.restoredRecords - restored).toBeLessThan(RESTORED_MAX);
}, 60_000);

test("without a place that is kept everybody waits for the session of who died: what names are for", async () => {
  const group = await groupOf(["a", "no name for Kafka"]);
  group.kill("no name for Kafka");
  await group.run(START_MS);
  await group.start("no name for Kafka");
  await group.run(SESSION_MS + SETTLE_MS);
  expect(group.longestPauseMs()).toBeGreaterThan(SESSION_MS - START_MS - HAND_OVER_MS_MAX);
}, 60_000);
