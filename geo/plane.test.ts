import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellOf } from "./cell.ts";
import { dispatchCellsWithin } from "./cells-within.ts";
import { PLANE_CELL, PLANE_METRES_MAX, planePoint, planeX, planeXY, planeY } from "./plane.ts";
import type { Point } from "./point.ts";
import { travelModels } from "./travel-models.ts";

const metres = fc.integer({ min: -PLANE_METRES_MAX, max: PLANE_METRES_MAX });

describe("the plane of the Grubhub instances", () => {
  test("gives every whole metre back, and lies in one cell of resolution 3", () => {
    fc.assert(
      fc.property(metres, metres, (x, y) => {
        const point = planePoint(x, y);
        expect(planeXY(point)).toEqual({ x, y });
        expect(cellOf(point, 3)).toBe(PLANE_CELL);
      }),
      { numRuns: 2_000 },
    );
  });

  test("reaches its corners inside that cell, and drivers near the middle are present there alone", () => {
    for (const x of [-PLANE_METRES_MAX, PLANE_METRES_MAX])
      for (const y of [-PLANE_METRES_MAX, PLANE_METRES_MAX]) expect(cellOf(planePoint(x, y), 3)).toBe(PLANE_CELL);
    for (const [x, y] of [
      [0, 0],
      [13_041, 11_769],
      [20_000, 20_000],
    ] as const)
      expect(dispatchCellsWithin(planePoint(x, y), 3, 3_000)).toEqual([PLANE_CELL]);
  });

  test("refuses what would not come back", () => {
    expect(() => planePoint(40_001, 0)).toThrow(RangeError);
    expect(() => planePoint(0, Number.NaN)).toThrow(RangeError);
  });

  test("travels whole minutes, rounded up, none for the same place", () => {
    const travel = travelModels.plane({ metresPerMinute: 320 });
    const minutes = (x: number, y: number): number => travel.travelMs(planePoint(100, 200), planePoint(100 + x, 200 + y), "car") / 60_000;
    expect([minutes(0, 0), minutes(1, 0), minutes(320, 0), minutes(321, 0), minutes(192, 256), minutes(-192, -257)]).toEqual([
      0, 1, 1, 2, 1, 2,
    ]);
  });
});

interface Place {
  readonly x: number;
  readonly y: number;
  readonly point: Point;
}

function placesOf(folder: string): Place[] {
  return ["restaurants.txt", "couriers.txt", "orders.txt"].flatMap((file) =>
    readFileSync(join(folder, file), "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => {
        const [, x, y] = line.split("\t").map(Number);
        return { x: x as number, y: y as number, point: planePoint(x as number, y as number) };
      }),
  );
}

/** Counts differing travel minutes from every place to every `step`th place, and what was compared. */
function compare(folder: string, step: number): { readonly compared: number; readonly different: number } {
  const parameters = readFileSync(join(folder, "instance_parameters.txt"), "utf8").split("\n")[1] ?? "";
  const metresPerMinute = Number(parameters.split("\t")[0]);
  const travel = travelModels.plane({ metresPerMinute });
  const places = placesOf(folder);
  let compared = 0;
  let different = 0;
  for (const from of places) {
    expect(planeX(from.point)).toBe(from.x);
    expect(planeY(from.point)).toBe(from.y);
    for (let index = compared % step; index < places.length; index += step) {
      const to = places[index] as Place;
      const dx = to.x - from.x;
      const dy = to.y - from.y;
      const expected = Math.ceil(Math.sqrt(dx * dx + dy * dy) / metresPerMinute);
      if (travel.travelMs(from.point, to.point, "car") !== expected * 60_000) different++;
      compared++;
    }
  }
  return { compared, different };
}

// A made-up instance in the format of the public ones; the public ones themselves lie outside the repository.
const fixture = join(import.meta.dirname, "fixtures", "instance");
const data = process.env["SLACKLINE_DATA"];

describe("travel minutes through latitude and longitude", () => {
  test("equal those of the instance's own metres for every pair of its places", () => {
    const { compared, different } = compare(fixture, 1);
    expect(compared).toBeGreaterThan(1_000);
    expect(different).toBe(0);
  });

  test.skipIf(data === undefined)(
    "equal them in every public instance (skipped unless SLACKLINE_DATA names their folder)",
    { timeout: 300_000 },
    () => {
      const folder = data as string;
      const instances = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      expect(instances.length).toBeGreaterThan(0);
      for (const { name } of instances) expect(compare(join(folder, name), 7).different, name).toBe(0);
    },
  );
});

describe("the great-circle model", () => {
  test("takes whole milliseconds at the vehicle's speed, and none to where one is", () => {
    const travel = travelModels.greatCircle({ speeds: { bicycle: 4 } });
    const from = { latitude: 48.1, longitude: 11.5 };
    const to = { latitude: 48.11, longitude: 11.5 };
    expect(travel.travelMs(from, from, "car")).toBe(0);
    expect(travel.travelMs(from, to, "bicycle")).toBe(Math.ceil((1_111.9492664 / 4) * 1_000));
    expect(travel.travelMs(from, to, "walking")).toBeGreaterThan(travel.travelMs(from, to, "car"));
    expect(Number.isInteger(travel.travelMs(from, to, "motorcycle"))).toBe(true);
  });
});
