/**
 * Which cell holds a point, mostly without asking H3: points come again and again from the same places. Small squares of the map
 * remember the cell that a point in them was in; when it comes a second time, the circle in that cell is looked at first. Whether
 * something is remembered changes nothing but time.
 */
import { cellToLatLng, latLngToCell } from "h3-js";
import { freshShapeOf, metresToEdge, unitX, unitY, unitZ } from "./cell-shape.ts";
import { EARTH_RADIUS_METRES } from "./distance.ts";

/** Sets of two squares; a power of two. */
const SETS = 32_768;
const SQUARES_PER_SET = 2;
/** Row, column, resolution, and the circle of its cell once it was needed: together, so that they are fetched together. */
const FIELDS = 4;
const CIRCLE_FIELD = 3;
const CIRCLES_MAX = 32_768;
const NUMBERS_PER_CIRCLE = 4;
/** Cells are small enough to be flat there, and meridians far enough apart. */
const RESOLUTION_MIN = 7;
const RESOLUTION_MAX = 13;
const LATITUDE_MAX = 75;
/** Of a flat earth that is round, and of edges that bend. */
const SAFETY = 0.98;
const DEGREES = 180 / Math.PI;
/** Side of a square at resolution 0, about the radius of a cell's circle; each resolution's is smaller by the root of seven. */
const COARSEST_SIDE_DEGREES = 10;
/** No circle yet; as a resolution: no square. */
const NOTHING = -1;

const squaresPerDegree = Float64Array.from(
  { length: RESOLUTION_MAX + 1 },
  (_, resolution) => Math.sqrt(7) ** resolution / COARSEST_SIDE_DEGREES,
);

export class RememberedCells {
  readonly #squares = new Int32Array(SETS * SQUARES_PER_SET * FIELDS).fill(NOTHING);
  readonly #cells: string[] = Array.from({ length: SETS * SQUARES_PER_SET }, () => "");
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
    const first = ((hash ^ (hash >>> 15)) & (SETS - 1)) * SQUARES_PER_SET;
    for (let square = first; square < first + SQUARES_PER_SET; square++)
      if (this.#isOf(square, row, column, resolution)) return this.#known(square, latitude, longitude, resolution);
    const cell = latLngToCell(latitude, longitude, resolution);
    this.#squares.copyWithin((first + 1) * FIELDS, first * FIELDS, (first + 1) * FIELDS);
    this.#cells[first + 1] = this.#cells[first] as string;
    const at = first * FIELDS;
    this.#squares[at] = row;
    this.#squares[at + 1] = column;
    this.#squares[at + 2] = resolution;
    this.#squares[at + CIRCLE_FIELD] = NOTHING;
    this.#cells[first] = cell;
    return cell;
  }

  #isOf(square: number, row: number, column: number, resolution: number): boolean {
    const at = square * FIELDS;
    return this.#squares[at] === row && this.#squares[at + 1] === column && this.#squares[at + 2] === resolution;
  }

  /** Of a point in a square that was seen before. */
  #known(square: number, latitude: number, longitude: number, resolution: number): string {
    const known = this.#cells[square] as string;
    const at = square * FIELDS + CIRCLE_FIELD;
    const circle = this.#squares[at] as number;
    if (circle !== NOTHING) return this.#isInside(circle, latitude, longitude) ? known : latLngToCell(latitude, longitude, resolution);
    const cell = latLngToCell(latitude, longitude, resolution);
    if (cell === known) this.#squares[at] = this.#circle(cell);
    else this.#cells[square] = cell;
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
      for (let at = CIRCLE_FIELD; at < this.#squares.length; at += FIELDS) this.#squares[at] = NOTHING;
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
