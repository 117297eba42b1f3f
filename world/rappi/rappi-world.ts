/** A real city's day as a world: its orders and sessions as they were, its couriers moving as those of a seeded city do. */
import { defaultSpeeds } from "#geo";
import type { Point, Vehicle } from "#schemas";
import { cityConfig, type CityConfig } from "../city/city-config.ts";
import { cityLocations, cityRules } from "../city/city-drivers.ts";
import { cityMap } from "../city/city-map.ts";
import type { Ground, JobFacts, Shift } from "../courier/courier-rules.ts";
import { WORLD_DEFAULTS } from "../defaults.ts";
import { FleetWorld, type Demand, type Roster } from "../fleet-world.ts";
import type { WorldEvent } from "../world.ts";
import type { RappiCourier, RappiDay, RappiOrder } from "./read-rappi.ts";

export interface RappiWorldOptions {
  readonly day: RappiDay;
  /** Midnight of the day. */
  readonly startsAt: number;
  /** Orders from and until these minutes of the day, and who is on duty then; default: the whole day. */
  readonly fromMinute?: number;
  readonly untilMinute?: number;
  /** Of what the data do not say: noise, habits, how often devices report. */
  readonly city?: Partial<Pick<CityConfig, "seed" | "gpsEveryMs" | "gpsNoiseMetres" | "habits">>;
}

const MINUTE_MS = 60_000;
/** Couriers stay within this of the middle when they have nothing to do. */
const RADIUS_METRES = 20_000;
/** Restaurants have no ids: pickups at one place to about ten metres are one. */
const PLACE_DECIMALS = 4;
const CAPACITY: Readonly<Record<Vehicle, number>> = { car: 4, motorcycle: 3, bicycle: 2, walking: 1 };

export const rappiWorldId = "rappi";

/** Midnight of a day that starts `minute` minutes before its first order may be placed. */
export function createRappiWorld({ day, startsAt, fromMinute = 0, untilMinute = Infinity, city = {} }: RappiWorldOptions): FleetWorld {
  const from = fromMinute * MINUTE_MS;
  const until = untilMinute * MINUTE_MS;
  const orders = day.orders.filter(({ placedAt }) => placedAt >= from && placedAt <= until);
  const couriers = day.couriers.filter(({ onAt, offAt }) => onAt <= until && offAt >= from);
  const config = cityConfig({ seed: 1, ...city, centre: middleOf(day.orders), radiusMetres: RADIUS_METRES, restaurants: 1 });
  const map = cityMap(config);
  return new FleetWorld({
    id: rappiWorldId,
    demand: new RappiDemand(orders, map.ground, startsAt),
    roster: rosterOf(couriers, map.ground, { startsAt, from }),
    rules: cityRules(config, map),
    ground: map.ground,
    locations: cityLocations(config),
  });
}

function middleOf(orders: readonly RappiOrder[]): Point {
  const middle = (of: (order: RappiOrder) => number): number => orders.map(of).sort((a, b) => a - b)[Math.floor(orders.length / 2)] ?? 0;
  return { latitude: middle(({ pickup }) => pickup.latitude), longitude: middle(({ pickup }) => pickup.longitude) };
}

class RappiDemand implements Demand {
  readonly #jobs = new Map<string, JobFacts>();
  readonly #events: WorldEvent[] = [];
  #next = 0;

  constructor(orders: readonly RappiOrder[], ground: Ground, startsAt: number) {
    for (const order of [...orders].sort((a, b) => a.placedAt - b.placedAt)) {
      const jobId = `rappi-o${order.orderId}`;
      const placeId = `rappi-r${order.pickup.latitude.toFixed(PLACE_DECIMALS)},${order.pickup.longitude.toFixed(PLACE_DECIMALS)}`;
      const readyAt = startsAt + order.readyAt;
      const occurredAt = startsAt + order.placedAt;
      const pickup = { id: placeId, ...ground.spotOf(order.pickup) };
      this.#jobs.set(jobId, { jobId, placeId, pickup, dropOff: { id: jobId, ...ground.spotOf(order.dropOff) }, readyAt });
      const base = { type: "OrderPlaced", eventId: `${rappiWorldId}/${jobId}/placed`, orderId: jobId, occurredAt, version: 1 } as const;
      const where = { restaurantId: placeId, pickup: order.pickup, dropOff: order.dropOff, readyAt, notBefore: occurredAt } as const;
      const value = { ...base, ...where, requirements: [], priceMinor: WORLD_DEFAULTS.mdrpPriceMinor, currency: "COP" } as const;
      this.#events.push({ topic: "orders", key: jobId, timestamp: occurredAt, value });
    }
  }

  nextDueAt(): number {
    return this.#events[this.#next]?.timestamp ?? Infinity;
  }

  take(out: WorldEvent[]): void {
    const due = this.nextDueAt();
    for (let event = this.#events[this.#next]; event?.timestamp === due; event = this.#events[++this.#next]) out.push(event);
  }

  job(jobId: string): JobFacts | undefined {
    return this.#jobs.get(jobId);
  }
}

function rosterOf(couriers: readonly RappiCourier[], ground: Ground, { startsAt, from }: { startsAt: number; from: number }): Roster {
  const shifts = couriers.map(({ courierId, vehicle, on, onAt, offAt }): Shift => {
    const endsAt = startsAt + offAt;
    return {
      driverId: `rappi-c${courierId}`,
      start: { id: "0", ...ground.spotOf(on) },
      startsAt: startsAt + Math.max(onAt, from),
      endsAt,
      plannedEndsAt: endsAt,
      vehicle,
      metresPerSecond: defaultSpeeds[vehicle],
      tags: [],
      capacity: CAPACITY[vehicle],
    };
  });
  shifts.sort((a, b) => a.startsAt - b.startsAt);
  let next = 0;
  return {
    nextDueAt: () => shifts[next]?.startsAt ?? Infinity,
    take: () => {
      const due = shifts[next]?.startsAt;
      const first = next;
      while (shifts[next] !== undefined && shifts[next]?.startsAt === due) next++;
      return shifts.slice(first, next);
    },
  };
}
