import { cellOf, centreOf, parentCell, resolutionOf } from "./cell.ts";
import { metresToEdge, ringOf, shapeOf, unitX, unitY, unitZ } from "./cell-shape.ts";
import type { Point } from "./point.ts";

/** Rings searched at most; a reach beyond them is a mistake in metres or resolution. */
export const REACH_RINGS_MAX = 64;

/** By how much the arcs between a cell's corners may lie beside H3's own edges, as part of the reach; and at least a metre. */
const TOLERANCE = 0.01;

/**
 * Cells of a resolution with a part within `haloMetres` of the point: the point's own cell first, the others in the order of
 * their names. May name a cell that is just out of reach, never leaves one out. Throws RangeError if the reach is over 64 rings.
 */
export function dispatchCellsWithin(point: Point, resolution: number, haloMetres: number): readonly string[] {
  const own = shapeOf(cellOf(point, resolution));
  const x = unitX(point.latitude, point.longitude);
  const y = unitY(point.latitude, point.longitude);
  const z = unitZ(point.latitude);
  const reach = haloMetres * (1 + TOLERANCE) + 1;
  // Most points are far from their cell's edge.
  if (metresToEdge(own, x, y, z) > reach) return [own.cell];
  const others: string[] = [];
  // Whatever lies beyond a ring is farther than something in it: the first ring out of reach ends the search.
  for (let k = 1; ; k++) {
    if (k > REACH_RINGS_MAX)
      throw new RangeError(`${haloMetres} m is more than ${REACH_RINGS_MAX} cells of resolution ${resolution}: use a coarser resolution.`);
    const before = others.length;
    for (const cell of ringOf(own, k)) if (metresToEdge(shapeOf(cell), x, y, z) <= reach) others.push(cell);
    if (others.length === before) break;
  }
  return [own.cell, ...others.sort()];
}

/** Everything that is asked about cells, as one value to hand over. */
export const cellGeometry = {
  cellOf,
  resolutionOf,
  parentOf: parentCell,
  centreOf,
  cellsWithin: dispatchCellsWithin,
} as const;
