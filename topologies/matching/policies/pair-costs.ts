/** What it costs to give a bundle to a driver: lateness of its jobs, and a little for the way. */
import type { MatchingProblem } from "../policy.ts";
import type { Slot } from "./availability.ts";
import { REFERENCE_VEHICLE } from "./bundles.ts";
import type { Bundle } from "./bundles.ts";
import { latenessMs, visitOf, visitWith } from "./drop-order.ts";
import type { Visit } from "./drop-order.ts";
import { mayServe, pickupAt, withinShift } from "./pairing.ts";

export interface CostWeights {
  /** A minute driven to a pickup, in minutes of lateness. */
  readonly drivingWeight: number;
}

/** Travel times between slots and places are asked for once. */
export class PairCosts {
  readonly slots: readonly Slot[];
  readonly #problem: MatchingProblem;
  readonly #weights: CostWeights;
  readonly #travel: Float64Array;
  readonly #allowed: Uint8Array;

  /** `allowed[place × slots + slot]`: 0 keeps a slot away from a place. */
  constructor(problem: MatchingProblem, slots: readonly Slot[], allowed: Uint8Array, weights: CostWeights) {
    this.#problem = problem;
    this.slots = slots;
    this.#allowed = allowed;
    this.#weights = weights;
    this.#travel = new Float64Array(allowed.length).fill(Number.NaN);
  }

  /** Milliseconds from where the slot is free to the place. */
  travelMs(place: number, slot: number, bundle: Bundle): number {
    const index = place * this.slots.length + slot;
    const known = this.#travel[index]!;
    if (!Number.isNaN(known)) return known;
    const { driver, from } = this.slots[slot]!;
    const travelMs = this.#problem.travel.travelMs(from, bundle.pickup, driver.vehicle);
    this.#travel[index] = travelMs;
    return travelMs;
  }

  /** The driver is on the way to this place and has room for the bundle. */
  joins(bundle: Bundle, slot: number): boolean {
    const { driver, heading } = this.slots[slot]!;
    return (
      heading !== undefined &&
      heading.placeId === bundle.placeId &&
      heading.pickup.latitude === bundle.pickup.latitude &&
      heading.pickup.longitude === bundle.pickup.longitude &&
      heading.drops.length + bundle.jobs.length <= driver.capacity
    );
  }

  /** Milliseconds; Infinity: not allowed. */
  cost(bundle: Bundle, slot: number): number {
    const candidate = this.slots[slot]!;
    const { driver } = candidate;
    const joins = this.joins(bundle, slot);
    if (!joins && this.#allowed[bundle.place * this.slots.length + slot] === 0) return Infinity;
    if (bundle.jobs.length > driver.capacity) return Infinity;
    for (const job of bundle.jobs) if (!mayServe(driver, job)) return Infinity;
    const { travel } = this.#problem;
    if (joins) {
      const joined = this.#joinCost(bundle, candidate);
      if (joined !== undefined) return joined;
    }
    const travelMs = this.travelMs(bundle.place, slot, bundle);
    const pickup = pickupAt(candidate.freeAt + travelMs, bundle.visit.readyAt, travel.serviceMs);
    if (!withinShift(driver, pickup)) return Infinity;
    return latenessMs(this.#visitBy(bundle, candidate), pickup) + this.#weights.drivingWeight * travelMs;
  }

  /** The plan after the bundle joined: the heading's drop-offs and the bundle's. */
  joinedVisit(bundle: Bundle, { driver, heading }: Slot): { readonly before: Visit; readonly after: Visit } | undefined {
    if (heading === undefined) return undefined;
    const { travel } = this.#problem;
    const before = visitOf(bundle.pickup, heading.drops, driver.vehicle, travel);
    const after = visitWith(before, bundle.visit.drops, { pickup: bundle.pickup, vehicle: driver.vehicle }, travel);
    return { before, after };
  }

  #joinCost(bundle: Bundle, slot: Slot): number | undefined {
    const joined = this.joinedVisit(bundle, slot);
    if (joined === undefined || slot.heading === undefined) return undefined;
    const { before, after } = joined;
    const { arrivesAt } = slot.heading;
    const { serviceMs } = this.#problem.travel;
    const pickup = pickupAt(arrivesAt, after.readyAt, serviceMs);
    if (!withinShift(slot.driver, pickup)) return undefined;
    return latenessMs(after, pickup) - latenessMs(before, pickupAt(arrivesAt, before.readyAt, serviceMs));
  }

  #visitBy(bundle: Bundle, { driver }: Slot): Visit {
    if (driver.vehicle === REFERENCE_VEHICLE) return bundle.visit;
    return visitOf(bundle.pickup, bundle.visit.drops, driver.vehicle, this.#problem.travel);
  }
}
