/** Every rule of the meal delivery routing problem, held against the three files of a solution. */
import type { Findings, Where } from "./finding.ts";
import type { EvaluatedInstance, Solution, SolutionBundle, SolutionOrder } from "./mdrp-files.ts";
import { timelinesOf } from "./timeline.ts";
import type { Stay, Timeline } from "./timeline.ts";

const BUNDLES = "solution_info_assignments.txt";
const ORDERS = "solution_info_orders.txt";
const MOVES = "solution_info_couriers.txt";

/** Adds what it finds; gives back the timelines, by courier. */
export function checkSolution(instance: EvaluatedInstance, solution: Solution, findings: Findings): ReadonlyMap<string, Timeline> {
  const listed = checkOrders(instance, solution.orders, findings);
  const perCourier = checkBundles(instance, solution, listed, findings);
  const timelines = timelinesOf(instance, solution.moves, findings);
  for (const [courier, bundles] of perCourier) walk(instance, courier, bundles, listed, timelines.get(courier), findings);
  for (const [courier, timeline] of timelines) if (!perCourier.has(courier)) walk(instance, courier, [], listed, timeline, findings);
  return timelines;
}

/** Each order of the instance has exactly one line, with the instance's own times. */
function checkOrders(instance: EvaluatedInstance, rows: readonly SolutionOrder[], findings: Findings): ReadonlyMap<string, SolutionOrder> {
  const listed = new Map<string, SolutionOrder>();
  for (const row of rows) {
    const where: Where = { file: ORDERS, line: row.line, order: row.order };
    const order = instance.orders.get(row.order);
    if (order === undefined) {
      findings.violation(11, `order ${row.order} is not in the instance`, where);
      continue;
    }
    if (listed.has(row.order)) findings.violation(11, `order ${row.order} is listed twice`, where);
    listed.set(row.order, row);
    if (row.placement !== order.placement)
      findings.violation(11, `placed at ${row.placement}, in the instance at ${order.placement}`, where);
    if (row.ready !== order.ready) findings.violation(11, `ready at ${row.ready}, in the instance at ${order.ready}`, where);
    if (row.delivery !== undefined && row.delivery.drop - order.placement > instance.maximum) {
      findings.warning(9, `${row.delivery.drop - order.placement} minutes from click to door, more than ${instance.maximum}`, where);
    }
  }
  for (const id of instance.orders.keys()) {
    if (!listed.has(id)) findings.violation(11, `order ${id} of the instance has no line`, { file: ORDERS, line: 1, order: id });
  }
  return listed;
}

/** What a bundle's line says by itself and beside the orders' file; the sound ones by courier, in the order of their pickups. */
function checkBundles(
  instance: EvaluatedInstance,
  solution: Solution,
  listed: ReadonlyMap<string, SolutionOrder>,
  findings: Findings,
): ReadonlyMap<string, SolutionBundle[]> {
  const assigned = new Set<string>();
  const perCourier = new Map<string, SolutionBundle[]>();
  for (const bundle of solution.bundles) {
    const { line, courier } = bundle;
    const shift = instance.couriers.get(courier);
    if (shift === undefined) {
      findings.violation(11, `courier ${courier} is not in the instance`, { file: BUNDLES, line, courier });
      continue;
    }
    const known = bundle.orders.filter((order) => checkAssigned(instance, bundle, order, listed, assigned, findings));
    const where: Where = { file: BUNDLES, line, courier };
    if (bundle.assigned > bundle.pickup)
      findings.violation(9, `assigned at ${bundle.assigned}, after the pickup at ${bundle.pickup}`, where);
    if (bundle.pickup > shift.off) findings.violation(6, `picked up at ${bundle.pickup}, after the shift's end at ${shift.off}`, where);
    if (bundle.assigned < shift.on) findings.warning(6, `assigned at ${bundle.assigned}, before the shift begins at ${shift.on}`, where);
    if (new Set(known.map((order) => instance.orders.get(order)?.restaurant)).size > 1) {
      findings.warning(3, `a bundle of several restaurants: ${bundle.orders.join(" ")}`, where);
    }
    if (known.length === 0) continue;
    const own = perCourier.get(courier);
    if (own === undefined) perCourier.set(courier, [{ ...bundle, orders: known }]);
    else own.push({ ...bundle, orders: known });
  }
  for (const row of listed.values()) {
    if (row.delivery === undefined || assigned.has(row.order)) continue;
    findings.violation(11, `order ${row.order} is delivered but in no assignment`, { file: ORDERS, line: row.line, order: row.order });
  }
  for (const own of perCourier.values()) own.sort((a, b) => a.pickup - b.pickup || a.assigned - b.assigned || a.line - b.line);
  return perCourier;
}

/** One order of a bundle: placed before, ready before, once, and as the orders' file has it. False: not of the instance. */
function checkAssigned(
  instance: EvaluatedInstance,
  bundle: SolutionBundle,
  id: string,
  listed: ReadonlyMap<string, SolutionOrder>,
  assigned: Set<string>,
  findings: Findings,
): boolean {
  const where: Where = { file: BUNDLES, line: bundle.line, order: id, courier: bundle.courier };
  const order = instance.orders.get(id);
  if (order === undefined) {
    findings.violation(11, `order ${id} is not in the instance`, where);
    return false;
  }
  if (assigned.has(id)) findings.violation(9, `order ${id} is assigned twice`, where);
  assigned.add(id);
  if (bundle.assigned < order.placement)
    findings.violation(9, `order ${id} is assigned at ${bundle.assigned}, placed at ${order.placement}`, where);
  if (bundle.pickup < order.ready) findings.violation(4, `order ${id} is picked up at ${bundle.pickup}, ready at ${order.ready}`, where);
  const delivery = listed.get(id)?.delivery;
  if (delivery === undefined) findings.violation(11, `order ${id} is assigned, but undelivered in ${ORDERS}`, where);
  else if (delivery.courier !== bundle.courier || delivery.pickup !== bundle.pickup) {
    const said = `${delivery.courier} at ${delivery.pickup}`;
    findings.violation(11, `order ${id} is picked up by ${bundle.courier} at ${bundle.pickup}, in ${ORDERS} by ${said}`, where);
  }
  return true;
}

/** Goes with a courier through his day: each pickup and drop at its place, in sequence, with half the service on each side. */
function walk(
  instance: EvaluatedInstance,
  courier: string,
  bundles: readonly SolutionBundle[],
  listed: ReadonlyMap<string, SolutionOrder>,
  timeline: Timeline | undefined,
  findings: Findings,
): void {
  const stays = timeline?.stays ?? [];
  const asked = new Set<Stay>();
  let next = 0;
  let lastDrop = -Infinity;
  for (const bundle of bundles) {
    const where: Where = { file: BUNDLES, line: bundle.line, courier };
    if (bundle.assigned < lastDrop) {
      findings.warning(8, `assigned at ${bundle.assigned}, while the bundle before is under way until ${lastDrop}`, where);
    }
    const restaurant = instance.orders.get(bundle.orders[0] ?? "")?.restaurant ?? "";
    const at = stays.findIndex((stay) => stay.place === restaurant && stay.arrival <= bundle.pickup && bundle.pickup <= stay.departure);
    const stay = stays[at];
    if (stay === undefined) {
      findings.violation(4, `courier ${courier} is not at ${restaurant} at the pickup at ${bundle.pickup}`, where);
      continue;
    }
    if (at < next) findings.violation(8, `picked up at ${bundle.pickup}, before the bundle before was dropped`, where);
    checkService(4, "pickup", stay, bundle.pickup, instance.pickupService, where, findings);
    const end = drops(instance, bundle, { stays, pickupAt: at, listed, asked }, findings);
    next = Math.max(next, end.at);
    lastDrop = Math.max(lastDrop, end.drop);
  }
  for (const stay of stays) {
    if (!instance.orders.has(stay.place) || asked.has(stay)) continue;
    findings.violation(7, `a move to customer ${stay.place} that no assignment asks for`, {
      file: MOVES,
      line: stay.line,
      courier,
      order: stay.place,
    });
  }
}

interface Way {
  readonly stays: readonly Stay[];
  /** Index of the stay at the counter. */
  readonly pickupAt: number;
  readonly listed: ReadonlyMap<string, SolutionOrder>;
  /** Stays at customers that an assignment asked for; grows. */
  readonly asked: Set<Stay>;
}

/** The drops of one bundle: one move each, in the given sequence, nothing between. Says where and when the last one was. */
function drops(instance: EvaluatedInstance, bundle: SolutionBundle, way: Way, findings: Findings): { at: number; drop: number } {
  const restaurants = new Set(bundle.orders.map((id) => instance.orders.get(id)?.restaurant));
  let at = way.pickupAt;
  let before = -Infinity;
  for (const order of bundle.orders) {
    const delivery = way.listed.get(order)?.delivery;
    if (delivery === undefined) continue;
    const where: Where = { file: ORDERS, line: way.listed.get(order)?.line ?? 1, order, courier: bundle.courier };
    if (delivery.drop < before + instance.dropService) {
      findings.violation(5, `dropped at ${delivery.drop}, less than ${instance.dropService} after the drop before at ${before}`, where);
    }
    before = delivery.drop;
    at += 1;
    // Only a bundle of several restaurants, which has its warning, may stop at another counter on its way.
    while (restaurants.size > 1 && restaurants.has(way.stays[at]?.place)) at += 1;
    const stay = way.stays[at];
    if (stay?.place !== order) {
      const found = stay === undefined ? "nothing" : stay.place;
      const rule = stay !== undefined && bundle.orders.includes(stay.place) ? 3 : 8;
      findings.violation(rule, `the way of the bundle goes to ${found} where ${order} is next`, where);
      const elsewhere = way.stays.findIndex((other, index) => index > way.pickupAt && other.place === order);
      if (elsewhere < 0) findings.violation(5, `courier ${bundle.courier} never goes to ${order}`, where);
      else way.asked.add(way.stays[elsewhere] as Stay);
      continue;
    }
    way.asked.add(stay);
    if (delivery.drop < stay.arrival || delivery.drop > stay.departure) {
      findings.violation(5, `dropped at ${delivery.drop}, at the door from ${stay.arrival} to ${stay.departure}`, where);
    } else checkService(5, "drop", stay, delivery.drop, instance.dropService, where, findings);
  }
  return { at: Math.min(at, way.stays.length - 1), drop: before };
}

/** Half of the service before the instant, half after it. */
function checkService(rule: 4 | 5, what: string, stay: Stay, instant: number, service: number, where: Where, findings: Findings): void {
  const half = service / 2;
  if (instant < stay.arrival + half) {
    findings.violation(rule, `${what} at ${instant}, less than ${half} after the arrival at ${stay.arrival}`, where);
  }
  if (stay.departure < instant + half) {
    findings.violation(rule, `leaves at ${stay.departure}, less than ${half} after the ${what} at ${instant}`, where);
  }
}
