/**
 * Which cell holds a point, mostly without asking H3: points come again and again from the same places. Small squares of the map
 * remember the cell that a point in them was in; when it comes a second time, the circle in that cell is looked at first. Whether
 * something is remembered changes nothing but time.
 */
import { cellToLatLng, latLngToCell } from "h3-js";
import { freshShapeOf, metresToEdge, unitX, unitY, unitZ } from "./cell-shape.ts";
import { EARTH_RADIUS_METRES } from "./distance.ts";

/** A power of two. */
const SQUARES = 65_536;
const CIRCLES_MAX = 32_768;
const NUMBERS_PER_CIRCLE = 4;
/** Cells are small enough to be flat there, and meridians far enough apart. */
const RESOLUTION_MIN = 7;
const RESOLUTION_MAX = 13;
const LATITUDE_MAX = 75;
/** Of a flat earth that is round, and of edges that bend. */
const SAFETY = 0.98;
const DEGREES = 180 / Math.PI;
/** About the smallest circle of resolution 0, in degrees; each resolution's is smaller by the root of seven. */
const COARSEST_RADIUS_DEGREES = 6.5;
const NO_CIRCLE = -1;

const squaresPerDegree = Float64Array.from(
  { length: RESOLUTION_MAX + 1 },
  (_, resolution) => Math.sqrt(7) ** resolution / COARSEST_RADIUS_DEGREES,
);

export class RememberedCells {
  readonly #rows = new Int32Array(SQUARES);
  readonly #columns = new Int32Array(SQUARES);
  readonly #resolutions = new Int8Array(SQUARES).fill(-1);
  readonly #cells: string[] = Array.from({ length: SQUARES }, () => "");
  /** Of the square's cell, once it was needed. */
  readonly #circles = new Int32Array(SQUARES).fill(NO_CIRCLE);
  readonly #circleOf = new Map<string, number>();
  /** Centre, cosine of its latitude, square of the radius; in degrees. */
  readonly #numbers = new Float64Array(NUMBERS_PER_CIRCLE * CIRCLES_MAX);

  /** As H3 says it. Throws what H3 throws. */
  cellOf(latitude: number, longitude: number, resolution: number): string {
    if (!(resolution >= RESOLUTION_MIN && resolution <= RESOLUTION_MAX && latitude <= LATITUDE_MAX && latitude >= -LATITUDE_MAX))
      return latLngToCell(latitude, longitude, resolution);
    // In bounds by construction, here and below.
    const scale = squaresPerDegree[resolution] as number;
    const row = Math.floor(latitude * scale) | 0;
    const column = Math.floor(longitude * scale) | 0;
    const hash = Math.imul(Math.imul(row, 0x9e3779b1) ^ (column + resolution), 0x85ebca6b);
    const square = (hash ^ (hash >>> 15)) & (SQUARES - 1);
    if (this.#rows[square] === row && this.#columns[square] === column && this.#resolutions[square] === resolution) {
      const known = this.#cells[square] as string;
      const circle = this.#circles[square] as number;
      if (circle !== NO_CIRCLE) return this.#isInside(circle, latitude, longitude) ? known : latLngToCell(latitude, longitude, resolution);
      const cell = latLngToCell(latitude, longitude, resolution);
      if (cell === known) this.#circles[square] = this.#circle(cell);
      else this.#cells[square] = cell;
      return cell;
    }
    const cell = latLngToCell(latitude, longitude, resolution);
    this.#rows[square] = row;
    this.#columns[square] = column;
    this.#resolutions[square] = resolution;
    this.#cells[square] = cell;
    this.#circles[square] = NO_CIRCLE;
    return cell;
  }

  #isInside(circle: number, latitude: number, longitude: number): boolean {
    const numbers = this.#numbers;
    const north = latitude - (numbers[circle] as number);
    const east = (longitude - (numbers[circle + 1] as number)) * (numbers[circle + 2] as number);
    return north * north + east * east < (numbers[circle + 3] as number);
  }

  #circle(cell: string): number {
    const known = this.#circleOf.get(cell);
    if (known !== undefined) return known;
    if (this.#circleOf.size >= CIRCLES_MAX) {
      this.#circleOf.clear();
      this.#circles.fill(NO_CIRCLE);
    }
    const [latitude, longitude] = cellToLatLng(cell);
    const toEdge = metresToEdge(freshShapeOf(cell), unitX(latitude, longitude), unitY(latitude, longitude), unitZ(latitude));
    const radius = (toEdge / EARTH_RADIUS_METRES) * DEGREES * SAFETY;
    const circle = this.#circleOf.size * NUMBERS_PER_CIRCLE;
    this.#circleOf.set(cell, circle);
    const numbers = this.#numbers;
    numbers[circle] = latitude;
    numbers[circle + 1] = longitude;
    numbers[circle + 2] = Math.cos(latitude / DEGREES);
    numbers[circle + 3] = radius * radius;
    return circle;
  }
}
