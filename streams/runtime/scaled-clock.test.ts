import { expect, test } from "vitest";
import { scaledClock } from "./scaled-clock.ts";

test("shows and sleeps scaled time, from the moment it was told", async () => {
  let real = 5_000;
  const slept: number[] = [];
  const clock = scaledClock(
    { startsAt: 1_000_000, realStartsAt: 5_000, speed: 30 },
    { now: () => real, monotonic: () => 7, sleep: (ms) => (slept.push(ms), Promise.resolve()) },
  );
  expect(clock.now()).toBe(1_000_000);
  real += 100;
  expect(clock.now()).toBe(1_003_000);
  await clock.sleep(600, Promise.resolve());
  expect(slept).toEqual([20]);
  expect(clock.monotonic()).toBe(7);
});
