/** Distances on the sphere of the mean radius. Against the ellipsoid they are off by at most 0.6 %, far below what roads add. */

/** Mean radius of the earth, metres (IUGG), as H3 has it. */
export const EARTH_RADIUS_METRES = 6_371_007.180918475;

const RADIANS = Math.PI / 180;

/** Great-circle distance by the haversine formula, which keeps its precision for small distances. */
export function distanceMetres(latitude1: number, longitude1: number, latitude2: number, longitude2: number): number {
  const sinLatitude = Math.sin(((latitude2 - latitude1) * RADIANS) / 2);
  const sinLongitude = Math.sin(((longitude2 - longitude1) * RADIANS) / 2);
  const h = sinLatitude * sinLatitude + Math.cos(latitude1 * RADIANS) * Math.cos(latitude2 * RADIANS) * sinLongitude * sinLongitude;
  // Rounding may carry h a hair over 1 for antipodes.
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.sqrt(Math.min(1, h)));
}
