/** The figures of a solution, by the formulas of the public evaluator, and how far they are from what nobody can beat. */
import type { EvaluatedInstance, Solution } from "./mdrp-files.ts";
import { travelMinutes } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/** Minutes, dollars, shares of 1 where not said otherwise. Means of nothing are 0. Over delivered orders unless said. */
export interface MdrpMetrics {
  readonly orders: number;
  readonly delivered: number;
  readonly couriers: number;
  readonly courierHours: number;
  readonly undeliveredPercent: number;
  readonly clickToDoor: number;
  readonly clickToDoorP90: number;
  readonly readyToDoor: number;
  readonly readyToDoorP90: number;
  readonly readyToPickup: number;
  readonly readyToPickupP90: number;
  /** Minutes above the target, over all listed orders; an undelivered one counts 0. */
  readonly overage: number;
  readonly overageDelivered: number;
  /** Orders above the stated maximum of click-to-door. */
  readonly aboveMaximum: number;
  readonly bundles: number;
  readonly ordersPerBundle: number;
  readonly pay: number;
  readonly costPerOrder: number;
  /** Mean over all couriers; may exceed 1. */
  readonly utilisation: number;
  /** Mean over all orders of preparation + half services + travel. */
  readonly clickToDoorFloor: number;
  readonly clickToDoorFloorDelivered: number;
  /** Mean click-to-door less the floor over all orders. */
  readonly excess: number;
  readonly excessDelivered: number;
  readonly costFloor: number;
}

export function mdrpMetrics(instance: EvaluatedInstance, solution: Solution, timelines: ReadonlyMap<string, Timeline>): MdrpMetrics {
  const clickToDoor: number[] = [];
  const readyToDoor: number[] = [];
  const readyToPickup: number[] = [];
  const overages: number[] = [];
  const floorsDelivered: number[] = [];
  const ordersOf = new Map<string, number>();
  let listed = 0;
  for (const row of solution.orders) {
    const order = instance.orders.get(row.order);
    if (order === undefined) continue;
    listed += 1;
    if (row.delivery === undefined) continue;
    const { pickup, drop, courier } = row.delivery;
    clickToDoor.push(drop - order.placement);
    readyToDoor.push(drop - order.ready);
    readyToPickup.push(pickup - order.ready);
    overages.push(Math.max(0, drop - order.placement - instance.target));
    floorsDelivered.push(floorOf(instance, row.order));
    ordersOf.set(courier, (ordersOf.get(courier) ?? 0) + 1);
  }
  const orders = instance.orders.size;
  const delivered = clickToDoor.length;
  const floor = mean([...instance.orders.keys()].map((id) => floorOf(instance, id)));
  const couriers = courierFigures(instance, solution, timelines, ordersOf);
  const overage = overages.reduce((sum, minutes) => sum + minutes, 0);
  return {
    orders,
    delivered,
    couriers: instance.couriers.size,
    courierHours: couriers.hours,
    undeliveredPercent: orders === 0 ? 0 : (100 * (orders - delivered)) / orders,
    clickToDoor: mean(clickToDoor),
    clickToDoorP90: percentile(clickToDoor, 0.9),
    readyToDoor: mean(readyToDoor),
    readyToDoorP90: percentile(readyToDoor, 0.9),
    readyToPickup: mean(readyToPickup),
    readyToPickupP90: percentile(readyToPickup, 0.9),
    overage: listed === 0 ? 0 : overage / listed,
    overageDelivered: mean(overages),
    aboveMaximum: clickToDoor.filter((minutes) => minutes > instance.maximum).length,
    bundles: solution.bundles.length,
    ordersPerBundle: mean(solution.bundles.map((bundle) => bundle.orders.length)),
    pay: couriers.pay,
    costPerOrder: delivered === 0 ? 0 : couriers.pay / delivered,
    utilisation: couriers.utilisation,
    clickToDoorFloor: floor,
    clickToDoorFloorDelivered: mean(floorsDelivered),
    excess: mean(clickToDoor) - floor,
    excessDelivered: mean(clickToDoor) - mean(floorsDelivered),
    costFloor: orders === 0 ? 0 : Math.max(instance.payPerOrder, (instance.payPerHour * couriers.hours) / orders),
  };
}

/** A courier always waits at the counter: half of each service and the straight way are left. */
function floorOf(instance: EvaluatedInstance, id: string): number {
  const order = instance.orders.get(id);
  const restaurant = instance.restaurants.get(order?.restaurant ?? "");
  if (order === undefined || restaurant === undefined) return 0;
  const travel = travelMinutes(restaurant.x, restaurant.y, order.x, order.y, instance.metersPerMinute);
  return order.ready - order.placement + (instance.pickupService + instance.dropService) / 2 + travel;
}

function courierFigures(
  instance: EvaluatedInstance,
  solution: Solution,
  timelines: ReadonlyMap<string, Timeline>,
  ordersOf: ReadonlyMap<string, number>,
): { readonly pay: number; readonly hours: number; readonly utilisation: number } {
  const bundlesOf = new Map<string, number>();
  for (const { courier } of solution.bundles) bundlesOf.set(courier, (bundlesOf.get(courier) ?? 0) + 1);
  let pay = 0;
  let minutes = 0;
  const utilisations: number[] = [];
  for (const [id, { on, off }] of instance.couriers) {
    const served = ordersOf.get(id) ?? 0;
    const shift = off - on;
    pay += Math.max(instance.payPerOrder * served, (instance.payPerHour * shift) / 60);
    minutes += shift;
    const driven = timelines.get(id)?.drivenMinutes ?? 0;
    const busy = driven + instance.dropService * served + instance.pickupService * (bundlesOf.get(id) ?? 0);
    utilisations.push(shift === 0 ? 0 : busy / shift);
  }
  return { pay, hours: minutes / 60, utilisation: mean(utilisations) };
}

/** 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** By linear interpolation between the two nearest ranks; `share` in [0, 1]. 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}
