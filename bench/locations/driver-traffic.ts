/**
 * Drivers that go straight on through square cities, one location every five seconds, and what must come of it. The expectation
 * asks `#geo` alone, and knows nothing of how the topology is built.
 */
import { cellOf, centreOf, cellGeometry, FINE_RESOLUTION } from "#geo";
import type { DriverLocation, Point, ShiftStarted } from "#schemas";
import { defaultPolicy } from "#topologies";
import { seededRandom } from "../seeded-random.ts";

export const STEP_MS = 5_000;
const DRIVERS_PER_CITY = 10_000;
const CITY_METRES = 20_000;
const CITIES_PER_ROW = 8;
const CITY_DISTANCE_METRES = 60_000;
/** 11 m/s: with the mean chord of a fine cell (270 m) about every fifth location is in another one. */
const STEP_METRES = 55;
const METRES_PER_DEGREE = 111_195;
/** A location reaches the log so long after the device has made it. */
const UPLOAD_MS = 200;
/** A driver in a fine cell may be this far from its centre; told to `cellsWithin` beside the halo. */
const FINE_CELL_METRES = 250;

/** What matching has to be told in all, without an order: a count, and a sum of hashes of who, when, where and whether. */
export interface PresenceSum {
  count: number;
  hash: number;
}

interface KnownCell {
  readonly name: string;
  readonly reached: readonly string[];
}

export interface TrafficOptions {
  readonly seed: number;
  readonly drivers: number;
  /** Timestamp of the first driver's start of shift. */
  readonly startAt: number;
}

export class DriverTraffic {
  readonly drivers: number;
  readonly presence: PresenceSum = { count: 0, hash: 0 };
  cellChanges = 0;
  /** Locations of each driver so far. */
  steps = 0;
  readonly #startAt: number;
  readonly #random: () => number;
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #heading: Float64Array;
  /** Drivers in the order of their turns: not that of their names, or state would be read in the order of its keys. */
  readonly turns: Int32Array;
  readonly #turnOf: Int32Array;
  readonly #cells: KnownCell[] = [];
  readonly #known = new Map<string, KnownCell>();

  constructor({ seed, drivers, startAt }: TrafficOptions) {
    this.drivers = drivers;
    this.#startAt = startAt;
    this.#random = seededRandom(seed);
    this.#x = new Float64Array(drivers);
    this.#y = new Float64Array(drivers);
    this.#heading = new Float64Array(drivers);
    this.turns = Int32Array.from({ length: drivers }, (_, driver) => driver);
    this.#turnOf = new Int32Array(drivers);
    for (let turn = drivers - 1; turn >= 0; turn--) {
      const other = Math.floor(this.#random() * (turn + 1));
      const driver = this.turns[other] ?? 0;
      this.turns[other] = this.turns[turn] ?? 0;
      this.turns[turn] = driver;
      this.#turnOf[driver] = turn;
    }
    for (let driver = 0; driver < drivers; driver++) {
      this.#x[driver] = this.#random() * CITY_METRES;
      this.#y[driver] = this.#random() * CITY_METRES;
      this.#heading[driver] = this.#random() * 2 * Math.PI;
    }
  }

  idOf(driver: number): string {
    return `driver-${String(driver).padStart(6, "0")}`;
  }

  /** When the record of this step reaches the log; step 0 is the start of the shift. */
  timeOf(driver: number, step: number): number {
    return this.#startAt + step * STEP_MS + Math.floor(((this.#turnOf[driver] ?? 0) * STEP_MS) / this.drivers);
  }

  recordedAt(driver: number, step: number): number {
    return this.timeOf(driver, step) - UPLOAD_MS;
  }

  /** Cell of the driver's latest position. */
  fineCellOf(driver: number): string {
    return this.#cells[driver]?.name ?? "";
  }

  positionOf(driver: number): Point {
    const city = Math.floor(driver / DRIVERS_PER_CITY);
    const south = 36 * METRES_PER_DEGREE + Math.floor(city / CITIES_PER_ROW) * CITY_DISTANCE_METRES + (this.#y[driver] ?? 0);
    const east = (city % CITIES_PER_ROW) * CITY_DISTANCE_METRES + (this.#x[driver] ?? 0);
    const latitude = south / METRES_PER_DEGREE;
    return { latitude, longitude: east / (METRES_PER_DEGREE * Math.cos((latitude * Math.PI) / 180)) };
  }

  shift(driver: number): ShiftStarted {
    const position = this.positionOf(driver);
    this.#arrive(driver, position, this.timeOf(driver, 0));
    return {
      type: "ShiftStarted",
      eventId: `shift-${driver}`,
      driverId: this.idOf(driver),
      occurredAt: this.recordedAt(driver, 0),
      position,
      vehicle: "car",
      tags: [],
      capacity: 2,
      endsAt: null,
    };
  }

  /** The driver's location of that step; ask each driver's in order. */
  location(driver: number, step: number): DriverLocation {
    this.#move(driver);
    const position = this.positionOf(driver);
    this.#arrive(driver, position, this.timeOf(driver, step));
    return {
      type: "DriverLocation",
      eventId: `${step}-${this.idOf(driver)}`,
      driverId: this.idOf(driver),
      position,
      accuracyMetres: 8,
      speed: STEP_METRES / (STEP_MS / 1_000),
      heading: 90,
      recordedAt: this.recordedAt(driver, step),
    };
  }

  /** Straight on, reflected at the city's border, and into another street now and then. */
  #move(driver: number): void {
    if (this.#random() < 0.05) this.#heading[driver] = this.#random() * 2 * Math.PI;
    const heading = this.#heading[driver] ?? 0;
    let x = (this.#x[driver] ?? 0) + Math.cos(heading) * STEP_METRES;
    let y = (this.#y[driver] ?? 0) + Math.sin(heading) * STEP_METRES;
    if (x < 0 || x > CITY_METRES || y < 0 || y > CITY_METRES) {
      this.#heading[driver] = heading + Math.PI;
      x = Math.min(CITY_METRES, Math.max(0, x));
      y = Math.min(CITY_METRES, Math.max(0, y));
    }
    this.#x[driver] = x;
    this.#y[driver] = y;
  }

  /** What matching hears: every cell reached when the fine cell is another one, and cells left. */
  #arrive(driver: number, position: Point, at: number): void {
    const before = this.#cells[driver];
    const name = cellOf(position, FINE_RESOLUTION);
    if (before?.name === name) return;
    let cell = this.#known.get(name);
    if (cell === undefined) this.#known.set(name, (cell = { name, reached: reachedFrom(name) }));
    if (before !== undefined) this.cellChanges++;
    this.#cells[driver] = cell;
    const id = this.idOf(driver);
    for (const reached of cell.reached) addPresence(this.presence, id, at, reached, true);
    for (const left of before?.reached ?? []) if (!cell.reached.includes(left)) addPresence(this.presence, id, at, left, false);
  }
}

function reachedFrom(fineCell: string): readonly string[] {
  const centre = centreOf(fineCell);
  const { dispatchResolution, haloMetres } = defaultPolicy;
  const own = cellOf(centre, dispatchResolution);
  return [...new Set([own, ...cellGeometry.cellsWithin(centre, dispatchResolution, haloMetres + FINE_CELL_METRES)])];
}

/** FNV-1a over all of it, summed: the order of the records does not matter, each of them does. */
export function addPresence(sum: PresenceSum, driverId: string, at: number, cell: string, present: boolean): void {
  let hash = 0x811c9dc5;
  for (const text of [driverId, String(at), cell, present ? "+" : "-"])
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  sum.count++;
  sum.hash = (sum.hash + hash) | 0;
}
