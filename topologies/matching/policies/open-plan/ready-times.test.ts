import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { KnownDriver, TravelModel } from "../../policy.ts";
import { slotOf } from "../availability.ts";
import { expectedPickup, expectedWait } from "./ready-times.ts";

const MINUTE = 60_000;
const minutes = fc.integer({ min: -60, max: 60 }).map((count) => count * MINUTE);
const spreads = fc.integer({ min: 1, max: 6 }).map((count) => count * MINUTE);

/** True ready times, evenly by their probability. */
function readyTimes(readyAt: number, spread: number): number[] {
  return Array.from({ length: 20_000 }, (_, i) => {
    const side = (2 * i + 1) / 20_000 - 1;
    return readyAt + (2 * spread * side) / Math.sqrt(1 - side * side);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test("a pickup is expected at the mean of the later of arrival and ready time, and without a spread at the later one", () => {
  fc.assert(
    fc.property(minutes, minutes, spreads, (reached, readyAt, spread) => {
      const pickups = readyTimes(readyAt, spread).map((ready) => Math.max(reached, ready));
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
      const left = readyTimes(0, spread).filter((ready) => ready > now);
      expect(expectedWait(now, 0, spread) / (mean(left) - now)).toBeCloseTo(1, 1);
      expect(expectedWait(now, 0, 0)).toBe(Math.max(0, -now));
    }),
    { numRuns: 30 },
  );
});

test("a driver whose food is overdue is counted free the later the longer it takes", () => {
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
  expect(waits(20 * MINUTE, 2 * MINUTE)).toBeGreaterThan(waits(5 * MINUTE, 2 * MINUTE) + 10 * MINUTE);
});
