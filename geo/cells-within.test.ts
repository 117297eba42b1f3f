import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellOf, centreOf, parentCell, resolutionOf, ring } from "./cell.ts";
import { dispatchCellsWithin } from "./cells-within.ts";
import { metresToEdge, shapeOf, unitX, unitY, unitZ } from "./cell-shape.ts";
import { anyPoint, pointAt } from "./testing/points.ts";

/** About the distance from a cell's centre to its corners. */
const edgeMetres = [1_107_713, 418_676, 158_245, 59_811, 22_606, 8_544, 3_230, 1_221, 461];

describe("dispatch cells within reach", () => {
  test("are every cell that dense sampling of the halo finds, own cell first, the rest by name", () => {
    fc.assert(
      fc.property(anyPoint, fc.integer({ min: 2, max: 8 }), fc.double({ min: 0, max: 2.5, noNaN: true }), (point, resolution, part) => {
        const halo = part * (edgeMetres[resolution] as number);
        const found = dispatchCellsWithin(point, resolution, halo);
        expect(found[0]).toBe(cellOf(point, resolution));
        expect(found.slice(1)).toEqual(found.slice(1).toSorted());
        expect(new Set(found).size).toBe(found.length);
        const sampled = new Set<string>();
        for (let step = 0; step <= 10; step++)
          for (let bearing = 0; bearing < 360; bearing += 10) sampled.add(cellOf(pointAt(point, bearing, (halo * step) / 10), resolution));
        expect([...sampled].filter((cell) => !found.includes(cell))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test("are not more than those with a part within the reach and its tolerance", () => {
    fc.assert(
      fc.property(anyPoint, fc.integer({ min: 3, max: 8 }), fc.double({ min: 0, max: 2, noNaN: true }), (point, resolution, part) => {
        const halo = part * (edgeMetres[resolution] as number);
        const { latitude, longitude } = point;
        for (const cell of dispatchCellsWithin(point, resolution, halo).slice(1)) {
          const metres = metresToEdge(shapeOf(cell), unitX(latitude, longitude), unitY(latitude, longitude), unitZ(latitude));
          expect(metres).toBeLessThanOrEqual(halo * 1.01 + 1);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("work at a pentagon and its five neighbours", () => {
    const pentagon = "860800007ffffff";
    const centre = centreOf(pentagon);
    expect(dispatchCellsWithin(centre, 6, 0)).toEqual([pentagon]);
    expect(dispatchCellsWithin(centre, 6, 5_000).toSorted()).toEqual([pentagon, ...ring(pentagon, 1)].toSorted());
    expect(ring(pentagon, 1)).toHaveLength(5);
  });

  test("refuse a reach of more rings than are ever meant", () => {
    expect(() => dispatchCellsWithin({ latitude: 48, longitude: 11 }, 8, 100_000)).toThrow(/coarser resolution/);
  });
});

describe("cells", () => {
  test("have rings of 6k cells and themselves as ring 0", () => {
    const cell = cellOf({ latitude: 48.1, longitude: 11.5 }, 9);
    expect(ring(cell, 0)).toEqual([cell]);
    expect(ring(cell, 3)).toHaveLength(18);
    expect(new Set([...ring(cell, 1), ...ring(cell, 2), cell]).size).toBe(19);
  });

  test("have parents that hold their centre, and are 15 lower-case hex digits", () => {
    fc.assert(
      fc.property(anyPoint, (point) => {
        const cell = cellOf(point, 9);
        expect(cell).toMatch(/^[0-9a-f]{15}$/);
        expect(resolutionOf(parentCell(cell, 6))).toBe(6);
        expect(parentCell(cell, 9)).toBe(cell);
      }),
    );
  });
});
