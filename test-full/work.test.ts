import { expect, test } from "vitest";
import { Work } from "./work.ts";

test("items without a time are counted", () => {
  const work = new Work([{ name: "a" }, { name: "b", seconds: 5 }], () => 0);
  expect([work.total, work.unit, work.done()]).toEqual([2, "items", 0]);
  work.finished("b");
  expect(work.done()).toBe(1);
});

test("items that say how long they take count by it, and what is under way by its time, never as whole", () => {
  let now = 0;
  const work = new Work(
    [
      { name: "a", seconds: 10 },
      { name: "b", seconds: 90 },
    ],
    () => now,
  );
  expect([work.total, work.unit]).toEqual([100, "s of work"]);
  now = 4_000;
  expect(work.done()).toBe(4);
  now = 60_000;
  expect(work.done()).toBe(10);
  work.finished("a");
  expect(work.done()).toBe(10);
  now += 30_000;
  expect(work.done()).toBe(40);
  work.finished("b");
  expect(work.done()).toBe(100);
});
