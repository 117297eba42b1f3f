/** The whole engine on simulated brokers: some seeds of the ledger, those that once failed, and one that is run twice. */
import { expect, test } from "vitest";
import { optionsOf } from "./faults/fault-plan.ts";
import { regressions } from "./regressions.ts";
import { runSeed } from "./run-seed.ts";

/** More of them, and longer, by `npm run sim`. */
const SEEDS = Array.from({ length: 57 }, (_, index) => index + 1).filter((seed) => seed % 3 !== 0);
const MINUTES = 2;

test.each(SEEDS)("whatever fails, each move has its effect once: seed %i", { timeout: 300_000 }, async (seed) => {
  const { violation, records } = await runSeed(optionsOf(seed, { minutes: MINUTES, application: "ledger" }));
  expect(violation?.message).toBeUndefined();
  expect(records).toBeGreaterThan(100);
});

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
