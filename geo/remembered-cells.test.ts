import * as fc from "fast-check";
import { latLngToCell } from "h3-js";
import { describe, expect, test } from "vitest";
import { cellOf } from "./cell.ts";
import { circleOf } from "./cell-circle.ts";
import { RememberedCells } from "./remembered-cells.ts";
import { anyPoint, pointAt } from "./testing/points.ts";

const anyBearing = fc.double({ min: 0, max: 360, noNaN: true });
const anyResolution = fc.integer({ min: 6, max: 14 });

describe("a cell by what is remembered", () => {
  test("is H3's, wherever around a place points come from, and however often", () => {
    const remembered = new RememberedCells();
    fc.assert(
      fc.property(
        anyPoint,
        anyResolution,
        // Out to two circles: inside, on the rim and in the neighbours.
        fc.array(fc.tuple(anyBearing, fc.double({ min: 0, max: 2, noNaN: true })), { minLength: 20, maxLength: 60 }),
        (place, resolution, steps) => {
          const centre = circleOf(latLngToCell(place.latitude, place.longitude, resolution));
          for (let round = 0; round < 3; round++)
            for (const [bearing, part] of steps) {
              const { latitude, longitude } = pointAt(centre, bearing, centre.radiusMetres * part);
              expect(remembered.cellOf(latitude, longitude, resolution)).toBe(latLngToCell(latitude, longitude, resolution));
            }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("is H3's where twelve cells have five neighbours, and where faces of the icosahedron meet", () => {
    const remembered = new RememberedCells();
    for (const [latitude, longitude] of [
      [64.7, 10.5],
      [58.4, -134.0],
      [50.1, -143.5],
      [39.1, 122.3],
      [23.7, -67.1],
      [10.4, 58.2],
      [2.3, -5.2],
      [-2.3, 174.8],
    ] as const)
      for (let step = 0; step < 1_000; step++) {
        const bearing = step * 137.5;
        const at = pointAt({ latitude, longitude }, bearing, Math.sqrt(step) * 120);
        for (const resolution of [7, 8, 9])
          expect(remembered.cellOf(at.latitude, at.longitude, resolution)).toBe(latLngToCell(at.latitude, at.longitude, resolution));
      }
  });

  test("outlives more cells than it remembers", () => {
    const remembered = new RememberedCells();
    for (let step = 0; step < 34_000; step++) {
      const latitude = 40 + (step % 200) * 0.0009;
      const longitude = 9 + Math.floor(step / 200) * 0.0009;
      for (let round = 0; round < 3; round++)
        if (remembered.cellOf(latitude, longitude, 11) !== latLngToCell(latitude, longitude, 11)) expect.fail(`${latitude}, ${longitude}`);
    }
  });

  test("is refused for what is no point", () => {
    expect(() => cellOf({ latitude: Number.NaN, longitude: 0 }, 9)).toThrow();
    expect(() => cellOf({ latitude: 0, longitude: Infinity }, 9)).toThrow();
    expect(() => cellOf({ latitude: 0, longitude: 0 }, 16)).toThrow();
  });
});
