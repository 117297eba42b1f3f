import { centreOf } from "./cell.ts";
import { metresToEdge, shapeOf, unitX, unitY, unitZ } from "./cell-shape.ts";
import { distanceMetres } from "./distance.ts";

/** The circle around a cell's centre that touches its nearest edge: whoever is inside is surely in the cell. */
export interface CellCircle {
  readonly cell: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly radiusMetres: number;
}

/** H3 draws its grid on the plane of an icosahedron's face, where an edge bends by this much against the arc between its ends. */
const SAFETY = 0.99;

export function circleOf(cell: string): CellCircle {
  const { latitude, longitude } = centreOf(cell);
  const toEdge = metresToEdge(shapeOf(cell), unitX(latitude, longitude), unitY(latitude, longitude), unitZ(latitude));
  return { cell, latitude, longitude, radiusMetres: toEdge * SAFETY };
}

/** True: in the cell, without asking H3. False: it may be in the cell or not. */
export function insideCircle(circle: CellCircle, latitude: number, longitude: number): boolean {
  return distanceMetres(circle.latitude, circle.longitude, latitude, longitude) < circle.radiusMetres;
}

/** Circles by cell, remembered up to a bound, for callers that keep only the cell's name of where something was last. */
export class CellCircles {
  readonly #circles = new Map<string, CellCircle>();
  readonly #most: number;

  /** `circlesMax` 100,000: about 20 MB. */
  constructor(options: { readonly circlesMax?: number } = {}) {
    this.#most = options.circlesMax ?? 100_000;
  }

  /** As `insideCircle` for the circle of a cell. */
  surelyInside(cell: string, latitude: number, longitude: number): boolean {
    let circle = this.#circles.get(cell);
    if (circle === undefined) {
      circle = circleOf(cell);
      // Whether a circle is remembered changes nothing but time, so the simplest bound will do.
      if (this.#circles.size >= this.#most) this.#circles.clear();
      this.#circles.set(cell, circle);
    }
    return insideCircle(circle, latitude, longitude);
  }
}
