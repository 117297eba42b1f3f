/** A meal delivery instance (MDRP) as its four files say it: times in whole minutes of one day, places in metres on a plane. */

export interface MdrpRestaurant {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

export interface MdrpOrder {
  readonly id: string;
  /** Where it is to be dropped. */
  readonly x: number;
  readonly y: number;
  readonly placementTime: number;
  readonly restaurant: MdrpRestaurant;
  readonly readyTime: number;
}

export interface MdrpCourier {
  readonly id: string;
  /** Where the shift begins. */
  readonly x: number;
  readonly y: number;
  readonly onTime: number;
  /** No pickup after it. */
  readonly offTime: number;
}

export interface MdrpParameters {
  readonly metersPerMinute: number;
  /** At the counter: half before the pickup, half after. */
  readonly pickupServiceMinutes: number;
  readonly dropoffServiceMinutes: number;
  readonly targetClickToDoor: number;
  readonly maximumClickToDoor: number;
  /** Dollars. */
  readonly payPerOrder: number;
  readonly guaranteedPayPerHour: number;
}

export interface MdrpInstance {
  /** The folder's own name. */
  readonly name: string;
  /** Each list in the order of its file. */
  readonly orders: readonly MdrpOrder[];
  readonly couriers: readonly MdrpCourier[];
  readonly restaurants: readonly MdrpRestaurant[];
  readonly parameters: MdrpParameters;
}

/** Whole minutes from one place to another: the straight way, rounded up. */
export function travelMinutes(ax: number, ay: number, bx: number, by: number, metersPerMinute: number): number {
  const dx = bx - ax;
  const dy = by - ay;
  return Math.ceil(Math.sqrt(dx * dx + dy * dy) / metersPerMinute);
}

/** Mean minutes from placement to ready by restaurant, over the orders of the day, rounded: what its past would have taught. */
export function meanPreparation(orders: readonly MdrpOrder[]): ReadonlyMap<string, number> {
  const byRestaurant = Map.groupBy(orders, ({ restaurant }) => restaurant.id);
  return new Map(
    Array.from(byRestaurant, ([id, own]) => {
      const minutes = own.reduce((sum, { placementTime, readyTime }) => sum + readyTime - placementTime, 0);
      return [id, Math.round(minutes / own.length)];
    }),
  );
}

/**
 * The instance as it is known at a minute: without the orders placed after it. Whoever decides without clairvoyance decides
 * the same up to that minute on both.
 */
export function truncate(instance: MdrpInstance, minute: number): MdrpInstance {
  return { ...instance, orders: instance.orders.filter((order) => order.placementTime <= minute) };
}
