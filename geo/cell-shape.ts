/**
 * Cells as polygons of great-circle arcs on the unit sphere, remembered: the dispatch cells of a running system are few, and
 * asking H3 for a boundary costs as much as everything else that is done to a location.
 */
import { cellToBoundary, gridRing } from "h3-js";
import { EARTH_RADIUS_METRES } from "./distance.ts";

export interface CellShape {
  readonly cell: string;
  /** Unit vectors x, y, z of the corners in turn, the first one again at the end. */
  readonly corners: Float64Array;
  /** Rings of neighbours asked for so far, each in the order of names; ring 0 is the cell. */
  readonly rings: (readonly string[])[];
}

const SHAPES_MAX = 8_192;
const shapes = new Map<string, CellShape>();

export function shapeOf(cell: string): CellShape {
  let shape = shapes.get(cell);
  if (shape === undefined) {
    shape = freshShapeOf(cell);
    // Whether a shape is remembered changes nothing but time, so the simplest bound will do.
    if (shapes.size >= SHAPES_MAX) shapes.clear();
    shapes.set(cell, shape);
  }
  return shape;
}

/** Not remembered: for cells that are many. */
export function freshShapeOf(cell: string): CellShape {
  return { cell, corners: cornersOf(cell), rings: [[cell]] };
}

export function ringOf(shape: CellShape, k: number): readonly string[] {
  return (shape.rings[k] ??= gridRing(shape.cell, k).sort());
}

/** From a point, given as unit vector, to the nearest point of the cell's edge. */
export function metresToEdge(shape: CellShape, x: number, y: number, z: number): number {
  const { corners } = shape;
  let least = Infinity;
  for (let at = 0; at + 5 < corners.length; at += 3) least = Math.min(least, radiansToArc(corners, at, x, y, z));
  return least * EARTH_RADIUS_METRES;
}

const RADIANS = Math.PI / 180;

export function unitX(latitude: number, longitude: number): number {
  return Math.cos(latitude * RADIANS) * Math.cos(longitude * RADIANS);
}
export function unitY(latitude: number, longitude: number): number {
  return Math.cos(latitude * RADIANS) * Math.sin(longitude * RADIANS);
}
export function unitZ(latitude: number): number {
  return Math.sin(latitude * RADIANS);
}

function cornersOf(cell: string): Float64Array {
  const boundary = cellToBoundary(cell);
  const first = boundary[0];
  if (first === undefined) throw new TypeError(`${cell} is not an H3 cell.`);
  return Float64Array.from(
    [...boundary, first].flatMap(([latitude, longitude]) => [unitX(latitude, longitude), unitY(latitude, longitude), unitZ(latitude)]),
  );
}

/** Angle between p and the arc from the corner at `at` to the next one. */
function radiansToArc(corners: Float64Array, at: number, px: number, py: number, pz: number): number {
  const ax = corners[at] as number;
  const ay = corners[at + 1] as number;
  const az = corners[at + 2] as number;
  const bx = corners[at + 3] as number;
  const by = corners[at + 4] as number;
  const bz = corners[at + 5] as number;
  // Normal of the arc's plane.
  const nx = ay * bz - az * by;
  const ny = az * bx - ax * bz;
  const nz = ax * by - ay * bx;
  // The foot of the perpendicular lies on the arc if p is on the inner side of both ends.
  const afterA = (ny * az - nz * ay) * px + (nz * ax - nx * az) * py + (nx * ay - ny * ax) * pz >= 0;
  const beforeB = (by * nz - bz * ny) * px + (bz * nx - bx * nz) * py + (bx * ny - by * nx) * pz >= 0;
  if (afterA && beforeB) {
    const sine = Math.abs(nx * px + ny * py + nz * pz) / Math.sqrt(nx * nx + ny * ny + nz * nz);
    return Math.asin(Math.min(1, sine));
  }
  return Math.min(chord(ax - px, ay - py, az - pz), chord(bx - px, by - py, bz - pz));
}

/** Angle whose chord on the unit sphere is the given vector. */
function chord(x: number, y: number, z: number): number {
  return 2 * Math.asin(Math.min(1, Math.sqrt(x * x + y * y + z * z) / 2));
}
