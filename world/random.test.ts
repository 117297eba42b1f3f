import { expect, test } from "vitest";
import { Random } from "./random.ts";

const draws = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.float());

test("the same seed, entity and step draw the same; a change of any of them draws anew", () => {
  const first = draws(new Random(7, "courier/3", 12), 5);
  expect(draws(new Random(7, "courier/3", 12), 5)).toEqual(first);
  const others = [
    new Random(8, "courier/3", 12),
    new Random(7, "courier/4", 12),
    new Random(7, "courier/3", 13),
    new Random(7, "courier/3", 12 + 2 ** 32),
  ];
  for (const other of others) expect(draws(other, 5)).not.toEqual(first);
});

test("first draws of neighbouring steps are spread evenly, and means are what they should be", () => {
  const buckets = Array.from({ length: 10 }, () => 0);
  let normal = 0;
  let square = 0;
  let poisson = 0;
  const rounds = 20_000;
  for (let step = 0; step < rounds; step++) {
    const random = new Random(1, "entity", step);
    const bucket = random.below(10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    const drawn = random.normal();
    normal += drawn;
    square += drawn * drawn;
    poisson += random.poisson(3.5);
  }
  for (const bucket of buckets) expect(Math.abs(bucket - rounds / 10)).toBeLessThan(200);
  expect(Math.abs(normal / rounds)).toBeLessThan(0.03);
  expect(Math.abs(square / rounds - 1)).toBeLessThan(0.05);
  expect(Math.abs(poisson / rounds - 3.5)).toBeLessThan(0.06);
  expect(new Random(1, "many", 0).poisson(10_000)).toBeGreaterThan(9_000);
});
