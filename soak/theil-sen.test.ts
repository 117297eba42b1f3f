import { describe, expect, test } from "vitest";
import { median, theilSen } from "./theil-sen.ts";

const line = (count: number, slope: number, noise: (index: number) => number) =>
  Array.from({ length: count }, (_, x) => ({ x, y: 100 + slope * x + noise(x) }));
/** The same every time. */
const shaken = (index: number): number => ((index * 7919) % 101) / 10 - 5;

describe("the slope of noisy measurements", () => {
  test("is found among noise, and its interval holds it", () => {
    const trend = theilSen(line(200, 0.5, shaken));
    expect(trend?.slope).toBeCloseTo(0.5, 1);
    expect(trend?.low).toBeLessThan(0.5);
    expect(trend?.high).toBeGreaterThan(0.5);
    expect(trend?.noise).toBeGreaterThan(1);
  });

  test("is not moved by a tenth of wild ones", () => {
    expect(theilSen(line(200, 0, (x) => (x % 10 === 0 ? 10_000 : shaken(x))))?.slope).toBeCloseTo(0, 1);
  });

  test("is nothing where there is only noise", () => {
    const trend = theilSen(line(300, 0, shaken));
    expect(trend?.low).toBeLessThanOrEqual(0);
    expect(trend?.high).toBeGreaterThanOrEqual(0);
  });

  test("needs eight points at two places, and takes every n-th of many", () => {
    expect(theilSen(line(7, 1, () => 0))).toBeUndefined();
    expect(theilSen(Array.from({ length: 20 }, () => ({ x: 1, y: 1 })))).toBeUndefined();
    expect(theilSen(line(10_000, 2, () => 0))).toMatchObject({ slope: 2, points: 400 });
  });

  test("a median is the middle, or between the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});
