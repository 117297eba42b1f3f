import { expect, test } from "vitest";
import { h3Geography } from "../h3-geography.ts";
import { point } from "../testing/samples.ts";
import { nearbyOf } from "./nearby.ts";
import type { DriverAt } from "./tick.ts";

const geography = h3Geography();
const driver = (driverId: string, latitude: number): DriverAt => {
  const position = point(latitude, 13.405);
  const base = { driverId, driverVersion: 1, position, vehicle: "car", tags: [], capacity: 1, shiftEndsAt: null } as const;
  return { known: { ...base, plan: [], jobs: [], asked: false }, fineCell: geography.fineCellOf(position) };
};
const drivers = [driver("far", 52.9), driver("b", 52.5201), driver("a", 52.52), driver("near", 52.528), driver("away", 52.6)];
const ids = (atLeast: number): string[] => nearbyOf(geography)(drivers, point(52.52, 13.405), atLeast).map((known) => known.driverId);

test("nearest ring first, ties by id, stopping once enough were found", () => {
  expect(ids(1)).toEqual(["a", "b"]);
  expect(ids(3)).toEqual(["a", "b", "near"]);
});

test("beyond the rings by distance, until the cell's drivers are exhausted", () => {
  expect(ids(4)).toEqual(["a", "b", "near", "away"]);
  expect(ids(50)).toEqual(["a", "b", "near", "away", "far"]);
});

const passing = (atLeast: number): string[] =>
  nearbyOf(geography)(drivers, point(52.52, 13.405), atLeast, ({ driverId }) => driverId !== "a" && driverId !== "near").map(
    (known) => known.driverId,
  );

test("only those who pass are counted and answered, however far away they are", () => {
  expect(passing(1)).toEqual(["b"]);
  expect(passing(2)).toEqual(["b", "away"]);
  expect(passing(9)).toEqual(["b", "away", "far"]);
});
