/** Invents small instances in MDRP format, the same for the same seed: input for tests and first tries, nobody's real day. */
import { Random } from "../random.ts";
import { travelMinutes } from "./instance.ts";
import type { MdrpInstance, MdrpOrder } from "./instance.ts";

export interface GenerateInstanceOptions {
  readonly name: string;
  readonly seed: number;
  readonly orders: number;
  readonly couriers: number;
  readonly restaurants: number;
  /** First minute at which an order may be placed. */
  readonly startMinute: number;
  /** How long orders are placed. */
  readonly minutes: number;
  /** Side of the square in which everything is. */
  readonly sideMetres: number;
}

const METERS_PER_MINUTE = 320;
const PREPARATION_MINUTES_MIN = 5;
const PREPARATION_MINUTES_MAX = 28;
/** Customers order from restaurants no further than this. */
const TRAVEL_MINUTES_MAX = 20;

export function generateInstance(options: GenerateInstanceOptions): MdrpInstance {
  const { seed, sideMetres: side, startMinute, minutes } = options;
  const restaurants = numbers(options.restaurants).map((number) => {
    const random = new Random(seed, `restaurant/${number}`, 0);
    // Towards the middle, as in a town.
    return { id: `r${number}`, x: Math.round(random.between(0.2, 0.8) * side), y: Math.round(random.between(0.2, 0.8) * side) };
  });
  const couriers = numbers(options.couriers).map((number) => {
    const random = new Random(seed, `courier/${number}`, 0);
    const onTime = startMinute - 10 + Math.floor((random.below(minutes) / 2) * ((number - 1) % 2));
    const place = { x: random.below(side), y: random.below(side) };
    return { id: `c${number}`, ...place, onTime, offTime: onTime + Math.floor(minutes / 2) + random.below(minutes) };
  });
  const orders = numbers(options.orders).map((number): MdrpOrder => {
    for (let step = 0; ; step++) {
      const random = new Random(seed, `order/${number}`, step);
      const restaurant = restaurants[random.below(restaurants.length)];
      if (restaurant === undefined) throw new RangeError("an instance needs at least one restaurant");
      const place = { x: random.below(side), y: random.below(side) };
      if (step < 100 && travelMinutes(restaurant.x, restaurant.y, place.x, place.y, METERS_PER_MINUTE) > TRAVEL_MINUTES_MAX) continue;
      const placementTime = startMinute + random.below(minutes);
      const preparation = PREPARATION_MINUTES_MIN + random.below(PREPARATION_MINUTES_MAX - PREPARATION_MINUTES_MIN + 1);
      return { id: `o${number}`, ...place, placementTime, restaurant, readyTime: placementTime + preparation };
    }
  });
  const parameters = {
    metersPerMinute: METERS_PER_MINUTE,
    pickupServiceMinutes: 4,
    dropoffServiceMinutes: 4,
    targetClickToDoor: 40,
    maximumClickToDoor: 90,
    payPerOrder: 10,
    guaranteedPayPerHour: 15,
  };
  return { name: options.name, orders, couriers, restaurants, parameters };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** The four files, byte for byte as an instance folder holds them. */
export function instanceFiles(instance: MdrpInstance): Readonly<Record<string, string>> {
  const { orders, couriers, restaurants, parameters } = instance;
  const p = parameters;
  return {
    "orders.txt": table([
      ["order", "x", "y", "placement_time", "restaurant", "ready_time"],
      ...orders.map((order) => [order.id, order.x, order.y, order.placementTime, order.restaurant.id, order.readyTime]),
    ]),
    "couriers.txt": table([
      ["courier", "x", "y", "on_time", "off_time"],
      ...couriers.map((courier) => [courier.id, courier.x, courier.y, courier.onTime, courier.offTime]),
    ]),
    "restaurants.txt": table([["restaurant", "x", "y"], ...restaurants.map(({ id, x, y }) => [id, x, y])]),
    "instance_parameters.txt": table([
      [
        "meters_per_minute",
        "pickup service minutes",
        "dropoff service minutes",
        "target click-to-door",
        "maximum click-to-door",
        "pay per order",
        "guaranteed pay per hour",
      ],
      [
        p.metersPerMinute,
        p.pickupServiceMinutes,
        p.dropoffServiceMinutes,
        p.targetClickToDoor,
        p.maximumClickToDoor,
        p.payPerOrder,
        p.guaranteedPayPerHour,
      ],
    ]),
  };
}

function table(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.join("\t")}\n`).join("");
}

/** What `world/fixtures/tiny` was made from. */
export const TINY_INSTANCE: GenerateInstanceOptions = {
  name: "tiny",
  seed: 7,
  orders: 30,
  couriers: 8,
  restaurants: 6,
  startMinute: 660,
  minutes: 150,
  sideMetres: 6_000,
};
