import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { KnownDriver, TravelModel } from "../../policy.ts";
import { slotOf } from "../availability.ts";
import { expectedPickup, expectedWait } from "./ready-times.ts";

const MINUTE = 60_000;
const minutes = fc.integer({ min: -60, max: 60 }).map((count) => count * MINUTE);
const spreads = fc.integer({ min: 1, max: 6 }).map((count) => count * MINUTE);

const DRAWS = 20_000;

/** True ready times, evenly by their probability. */
function readyTimes(quantile: (side: number) => number): number[] {
  return Array.from({ length: DRAWS }, (_, i) => quantile((2 * i + 1) / DRAWS - 1));
}

function student(side: number): number {
  return (2 * side) / Math.sqrt(1 - side * side);
}

function laplace(side: number): number {
  return -2.5 * Math.sign(side) * Math.log(1 - Math.abs(side));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test("a pickup is expected at the mean of the later of arrival and ready time, and without a spread at the later one", () => {
  fc.assert(
    fc.property(minutes, minutes, spreads, (reached, readyAt, spread) => {
      const pickups = readyTimes(student).map((draw) => Math.max(reached, readyAt + spread * draw));
      expect(Math.abs(expectedPickup(reached, readyAt, spread) - mean(pickups))).toBeLessThan(0.01 * spread);
      expect(expectedPickup(reached, readyAt, 0)).toBe(Math.max(reached, readyAt));
    }),
    { numRuns: 30 },
  );
});

test("who waits for what is not ready yet waits as long as those ready times that are left, on average", () => {
  fc.assert(
    fc.property(fc.integer({ min: -20, max: 10 }), spreads, (overdue, spread) => {
      const now = overdue * MINUTE;
      const left = readyTimes(laplace).flatMap((draw) => (spread * draw > now ? [spread * draw - now] : []));
      expect(expectedWait(now, 0, spread) / mean(left)).toBeCloseTo(1, 1);
      expect(expectedWait(now, 0, 0)).toBe(Math.max(0, -now));
    }),
    { numRuns: 30 },
  );
});

test("a driver whose food is overdue is expected to wait on, no longer for having waited long", () => {
  const travel: TravelModel = { name: "still", serviceMs: 4 * MINUTE, travelMs: () => 0 };
  const point = { latitude: 0, longitude: 0 };
  const driver: KnownDriver = {
    driverId: "d",
    driverVersion: 1,
    position: point,
    vehicle: "car",
    tags: [],
    capacity: 4,
    shiftEndsAt: null,
    plan: [
      { jobId: "j", kind: "pickup", point },
      { jobId: "j", kind: "dropOff", point },
    ],
    jobs: [{ jobId: "j", status: "held", placeId: "r", readyAt: 0, arrived: true }],
    toldAt: -10 * MINUTE,
    asked: false,
  };
  const waits = (now: number, spread: number): number => slotOf(driver, now, travel, spread)!.freeAt - now;
  expect(waits(5 * MINUTE, 0)).toBe(6 * MINUTE);
  expect(waits(5 * MINUTE, 2 * MINUTE)).toBeGreaterThan(10 * MINUTE);
  expect(waits(20 * MINUTE, 2 * MINUTE)).toBe(waits(5 * MINUTE, 2 * MINUTE));
});
