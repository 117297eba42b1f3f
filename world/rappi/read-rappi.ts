/** Reads a real city's day in the format of mdrp-sim (Quintero 2020): orders and courier sessions by latitude and longitude. */
import { join } from "node:path";
import type { Point, Vehicle } from "#schemas";
import { csvFile, csvNumber, eachRow, malformed } from "../csv.ts";
import { WorldError } from "../errors.ts";

/** Times are milliseconds since midnight of the day; what wraps at midnight is later than 24 h. */
export interface RappiOrder {
  readonly orderId: string;
  readonly pickup: Point;
  readonly dropOff: Point;
  readonly placedAt: number;
  readonly readyAt: number;
}

/** A session: one courier may have several, under ids that say nothing of it. */
export interface RappiCourier {
  readonly courierId: string;
  readonly vehicle: Vehicle;
  readonly on: Point;
  readonly onAt: number;
  readonly offAt: number;
}

export interface RappiDay {
  readonly orders: readonly RappiOrder[];
  readonly couriers: readonly RappiCourier[];
}

const DAY_MS = 24 * 60 * 60_000;
const ORDERS = "orders.csv";
const COURIERS = "couriers.csv";
const VEHICLES: readonly Vehicle[] = ["car", "motorcycle", "bicycle", "walking"];

/** Whether a folder looks like such a day. */
export function isRappiFolder(folder: string): boolean {
  return csvFile(join(folder, ORDERS)) !== undefined && csvFile(join(folder, COURIERS)) !== undefined;
}

/** In the files' order. Throws WorldError `INSTANCE_FILE_MISSING` or `INSTANCE_MALFORMED`, which names file and line. */
export function readRappi(folder: string): RappiDay {
  return { orders: readOrders(fileOf(folder, ORDERS)), couriers: readCouriers(fileOf(folder, COURIERS)) };
}

function readOrders(file: string): readonly RappiOrder[] {
  const orders: RappiOrder[] = [];
  const ids = new Set<string>();
  const columns = ["order_id", "pick_up_lat", "pick_up_lng", "drop_off_lat", "drop_off_lng", "placement_time", "ready_time"];
  eachRow(file, columns, ([orderId = "", pickupLat, pickupLng, dropLat, dropLng, placed, ready], line) => {
    if (orderId === "" || ids.has(orderId)) throw malformed(file, line, "an order_id of its own", orderId);
    ids.add(orderId);
    const placedAt = timeOf(file, line, placed);
    const readyAt = timeOf(file, line, ready);
    orders.push({
      orderId,
      pickup: pointOf(file, line, pickupLat, pickupLng),
      dropOff: pointOf(file, line, dropLat, dropLng),
      placedAt,
      // Placed late in the evening and ready after midnight.
      readyAt: readyAt < placedAt ? readyAt + DAY_MS : readyAt,
    });
  });
  return orders;
}

function readCouriers(file: string): readonly RappiCourier[] {
  const couriers: RappiCourier[] = [];
  const ids = new Set<string>();
  const columns = ["courier_id", "vehicle", "on_lat", "on_lng", "on_time", "off_time"];
  eachRow(file, columns, ([courierId = "", vehicle = "", lat, lng, on, off], line) => {
    if (courierId === "" || ids.has(courierId)) throw malformed(file, line, "a courier_id of its own", courierId);
    ids.add(courierId);
    const known = VEHICLES.find((candidate) => candidate === vehicle);
    if (known === undefined) throw malformed(file, line, `one of ${VEHICLES.join(", ")}`, vehicle);
    const onAt = timeOf(file, line, on);
    const offAt = timeOf(file, line, off);
    couriers.push({
      courierId,
      vehicle: known,
      on: pointOf(file, line, lat, lng),
      onAt,
      offAt: offAt < onAt ? offAt + DAY_MS : offAt,
    });
  });
  return couriers;
}

function fileOf(folder: string, name: string): string {
  const file = csvFile(join(folder, name));
  if (file !== undefined) return file;
  throw new WorldError("INSTANCE_FILE_MISSING", `${join(folder, name)} is missing, packed (.gz) or not.`, { file: join(folder, name) });
}

function pointOf(file: string, line: number, lat: string | undefined, lng: string | undefined): Point {
  const latitude = csvNumber(file, line, lat);
  const longitude = csvNumber(file, line, lng);
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) throw malformed(file, line, "a latitude and a longitude", `${lat}, ${lng}`);
  return { latitude, longitude };
}

/** `HH:MM:SS`, wall clock. */
function timeOf(file: string, line: number, text = ""): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)$/.exec(text);
  if (match === null) throw malformed(file, line, "a time as HH:MM:SS", text);
  return (Number(match[1]) * 3_600 + Number(match[2]) * 60 + Number(match[3])) * 1_000;
}
