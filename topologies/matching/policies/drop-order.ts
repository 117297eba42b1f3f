/** In what order the jobs of one pickup are dropped, and how late that makes them. */
import type { Point, Vehicle } from "#schemas";
import type { TravelModel } from "../policy.ts";
import type { Drop } from "./availability.ts";

/** One visit to a place: jobs picked up together, dropped in this order. */
export interface Visit {
  readonly drops: readonly Drop[];
  /** When the last of them is ready. */
  readonly readyAt: number;
  /**
   * Minutes after its earliest possible drop-off, summed over the jobs in ms, if picked up at time 0: at time p it is
   * `drops.length × p` more. The earliest of a job: ready, service, and the straight way to its door.
   */
  readonly latenessAtZeroMs: number;
}

export function visitOf(pickup: Point, drops: readonly Drop[], vehicle: Vehicle, travel: TravelModel): Visit {
  let readyAt = -Infinity;
  let lateness = 0;
  let time = travel.serviceMs / 2;
  let at = pickup;
  for (const drop of drops) {
    if (drop.readyAt > readyAt) readyAt = drop.readyAt;
    time += travel.travelMs(at, drop.point, vehicle) + travel.serviceMs / 2;
    lateness += time - (drop.readyAt + travel.serviceMs + travel.travelMs(pickup, drop.point, vehicle));
    time += travel.serviceMs / 2;
    at = drop.point;
  }
  return { drops, readyAt, latenessAtZeroMs: lateness };
}

/** Puts each added job at its cheapest place among the others, in the order given. */
export function visitWith(
  visit: Visit,
  added: readonly Drop[],
  where: { readonly pickup: Point; readonly vehicle: Vehicle },
  travel: TravelModel,
): Visit {
  let best = visit;
  for (const drop of added) {
    const before = best.drops;
    let cheapest: Visit | undefined;
    for (let place = before.length; place >= 0; place--) {
      const tried = visitOf(where.pickup, before.toSpliced(place, 0, drop), where.vehicle, travel);
      if (cheapest === undefined || tried.latenessAtZeroMs < cheapest.latenessAtZeroMs) cheapest = tried;
    }
    if (cheapest !== undefined) best = cheapest;
  }
  return best;
}

/** Summed lateness in ms when picked up at this time. */
export function latenessMs(visit: Visit, pickupTime: number): number {
  return visit.latenessAtZeroMs + visit.drops.length * pickupTime;
}
