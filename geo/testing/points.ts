/** Points for tests: all over the earth, and by bearing and distance. */
import * as fc from "fast-check";
import { EARTH_RADIUS_METRES } from "../distance.ts";
import type { Point } from "../point.ts";

/** Anywhere but the last metres before the poles, where bearings lose their meaning. */
export const anyPoint: fc.Arbitrary<Point> = fc.record({
  latitude: fc.double({ min: -89.9, max: 89.9, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});

/** Where one arrives after some metres straight ahead; bearing in degrees clockwise from north. */
export function pointAt(from: Point, bearing: number, metres: number): Point {
  const radians = Math.PI / 180;
  const angle = metres / EARTH_RADIUS_METRES;
  const latitude = from.latitude * radians;
  const sine = Math.sin(latitude) * Math.cos(angle) + Math.cos(latitude) * Math.sin(angle) * Math.cos(bearing * radians);
  const east = Math.sin(bearing * radians) * Math.sin(angle) * Math.cos(latitude);
  const longitude = from.longitude + Math.atan2(east, Math.cos(angle) - Math.sin(latitude) * sine) / radians;
  return { latitude: Math.asin(sine) / radians, longitude: ((((longitude + 180) % 360) + 360) % 360) - 180 };
}
