/** What it costs to give a bundle to a driver: lateness of its jobs, and a little for the way. */
import type { Vehicle } from "#schemas";
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
  readonly #rows = new Map<Bundle, Float64Array>();
  readonly #visits = new Map<Bundle, Map<Vehicle, Visit>>();
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

  /** Of each slot, in milliseconds; Infinity: not allowed. Kept for as long as this object: not to be changed. */
  row(bundle: Bundle): Float64Array {
    const known = this.#rows.get(bundle);
    if (known !== undefined) return known;
    const row = new Float64Array(this.slots.length);
    const { travel } = this.#problem;
    const anybody = bundle.jobs.every(
      (job) => job.content.requirements.length === 0 && job.excludedDrivers.size === 0 && job.skip === undefined,
    );
    const base = bundle.place * this.slots.length;
    for (let slot = 0; slot < row.length; slot++) {
      const candidate = this.slots[slot]!;
      const { driver, heading } = candidate;
      row[slot] = Infinity;
      if (bundle.jobs.length > driver.capacity || (!anybody && !bundle.jobs.every((job) => mayServe(driver, job)))) continue;
      const joined = heading === undefined || !this.joins(bundle, slot) ? undefined : this.#joinCost(bundle, candidate);
      if (joined !== undefined) {
        row[slot] = joined;
        continue;
      }
      if (this.#allowed[base + slot] === 0) continue;
      const travelMs = this.travelMs(bundle.place, slot, bundle);
      const pickup = pickupAt(candidate.freeAt + travelMs, bundle.visit.readyAt, travel.serviceMs);
      if (!withinShift(driver, pickup)) continue;
      row[slot] = latenessMs(this.#visitBy(bundle, driver.vehicle), pickup) + this.#weights.drivingWeight * travelMs;
    }
    this.#rows.set(bundle, row);
    return row;
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

  #visitBy(bundle: Bundle, vehicle: Vehicle): Visit {
    if (vehicle === REFERENCE_VEHICLE) return bundle.visit;
    const known = this.#visits.get(bundle)?.get(vehicle);
    if (known !== undefined) return known;
    const visit = visitOf(bundle.pickup, bundle.visit.drops, vehicle, this.#problem.travel);
    const visits = this.#visits.get(bundle) ?? new Map<Vehicle, Visit>();
    this.#visits.set(bundle, visits.set(vehicle, visit));
    return visit;
  }
}
