/** The dispatch application and a town on simulated brokers: D1 to D5 and the life of each job, whatever fails. */
import { expect, test } from "vitest";
import { optionsOf } from "./faults/fault-plan.ts";
import { plantedBugs } from "./planted/planted-bugs.ts";
import { runSeed } from "./run-seed.ts";

/** More of them, and longer, by `npm run sim`. */
const SEEDS = Array.from({ length: 15 }, (_, index) => 3 * (index + 1));

test.each(SEEDS)("whatever fails, each job has one driver, one end and one bill: seed %i", { timeout: 300_000 }, async (seed) => {
  const { violation, records } = await runSeed(optionsOf(seed, { minutes: 1, application: "dispatch" }));
  expect(violation?.message).toBeUndefined();
  expect(records).toBeGreaterThan(300);
});

test("the same seed twice gives the same events", { timeout: 300_000 }, async () => {
  const options = optionsOf(63, { minutes: 0.3, application: "dispatch" });
  const [first, second] = [await runSeed(options), await runSeed(options)];
  expect(second.hash).toBe(first.hash);
});

test("a driver's lock that is decided on the order's partition does not go unnoticed", { timeout: 300_000 }, async () => {
  const lock = plantedBugs.find(({ name }) => name.includes("driver's lock"));
  expect(lock).toBeDefined();
  for (let seed = 1; seed <= 20; seed++) {
    const { violation } = await runSeed(optionsOf(seed, { minutes: 1, application: "dispatch" }), lock);
    if (violation === undefined) continue;
    expect(violation.invariant).toMatch(/^(D[1-5]|life)$/);
    return;
  }
  expect.unreachable("twenty seeds did not see it");
});
