import { expect, test } from "vitest";
import { ScaledClock, VirtualClock } from "./clock.ts";

test("a scaled clock runs so many times as fast from its own start", () => {
  const real = new VirtualClock(1_000);
  const clock = new ScaledClock({ real, startsAt: 500_000, speed: 60 });
  expect(clock.now()).toBe(500_000);
  real.advanceTo(1_250);
  expect(clock.now()).toBe(515_000);
  expect(clock.realMsUntil(530_000)).toBe(250);
  expect(clock.realMsUntil(400_000)).toBe(0);
  expect(() => new ScaledClock({ real, startsAt: 0, speed: 0 })).toThrow(/speed above 0/);
});

test("a virtual clock stands still, and never goes back", () => {
  const clock = new VirtualClock(10);
  clock.advanceTo(10);
  clock.advanceTo(12);
  expect(clock.now()).toBe(12);
  expect(() => clock.advanceTo(11)).toThrow(RangeError);
});
