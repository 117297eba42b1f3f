/** The whole engine on simulated brokers: seeds that once failed, and one that is run twice. */
import { expect, test } from "vitest";
import { optionsOf } from "./faults/fault-plan.ts";
import { regressions } from "./regressions.ts";
import { runSeed } from "./run-seed.ts";

test.each(regressions)("what once failed holds: $found", { timeout: 300_000 }, async ({ options }) => {
  const { violation } = await runSeed(options);
  expect(violation?.message).toBeUndefined();
});

test("the same seed twice gives the same events", { timeout: 300_000 }, async () => {
  const options = optionsOf(20, { minutes: 0.5 });
  const [first, second] = [await runSeed(options), await runSeed(options)];
  expect(second.hash).toBe(first.hash);
  expect((await runSeed({ ...options, seed: 21 })).hash).not.toBe(first.hash);
});
