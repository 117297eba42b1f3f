/** Seeds of ten virtual minutes for `npm test`, in parts that several processes run beside each other. */
import { expect, test } from "vitest";
import { optionsOf, type SeedOptions } from "../faults/fault-plan.ts";
import { runSeed } from "../run-seed.ts";

/** More of them by `npm run sim`. */
const LEDGER_SEEDS = 58;
const DISPATCH_SEEDS: readonly number[] = [18, 42];
const PARTS = 3;
const MINUTES = 10;

/** Each part has as much of both applications. */
export function testTier(part: number): void {
  const dispatch = DISPATCH_SEEDS.map((seed) => optionsOf(seed, { minutes: MINUTES, application: "dispatch" }));
  const ledger = Array.from({ length: LEDGER_SEEDS }, (_, index) => optionsOf(index + 1, { minutes: MINUTES, application: "ledger" }));
  const mine: readonly SeedOptions[] = [...dispatch, ...ledger].filter((_, index) => index % PARTS === part);
  const cases = mine.map((options) => ({ options, name: `${options.application}, seed ${options.seed}` }));
  test.each(cases)("ten minutes of every fault, and each record has its effect once: $name", { timeout: 600_000 }, async ({ options }) => {
    const { violation, records } = await runSeed(options);
    expect(violation?.message).toBeUndefined();
    expect(records).toBeGreaterThan(500);
  });
}
