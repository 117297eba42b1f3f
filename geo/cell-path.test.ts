import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cellOf, parentCell } from "./cell.ts";
import { cellOfPath, cellPath } from "./cell-path.ts";

const point = fc.record({
  latitude: fc.double({ min: -89, max: 89, noNaN: true }),
  longitude: fc.double({ min: -179, max: 179, noNaN: true }),
});

test("a parent's path is the beginning of its children's, and of nobody else's", () => {
  fc.assert(
    fc.property(point, point, fc.nat(9), (here, there, resolution) => {
      const fine = cellOf(here, 9);
      const parent = parentCell(fine, resolution);
      expect(cellPath(fine).startsWith(cellPath(parent))).toBe(true);
      expect([fine, parent].map((cell) => cellOfPath(cellPath(cell)))).toEqual([fine, parent]);
      expect(cellPath(fine) < `${cellPath(parent)}8`).toBe(true);
      const other = cellOf(there, 9);
      expect(cellPath(other).startsWith(cellPath(parent))).toBe(parentCell(other, resolution) === parent);
    }),
  );
});

test("text that is no cell stays as it is", () => {
  expect(cellPath("nowhere")).toBe("nowhere");
});
