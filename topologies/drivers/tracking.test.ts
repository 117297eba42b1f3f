import { expect, test } from "vitest";
import type { PlanStop, Point } from "#schemas";
import { expectedTimes } from "./tracking.ts";
import type { Hold } from "./driver.ts";

const MINUTE = 60_000;
const at = (latitude: number): Point => ({ latitude, longitude: 0 });
/** A minute a degree. */
const travelMs = (a: Point, b: Point): number => Math.abs(a.latitude - b.latitude) * MINUTE;

const hold = (jobId: string, changes: Partial<Hold> & { readonly readyAt?: number } = {}): Hold => {
  const { readyAt = 0, ...rest } = changes;
  const content = {
    kind: "order",
    pickup: at(2),
    dropOff: at(5),
    placeId: "r1",
    readyAt,
    placedAt: 0,
    notBefore: 0,
    requirements: [],
    priceMinor: 1,
    currency: "EUR",
  } as const;
  return { jobId, attempt: 1, orderVersion: 1, content, status: "held", arrived: false, offerUntil: null, ...rest };
};
const pickup = (jobId: string): PlanStop => ({ jobId, kind: "pickup", point: at(2) });
const dropOff = (jobId: string, latitude = 5): PlanStop => ({ jobId, kind: "dropOff", point: at(latitude) });
const times = (holds: readonly Hold[], stops: readonly PlanStop[], from: number, serviceMs = 0) =>
  Object.fromEntries(expectedTimes({ holds, stops, vehicle: "car" }, at(from), { at: 0, travelMs, serviceMs }));

test("nothing is picked up before it is ready, and what follows waits for it", () => {
  expect(times([hold("j1")], [pickup("j1"), dropOff("j1")], 0)).toEqual({ j1: { pickupEta: 2 * MINUTE, dropOffEta: 5 * MINUTE } });
  const late = [hold("j1", { readyAt: 10 * MINUTE })];
  expect(times(late, [pickup("j1"), dropOff("j1")], 0)).toEqual({ j1: { pickupEta: 10 * MINUTE, dropOffEta: 13 * MINUTE } });
});

test("jobs of one place are picked up together, and each door takes its time", () => {
  const stops = [pickup("j1"), pickup("j2"), dropOff("j1"), dropOff("j2", 6)];
  expect(times([hold("j1"), hold("j2")], stops, 0, 2 * MINUTE)).toEqual({
    j1: { pickupEta: 3 * MINUTE, dropOffEta: 8 * MINUTE },
    j2: { pickupEta: 3 * MINUTE, dropOffEta: 11 * MINUTE },
  });
});

test("a stop that is behind has no expected time, and a driver at the counter waits for the goods alone", () => {
  expect(times([hold("j1", { status: "pickedUp" })], [dropOff("j1")], 4)).toEqual({ j1: { pickupEta: null, dropOffEta: MINUTE } });
  const waiting = [hold("j1", { arrived: true, readyAt: 7 * MINUTE })];
  expect(times(waiting, [pickup("j1"), dropOff("j1")], 2, 2 * MINUTE)).toEqual({
    j1: { pickupEta: 7 * MINUTE, dropOffEta: 12 * MINUTE },
  });
});
