/** The topologies' questions about the earth, answered by H3 and the travel models. What was computed lately is kept: cells do not move. */
import { CellCircles, cellGeometry, cellOf, distanceMetres, FINE_RESOLUTION, ring, travelModels } from "#geo";
import type { Geography } from "./geography.ts";

/** Rings remembered; when full, all are forgotten and computed again. */
const RINGS_MAX = 50_000;

/** One for each task or topology; it remembers circles and rings, nothing else. */
export function h3Geography(): Geography {
  const circles = new CellCircles();
  const rings = new Map<string, readonly string[]>();
  const greatCircle = travelModels.greatCircle();
  const plane = travelModels.plane();
  return {
    ...cellGeometry,
    fineCellOf: (point) => cellOf(point, FINE_RESOLUTION),
    metresBetween: (a, b) => distanceMetres(a.latitude, a.longitude, b.latitude, b.longitude),
    surelyIn: (fineCell, point) => circles.surelyInside(fineCell, point.latitude, point.longitude),
    ring(fineCell, distance) {
      const name = `${distance} ${fineCell}`;
      let cells = rings.get(name);
      if (cells === undefined) {
        if (rings.size >= RINGS_MAX) rings.clear();
        rings.set(name, (cells = ring(fineCell, distance)));
      }
      return cells;
    },
    travelModel: (name) => (name === "plane" ? plane : greatCircle),
  };
}
