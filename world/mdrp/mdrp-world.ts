/**
 * A day of the meal delivery problem, played exactly by its rules: whole minutes, known shifts, exact ready times, couriers who
 * obey everything. What happens at a minute carries that minute's first millisecond, so a tick sees the orders placed at its
 * own minute if it runs after the world was stepped at that time: at the same time and later in the round, or a little later
 * in the minute. A courier leaves in the minute of his assignment.
 */
import { PLANE_METRES_MAX, planePoint, planeXY } from "#geo";
import { WORLD_DEFAULTS } from "../defaults.ts";
import { WorldError } from "../errors.ts";
import { FleetWorld } from "../fleet-world.ts";
import type { Demand, LocationReports, Roster } from "../fleet-world.ts";
import type { CourierJournal, CourierRules, Ground, JobFacts, Shift, Spot } from "../courier/courier-rules.ts";
import type { WorldEvent } from "../world.ts";
import { meanPreparation, travelMinutes } from "./instance.ts";
import type { MdrpInstance, MdrpOrder } from "./instance.ts";

export const MINUTE_MS = 60_000;

export interface MdrpWorldOptions {
  readonly instance: MdrpInstance;
  /** Minute 0 of the day; default 2026-01-01T00:00:00Z. Whole minutes. */
  readonly startsAt?: number;
  /** Orders a courier may carry at once; default 4. */
  readonly capacity?: number;
  /** Locations between the stops, for dispatch that minds silence; default 0: none. */
  readonly locateEveryMs?: number;
  /** What a placed order says of its ready time; default "exact". "mean": after its restaurant's mean preparation, whatever the truth. */
  readonly readyTimes?: "exact" | "mean";
  /** Sees what the couriers really did. */
  readonly journal?: CourierJournal;
}

/** Throws WorldError `INSTANCE_MALFORMED` for an instance wider than the plane on which its points travel. */
export function createMdrpWorld(options: MdrpWorldOptions): FleetWorld {
  const { instance, startsAt = WORLD_DEFAULTS.dayStartsAt } = options;
  const ground = mdrpGround(instance);
  const id = mdrpWorldId(instance);
  return new FleetWorld({
    id,
    demand: mdrpDemand({ worldId: id, startsAt, ground, ...announced(instance, options.readyTimes) }),
    roster: mdrpRoster(instance, startsAt, options.capacity ?? WORLD_DEFAULTS.mdrpCapacity),
    rules: mdrpRules(instance),
    ground,
    locations: exactly(options.locateEveryMs ?? 0),
    ...(options.journal === undefined ? {} : { journal: options.journal }),
  });
}

/** Prefix of all eventIds of an instance's world. */
export function mdrpWorldId({ name }: MdrpInstance): string {
  return `mdrp-${name}`;
}

/** The plane that dispatch travels on; an instance beyond its edge is moved to the middle, which changes no distance. */
export function mdrpGround({ name, orders, couriers, restaurants }: MdrpInstance): Ground {
  const spots = [...orders, ...couriers, ...restaurants];
  const offset = (of: (spot: Spot) => number): number => {
    let low = Infinity;
    let high = -Infinity;
    for (const spot of spots) {
      low = Math.min(low, of(spot));
      high = Math.max(high, of(spot));
    }
    if (low >= -PLANE_METRES_MAX && high <= PLANE_METRES_MAX) return 0;
    if (high - low <= 2 * PLANE_METRES_MAX) return Math.round((low + high) / 2);
    const what = `instance ${name} is ${high - low} m wide, at most ${2 * PLANE_METRES_MAX} m are possible. Split it.`;
    throw new WorldError("INSTANCE_MALFORMED", what);
  };
  const dx = offset((spot) => spot.x);
  const dy = offset((spot) => spot.y);
  return {
    pointOf: ({ x, y }) => planePoint(x - dx, y - dy),
    spotOf: (point) => {
      const { x, y } = planeXY(point);
      return { x: x + dx, y: y + dy };
    },
  };
}

/** Rules 1, 4, 5, 7 and 8 of the problem. */
function mdrpRules(instance: MdrpInstance): CourierRules {
  const { metersPerMinute, pickupServiceMinutes, dropoffServiceMinutes } = instance.parameters;
  return {
    quantumMs: MINUTE_MS,
    // The last millisecond of the minute of the assignment.
    settleMs: MINUTE_MS - 1,
    locatesAtStops: true,
    travelMs: (_, from, to) => travelMinutes(from.x, from.y, to.x, to.y, metersPerMinute) * MINUTE_MS,
    pickupHalfMs: () => (pickupServiceMinutes / 2) * MINUTE_MS,
    dropHalfMs: () => (dropoffServiceMinutes / 2) * MINUTE_MS,
    idleAt: (_, from) => ({ x: from.x, y: from.y, speed: 0, heading: 0 }),
    answer: () => ({ accepts: true, afterMs: 0 }),
    heardAt: (_, at) => at,
  };
}

interface DemandOptions {
  readonly worldId: string;
  readonly orders: readonly MdrpOrder[];
  /** The minute that an order is said to be ready. */
  readonly saidReady: (order: MdrpOrder) => number;
  readonly ground: Ground;
  readonly startsAt: number;
}

function announced({ orders }: MdrpInstance, readyTimes: MdrpWorldOptions["readyTimes"]): Pick<DemandOptions, "orders" | "saidReady"> {
  if (readyTimes !== "mean") return { orders, saidReady: ({ readyTime }) => readyTime };
  const means = meanPreparation(orders);
  return { orders, saidReady: ({ placementTime, restaurant }) => placementTime + (means.get(restaurant.id) ?? 0) };
}

function mdrpDemand({ worldId, orders, saidReady, ground, startsAt }: DemandOptions): Demand {
  const byPlacement = orders.toSorted((a, b) => a.placementTime - b.placementTime);
  const jobs = new Map(orders.map((order) => [order.id, factsOf(order, startsAt)]));
  let next = 0;
  const nextDueAt = (): number => {
    const order = byPlacement[next];
    return order === undefined ? Infinity : startsAt + order.placementTime * MINUTE_MS;
  };
  return {
    nextDueAt,
    take: (out) => {
      const due = nextDueAt();
      for (; nextDueAt() === due; next++) {
        const order = byPlacement[next];
        if (order === undefined) return;
        out.push(placed(worldId, order, due, startsAt + saidReady(order) * MINUTE_MS, ground));
      }
    },
    job: (jobId) => jobs.get(jobId),
  };
}

function placed(worldId: string, order: MdrpOrder, at: number, readyAt: number, ground: Ground): WorldEvent {
  const { id, restaurant } = order;
  const value = {
    type: "OrderPlaced",
    eventId: `${worldId}/${id}/placed`,
    orderId: id,
    occurredAt: at,
    version: 1,
    restaurantId: restaurant.id,
    pickup: ground.pointOf(restaurant),
    dropOff: ground.pointOf(order),
    readyAt,
    notBefore: at,
    requirements: [],
    priceMinor: WORLD_DEFAULTS.mdrpPriceMinor,
    currency: "USD",
  } as const;
  return { topic: "orders", key: id, timestamp: at, value };
}

function factsOf(order: MdrpOrder, startsAt: number): JobFacts {
  const { id, restaurant, x, y } = order;
  return { jobId: id, placeId: restaurant.id, pickup: restaurant, dropOff: { id, x, y }, readyAt: startsAt + order.readyTime * MINUTE_MS };
}

function mdrpRoster(instance: MdrpInstance, startsAt: number, capacity: number): Roster {
  const shifts = instance.couriers
    .map((courier): Shift => {
      const endsAt = startsAt + courier.offTime * MINUTE_MS;
      return {
        driverId: courier.id,
        // The solution files call the place where a shift begins 0.
        start: { id: "0", x: courier.x, y: courier.y },
        startsAt: startsAt + courier.onTime * MINUTE_MS,
        endsAt,
        plannedEndsAt: endsAt,
        vehicle: "car",
        metresPerSecond: instance.parameters.metersPerMinute / 60,
        tags: [],
        capacity,
      };
    })
    .sort((a, b) => a.startsAt - b.startsAt);
  let next = 0;
  const nextDueAt = (): number => shifts[next]?.startsAt ?? Infinity;
  return {
    nextDueAt,
    take: () => {
      const due = nextDueAt();
      const from = next;
      while (nextDueAt() === due) next += 1;
      return shifts.slice(from, next);
    },
  };
}

function exactly(everyMs: number): LocationReports {
  return { everyMs, report: (_, motion) => ({ motion, accuracyMetres: 0 }), heard: () => true };
}
