import { centreOf } from "./cell.ts";
import { freshShapeOf, metresToEdge, unitX, unitY, unitZ } from "./cell-shape.ts";
import { distanceMetres, EARTH_RADIUS_METRES } from "./distance.ts";

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
  const toEdge = metresToEdge(freshShapeOf(cell), unitX(latitude, longitude), unitY(latitude, longitude), unitZ(latitude));
  return { cell, latitude, longitude, radiusMetres: toEdge * SAFETY };
}

/** True: in the cell, without asking H3. False: it may be in the cell or not. */
export function insideCircle(circle: CellCircle, latitude: number, longitude: number): boolean {
  return distanceMetres(circle.latitude, circle.longitude, latitude, longitude) < circle.radiusMetres;
}

const NUMBERS_PER_CIRCLE = 4;
const RADIANS = Math.PI / 180;

/**
 * Circles by cell, remembered up to a bound, for callers that keep only the cell's name of where something was last. A circle is
 * four numbers in one array: centre, cosine of its latitude, and the haversine of the radius.
 */
export class CellCircles {
  readonly #places = new Map<string, number>();
  readonly #most: number;
  #numbers = new Float64Array(NUMBERS_PER_CIRCLE * 256);

  /** `circlesMax` 300,000, the fine cells of 80 large cities: about 40 MB. */
  constructor(options: { readonly circlesMax?: number } = {}) {
    this.#most = options.circlesMax ?? 300_000;
  }

  /** As `insideCircle` for the circle of a cell. */
  surelyInside(cell: string, latitude: number, longitude: number): boolean {
    const place = this.#places.get(cell) ?? this.#add(cell);
    const numbers = this.#numbers;
    // In bounds by construction.
    const sinLatitude = Math.sin(((latitude - (numbers[place] as number)) * RADIANS) / 2);
    const sinLongitude = Math.sin(((longitude - (numbers[place + 1] as number)) * RADIANS) / 2);
    const cosines = (numbers[place + 2] as number) * Math.cos(latitude * RADIANS);
    return sinLatitude * sinLatitude + cosines * sinLongitude * sinLongitude < (numbers[place + 3] as number);
  }

  #add(cell: string): number {
    const { latitude, longitude, radiusMetres } = circleOf(cell);
    // Whether a circle is remembered changes nothing but time, so the simplest bound will do.
    if (this.#places.size >= this.#most) this.#places.clear();
    const place = this.#places.size * NUMBERS_PER_CIRCLE;
    if (place === this.#numbers.length) {
      const more = new Float64Array(place * 2);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#places.set(cell, place);
    const numbers = this.#numbers;
    numbers[place] = latitude;
    numbers[place + 1] = longitude;
    numbers[place + 2] = Math.cos(latitude * RADIANS);
    numbers[place + 3] = Math.sin(radiusMetres / EARTH_RADIUS_METRES / 2) ** 2;
    return place;
  }
}
