import { expect, test } from "vitest";
import { warmSearch } from "./warm-search.ts";

test("warming searches some hundred times, and stops when its time is over", () => {
  expect(warmSearch(() => 0)).toBe(150);
  let clock = 0;
  expect(warmSearch(() => (clock += 100))).toBeLessThan(6);
});
