import * as fc from "fast-check";
import { expect, test } from "vitest";
import { successiveHalving } from "./successive-halving.ts";

const objects = fc
  .array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 20 })
  .map((values) => values.map((value) => ({ value })));

test("without noise the best candidate wins, each is ranked once, and the first reaches the last rung", async () => {
  await fc.assert(
    fc.asyncProperty(objects, fc.constantFrom(0.2, 0.5), async (candidates, keep) => {
      const asked: number[] = [];
      const ranked = await successiveHalving({
        candidates,
        rungs: [2, 5, 9],
        keep,
        score: async (some, days) => {
          asked.push(some.length * days);
          return some.map(({ value }) => value);
        },
      });
      expect(ranked[0]?.candidate.value).toBe(Math.min(...candidates.map(({ value }) => value)));
      expect(new Set(ranked.map(({ candidate }) => candidate)).size).toBe(candidates.length);
      expect(ranked).toHaveLength(candidates.length);
      expect(ranked.find(({ candidate }) => candidate === candidates[0])?.days).toBe(9);
      const days = ranked.map((one) => one.days);
      expect(days).toEqual([...days].sort((a, b) => b - a));
      expect(asked).toHaveLength(3);
    }),
  );
});
