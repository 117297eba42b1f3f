import { expect, test } from "vitest";
import type { TripChanged, TripState } from "#schemas";
import { Tally } from "./tally.ts";

const content = {
  kind: "order",
  pickup: { latitude: 0, longitude: 0 },
  dropOff: { latitude: 0, longitude: 0 },
  placeId: "r1",
  readyAt: 0,
  placedAt: 60_000,
  notBefore: 0,
  requirements: [],
  priceMinor: 1000,
  currency: "USD",
} as const;
const trip = (jobId: string, state: TripState, at: number): TripChanged => ({
  type: "TripChanged",
  jobId,
  jobVersion: 1,
  attempt: 1,
  state,
  driverId: null,
  driverVersion: null,
  reason: "",
  at,
  content,
  surgeMilli: 1_000,
});

test("jobs are counted where they stand now, ended ones once", () => {
  const tally = new Tally();
  for (const [job, state] of [
    ["a", "open"],
    ["b", "open"],
    ["a", "assigned"],
    ["c", "open"],
    ["c", "cancelled"],
    ["a", "pickedUp"],
    ["a", "completed"],
  ] as const) {
    tally.trip(trip(job, state, 360_000));
  }
  expect(tally.snapshot()).toMatchObject({ waiting: 1, assigned: 0, done: 1, cancelled: 1, failed: 0, pickupP95Minutes: 5 });
});

test("a decision takes from the tick in the proposal's id to the published assignment", () => {
  const tally = new Tally();
  const event = {
    type: "DriverAssigned",
    jobId: "a",
    proposalId: "85283473fffffff/1000/d1",
    attempt: 1,
    jobVersion: 2,
    policy: "nearest",
    at: 1040,
    driverId: "d1",
    driverVersion: 3,
    slackMs: 0,
    pickupEta: 0,
  } as const;
  tally.assignment(event, 1045);
  expect(tally.snapshot().decisionP99Ms).toBe(45);
});
