/** H3 cells as the application uses them: 15 lower-case hex digits, like in JSON and Avro. */
import { cellToChildren, cellToLatLng, cellToParent, getResolution, gridRing } from "h3-js";
import type { Point } from "./point.ts";
import { RememberedCells } from "./remembered-cells.ts";

/** Fine cells: about 200 m from the centre to an edge's end. Matching looks for drivers by rings of them. */
export const FINE_RESOLUTION = 9;

const remembered = new RememberedCells();

/** The cell that holds the point. Resolution 0 to 15. */
export function cellOf(point: Point, resolution: number): string {
  return remembered.cellOf(point.latitude, point.longitude, resolution);
}

/** The cell of a coarser resolution that holds the cell's centre; the cell itself at its own resolution. */
export function parentCell(cell: string, resolution: number): string {
  return cellToParent(cell, resolution);
}

export function resolutionOf(cell: string): number {
  return getResolution(cell);
}

export function centreOf(cell: string): Point {
  const [latitude, longitude] = cellToLatLng(cell);
  return { latitude, longitude };
}

/** The cells of the next finer resolution that descend from it: seven, six of a pentagon. They do not cover it to its edge. */
export function childrenOf(cell: string): readonly string[] {
  return cellToChildren(cell, getResolution(cell) + 1);
}

/** Cells exactly `k` steps away, 6k of them away from pentagons; the cell itself for 0. */
export function ring(cell: string, k: number): readonly string[] {
  return gridRing(cell, k);
}
