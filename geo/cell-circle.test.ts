import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CellCircles, circleOf, insideCircle } from "./cell-circle.ts";
import { FINE_RESOLUTION, cellOf } from "./cell.ts";
import { EARTH_RADIUS_METRES, distanceMetres } from "./distance.ts";
import { anyPoint, pointAt } from "./testing/points.ts";

const anyResolution = fc.integer({ min: 0, max: 12 });

describe("a cell's circle", () => {
  test("holds only points that H3 puts into the cell, all over the earth and at every resolution", () => {
    fc.assert(
      fc.property(
        anyPoint,
        anyResolution,
        fc.double({ min: 0, max: 0.9999, noNaN: true }),
        fc.double({ min: 0, max: 360, noNaN: true }),
        (point, resolution, part, bearing) => {
          const cell = cellOf(point, resolution);
          const circle = circleOf(cell);
          // Near the rim, where a circle too wide would show.
          const inside = pointAt(circle, bearing, circle.radiusMetres * Math.sqrt(part));
          expect(insideCircle(circle, inside.latitude, inside.longitude)).toBe(true);
          expect(cellOf(inside, resolution)).toBe(cell);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("is as wide as the cell allows: a tenth farther in all directions is somewhere outside", () => {
    fc.assert(
      fc.property(anyPoint, fc.integer({ min: 3, max: 12 }), (point, resolution) => {
        const cell = cellOf(point, resolution);
        const circle = circleOf(cell);
        const rim = Array.from({ length: 72 }, (_, step) => pointAt(circle, step * 5, circle.radiusMetres * 1.1));
        expect(rim.some((at) => cellOf(at, resolution) !== cell)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("does not hold the cell's neighbour and gives the same answers with a memory of one", () => {
    const here = cellOf({ latitude: 48.1, longitude: 11.5 }, FINE_RESOLUTION);
    const there = cellOf({ latitude: 48.2, longitude: 11.5 }, FINE_RESOLUTION);
    const few = new CellCircles({ circlesMax: 1 });
    const centre = circleOf(here);
    for (let round = 0; round < 3; round++) {
      expect(few.surelyInside(here, centre.latitude, centre.longitude)).toBe(true);
      expect(few.surelyInside(there, centre.latitude, centre.longitude)).toBe(false);
    }
  });
});

describe("great-circle distance", () => {
  test("knows a quarter, a half and one degree of the equator", () => {
    const degree = (EARTH_RADIUS_METRES * Math.PI) / 180;
    expect(distanceMetres(0, 0, 0, 1)).toBeCloseTo(degree, 6);
    expect(distanceMetres(0, 0, 90, 123)).toBeCloseTo(degree * 90, 3);
    expect(distanceMetres(10, 20, -10, -160)).toBeCloseTo(degree * 180, 0);
    expect(distanceMetres(48.1, 11.5, 48.1, 11.5)).toBe(0);
  });

  test("is what pointAt walked, to a millimetre", () => {
    fc.assert(
      fc.property(
        anyPoint,
        fc.double({ min: 0, max: 360, noNaN: true }),
        fc.double({ min: 0.01, max: 100_000, noNaN: true }),
        (from, bearing, metres) => {
          const to = pointAt(from, bearing, metres);
          expect(Math.abs(distanceMetres(from.latitude, from.longitude, to.latitude, to.longitude) - metres)).toBeLessThan(
            0.001 + metres * 1e-7,
          );
        },
      ),
    );
  });

  test("is the same both ways across the date line", () => {
    expect(distanceMetres(10, 179.9, 10, -179.9)).toBeCloseTo(distanceMetres(10, -179.9, 10, 179.9), 9);
    expect(distanceMetres(10, 179.9, 10, -179.9)).toBeLessThan(23_000);
  });
});
