import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecentValues } from "./recent-values.ts";

test("a bounded cache never gives an older value than the last that was set, and never grows beyond its bound", () => {
  const step = fc.record({ kind: fc.constantFrom("get", "peek", "set"), key: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), fc.integer({ min: 2, max: 16 }), (steps, entriesMax) => {
      const cache = new RecentValues<number, number>(entriesMax);
      const latest = new Map<number, number>();
      for (const [turn, { kind, key }] of steps.entries()) {
        if (kind === "set") {
          cache.set(key, turn);
          latest.set(key, turn);
        } else expect([undefined, latest.get(key)]).toContain(kind === "get" ? cache.get(key) : cache.peek(key));
        expect(cache.size).toBeLessThanOrEqual(entriesMax);
      }
    }),
  );
});

test("what is used stays, what is not goes", () => {
  const cache = new RecentValues<number, string>(20);
  for (let key = 0; key < 1_000; key++) {
    cache.set(key, "value");
    expect(cache.get(0)).toBe("value");
  }
  expect(cache.get(999)).toBe("value");
  expect(cache.get(500)).toBeUndefined();
  cache.clear();
  expect(cache.size).toBe(0);
});
