/** Reads the folder of an MDRP instance: four tab-separated files with a header line and whole numbers. */
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { WorldError } from "../errors.ts";
import type { MdrpCourier, MdrpInstance, MdrpOrder, MdrpParameters, MdrpRestaurant } from "./instance.ts";

const FILES = {
  "restaurants.txt": ["restaurant", "x", "y"],
  "couriers.txt": ["courier", "x", "y", "on_time", "off_time"],
  "orders.txt": ["order", "x", "y", "placement_time", "restaurant", "ready_time"],
  "instance_parameters.txt": [
    "meters_per_minute",
    "pickup service minutes",
    "dropoff service minutes",
    "target click-to-door",
    "maximum click-to-door",
    "pay per order",
    "guaranteed pay per hour",
  ],
} as const;

type FileName = keyof typeof FILES;

/**
 * Throws WorldError `INSTANCE_FILE_MISSING`, or `INSTANCE_MALFORMED` with file, line and what was expected there: also for
 * ids given twice, unknown restaurants, shifts that end before they start, food ready before it was ordered.
 */
export function readInstance(folder: string): MdrpInstance {
  const restaurants = rowsOf(folder, "restaurants.txt").map((row): MdrpRestaurant => {
    return { id: row.id("restaurant"), x: row.number("x"), y: row.number("y") };
  });
  const restaurantOf = new Map(restaurants.map((restaurant) => [restaurant.id, restaurant]));
  const couriers = rowsOf(folder, "couriers.txt").map(courierOf);
  const orders = rowsOf(folder, "orders.txt").map((row) => orderOf(row, restaurantOf));
  return { name: basename(resolve(folder)), orders, couriers, restaurants, parameters: parametersOf(folder) };
}

function courierOf(row: Row): MdrpCourier {
  const onTime = row.minute("on_time");
  const offTime = row.minute("off_time");
  if (offTime < onTime) row.fail("off_time", `a minute at or after on_time ${onTime}`);
  return { id: row.id("courier"), x: row.number("x"), y: row.number("y"), onTime, offTime };
}

function orderOf(row: Row, restaurants: ReadonlyMap<string, MdrpRestaurant>): MdrpOrder {
  const restaurant = restaurants.get(row.text("restaurant"));
  if (restaurant === undefined) row.fail("restaurant", "a restaurant of restaurants.txt");
  const placementTime = row.minute("placement_time");
  const readyTime = row.minute("ready_time");
  if (readyTime < placementTime) row.fail("ready_time", `a minute at or after placement_time ${placementTime}`);
  return { id: row.id("order"), x: row.number("x"), y: row.number("y"), placementTime, restaurant, readyTime };
}

function parametersOf(folder: string): MdrpParameters {
  const file = "instance_parameters.txt";
  const rows = rowsOf(folder, file);
  const [row] = rows;
  if (row === undefined || rows.length !== 1) {
    throw malformed(join(folder, file), 2, `one line of parameters expected, found ${rows.length}`);
  }
  const metersPerMinute = row.number("meters_per_minute");
  if (metersPerMinute <= 0) row.fail("meters_per_minute", "a number above 0");
  return {
    metersPerMinute,
    pickupServiceMinutes: row.even("pickup service minutes"),
    dropoffServiceMinutes: row.even("dropoff service minutes"),
    targetClickToDoor: row.minute("target click-to-door"),
    maximumClickToDoor: row.minute("maximum click-to-door"),
    payPerOrder: row.number("pay per order"),
    guaranteedPayPerHour: row.number("guaranteed pay per hour"),
  };
}

/** One line, its fields by column. */
class Row {
  readonly #file: string;
  readonly #line: number;
  readonly #fields: ReadonlyMap<string, string>;
  readonly #seen: Set<string>;

  constructor(file: string, line: number, fields: ReadonlyMap<string, string>, seen: Set<string>) {
    this.#file = file;
    this.#line = line;
    this.#fields = fields;
    this.#seen = seen;
  }

  text(column: string): string {
    const text = this.#fields.get(column) ?? "";
    if (!/^[^\s]+$/.test(text)) this.fail(column, "a word without spaces");
    return text;
  }

  /** The line's own id: given once in the file. */
  id(column: string): string {
    const id = this.text(column);
    if (this.#seen.has(id)) this.fail(column, "an id that no line before has");
    this.#seen.add(id);
    return id;
  }

  number(column: string): number {
    const text = this.#fields.get(column) ?? "";
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) this.fail(column, "a whole number");
    return value;
  }

  minute(column: string): number {
    const value = this.number(column);
    if (value < 0) this.fail(column, "a whole number of minutes, 0 or more");
    return value;
  }

  /** Services are halved, and half of them must be whole minutes. */
  even(column: string): number {
    const value = this.minute(column);
    if (value % 2 !== 0) this.fail(column, "an even number of minutes");
    return value;
  }

  fail(column: string, expected: string): never {
    const found = JSON.stringify(this.#fields.get(column) ?? "");
    throw malformed(this.#file, this.#line, `column ${column}: ${expected} expected, found ${found}`);
  }
}

function rowsOf(folder: string, file: FileName): Row[] {
  const path = join(folder, file);
  const lines = read(path).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const columns = FILES[file];
  if (lines[0] !== columns.join("\t")) {
    throw malformed(path, 1, `header expected: ${columns.join(", ")} (tabs between), found ${JSON.stringify(lines[0] ?? "")}`);
  }
  const seen = new Set<string>();
  return lines.slice(1).map((text, index) => {
    const fields = text.split("\t");
    if (fields.length !== columns.length) {
      throw malformed(path, index + 2, `${columns.length} fields with tabs between expected, found ${fields.length}`);
    }
    const byColumn = new Map(columns.map((column, at) => [column as string, fields[at] ?? ""]));
    return new Row(path, index + 2, byColumn, seen);
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const names = Object.keys(FILES).join(", ");
    throw new WorldError("INSTANCE_FILE_MISSING", `Cannot read ${path}. An instance folder holds ${names}; name such a folder.`, {
      file: path,
      cause,
    });
  }
}

function malformed(file: string, line: number, what: string): WorldError {
  return new WorldError("INSTANCE_MALFORMED", `${file}, line ${line}: ${what}. Mend the line or take another instance.`, { file, line });
}
