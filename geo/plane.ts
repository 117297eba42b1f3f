/**
 * The plane of the Grubhub instances on earth: whole metres x (east) and y (north) as degrees by a fixed linear projection and
 * back, without loss. It is no map projection: only the plane model measures distances in it.
 */
import { EARTH_RADIUS_METRES } from "./distance.ts";
import type { Point } from "./point.ts";

/**
 * Centre of an H3 cell of resolution 3 whose edges are nowhere nearer than 57 km: everything within ±40 km lies in this cell,
 * so that one dispatch cell of resolution 3 sees a whole city, as the instances' rules assume.
 */
export const PLANE_CELL = "832664fffffffff";
const CENTRE_LATITUDE = 41.557241;
const CENTRE_LONGITUDE = -87.328278;

/** How far from the centre a point of the plane may lie, in x and in y. */
export const PLANE_METRES_MAX = 40_000;

const METRES_PER_DEGREE_NORTH = (EARTH_RADIUS_METRES * Math.PI) / 180;
const METRES_PER_DEGREE_EAST = METRES_PER_DEGREE_NORTH * Math.cos((CENTRE_LATITUDE * Math.PI) / 180);

/** Metres east and north of the plane's origin as a point on earth. Throws RangeError beyond 40 km. */
export function planePoint(x: number, y: number): Point {
  if (!(Math.abs(x) <= PLANE_METRES_MAX && Math.abs(y) <= PLANE_METRES_MAX))
    throw new RangeError(`(${x}, ${y}) is beyond the plane's ${PLANE_METRES_MAX} m: shift the instance to its own centre first.`);
  return { latitude: CENTRE_LATITUDE + y / METRES_PER_DEGREE_NORTH, longitude: CENTRE_LONGITUDE + x / METRES_PER_DEGREE_EAST };
}

/** The whole metres that the point came from. */
export function planeXY(point: Point): { readonly x: number; readonly y: number } {
  return { x: planeX(point), y: planeY(point) };
}

/** Whole metres east; never −0. */
export function planeX(point: Point): number {
  return Math.round((point.longitude - CENTRE_LONGITUDE) * METRES_PER_DEGREE_EAST) + 0;
}

/** Whole metres north; never −0. */
export function planeY(point: Point): number {
  return Math.round((point.latitude - CENTRE_LATITUDE) * METRES_PER_DEGREE_NORTH) + 0;
}
