/**
 * A tick's problem as numbers: jobs, places and drivers by index, times in milliseconds after now, travel times asked for once.
 * Jobs 0 to `open − 1` may be given to anybody; the others are held by drivers on their way to a counter.
 */
import type { Point, Vehicle } from "#schemas";
import type { KnownDriver, MatchingProblem, OpenJob } from "../../policy.ts";
import { slotOf } from "../availability.ts";
import type { Slot } from "../availability.ts";
import { placeKey } from "../bundles.ts";
import { FreeDrivers, byId, mayServe } from "../pairing.ts";
import { pointOf } from "./demand.ts";
import type { PlanMemory, RememberedDemand } from "./plan-memory.ts";
import type { OpenPlanValues } from "./parameters.ts";

interface Place {
  readonly pickup: Point;
  /** Several jobs may be picked up at once. */
  readonly shared: boolean;
}

export class SearchSpace {
  readonly jobs: readonly OpenJob[];
  readonly slots: readonly Slot[];
  readonly places: readonly Place[];
  /** Number of jobs that are nobody's yet. */
  readonly open: number;
  readonly serviceMs: number;
  readonly now: number;
  /** By job. */
  readonly place: Int32Array;
  readonly ready: Float64Array;
  /** By driver. */
  readonly freeAt: Float64Array;
  readonly shiftEnd: Float64Array;
  readonly bundleMax: Int32Array;
  readonly vehicle: Int32Array;
  /** The place he is on his way to, where others may still join; −1: none. */
  readonly headPlace: Int32Array;
  readonly headArrival: Float64Array;
  /** Jobs he holds on that way, in order of drop-off. */
  readonly headJobs: readonly (readonly number[])[];
  /** Orders given to him in this shift, and what the next one adds to the pay term: `payStep × (2 × orders + 1)`. */
  readonly served: Float64Array;
  readonly payStep: Float64Array;
  readonly #problem: MatchingProblem;
  readonly #doors: readonly Point[];
  readonly #vehicles: readonly Vehicle[];
  readonly #total: number;
  // Each holds travel + 1; 0: not asked for yet.
  readonly #startToPlace: Float64Array;
  readonly #doorToPlace: Float64Array;
  readonly #doorToDoor: Float64Array;
  readonly #counterToDoor: Float64Array;
  readonly #placeToPlace: Float64Array;
  readonly #byWay: (Int32Array | undefined)[] = [];
  /** Of jobs that not everybody may serve: by driver. */
  readonly #mayServe: readonly (Uint8Array | undefined)[];
  /** Places where most jobs are expected, with their shares of these. */
  readonly #expected: readonly { readonly point: Point; readonly share: number }[];
  readonly #expectedShare: number;

  constructor(problem: MatchingProblem, memory: PlanMemory, values: OpenPlanValues) {
    this.#expectedShare = values.expectedShare;
    this.#expected = values.expectedShare > 0 ? expectedPlaces(memory.demand, values.endingPlaces) : [];
    const { now, travel } = problem;
    this.#problem = problem;
    this.now = now;
    this.serviceMs = travel.serviceMs;
    this.jobs = problem.jobs.filter((job) => job.content.readyAt <= now + values.horizonMs).slice(0, values.jobsMax);
    this.open = this.jobs.length;
    const places = new Places();
    const placeOf: number[] = this.jobs.map((job) => places.indexOf(placeKey(job), job.content.pickup, job.content.placeId !== ""));
    const readyOf: number[] = this.jobs.map((job) => job.content.readyAt - now);
    const doors: Point[] = this.jobs.map((job) => job.content.dropOff);
    this.slots = slotsOf(problem, this.jobs, values, memory);
    const count = this.slots.length;
    this.freeAt = new Float64Array(count);
    this.shiftEnd = new Float64Array(count).fill(Infinity);
    this.bundleMax = new Int32Array(count);
    this.vehicle = new Int32Array(count);
    this.headPlace = new Int32Array(count).fill(-1);
    this.headArrival = new Float64Array(count);
    this.served = new Float64Array(count);
    this.payStep = new Float64Array(count);
    const vehicles: Vehicle[] = [];
    const headJobs: number[][] = [];
    this.slots.forEach(({ driver, freeAt, heading }, d) => {
      this.freeAt[d] = freeAt - now;
      if (driver.shiftEndsAt !== null) this.shiftEnd[d] = driver.shiftEndsAt - now;
      this.bundleMax[d] = Math.min(driver.capacity, values.bundleMax);
      if (!vehicles.includes(driver.vehicle)) vehicles.push(driver.vehicle);
      this.vehicle[d] = vehicles.indexOf(driver.vehicle);
      this.served[d] = memory.servedBy(driver.driverId);
      this.payStep[d] = payStepOf(driver, memory.presentSince(driver, now), values);
      const held: number[] = [];
      headJobs.push(held);
      if (heading === undefined || heading.drops.length >= this.bundleMax[d]) return;
      const { latitude, longitude } = heading.pickup;
      this.headPlace[d] = places.indexOf(`${heading.placeId} ${latitude} ${longitude}`, heading.pickup, true);
      this.headArrival[d] = (memory.arrivalOf(driver) ?? heading.arrivesAt) - now;
      for (const { point, readyAt } of heading.drops) {
        held.push(doors.length);
        doors.push(point);
        placeOf.push(this.headPlace[d]);
        readyOf.push(readyAt - now);
      }
    });
    this.headJobs = headJobs;
    this.places = places.all;
    this.place = Int32Array.from(placeOf);
    this.ready = Float64Array.from(readyOf);
    this.#doors = doors;
    this.#vehicles = vehicles;
    this.#total = doors.length;
    this.#startToPlace = new Float64Array(count * this.places.length);
    this.#doorToPlace = new Float64Array(vehicles.length * this.#total * this.places.length);
    this.#doorToDoor = new Float64Array(vehicles.length * this.#total * this.#total);
    this.#counterToDoor = new Float64Array(vehicles.length * this.#total);
    this.#placeToPlace = new Float64Array(this.places.length * this.places.length);
    this.#mayServe = this.jobs.map((job) => {
      if (job.content.requirements.length === 0 && job.excludedDrivers.size === 0 && job.skip === undefined) return undefined;
      return Uint8Array.from(this.slots, ({ driver }) => (mayServe(driver, job) ? 1 : 0));
    });
  }

  /** How far it is from where the driver starts to where jobs are: the open ones and, by their share, those expected. */
  wayFromStart(driver: number): number {
    const { from, driver: who } = this.slots[driver]!;
    let sum = 0;
    for (let job = 0; job < this.open; job++) sum += this.startToPlace(driver, this.place[job]!);
    return this.#blend(sum / this.open, from, who.vehicle);
  }

  /** The same from a door. */
  wayFromDoor(vehicle: number, door: number): number {
    let sum = 0;
    for (let job = 0; job < this.open; job++) sum += this.doorToPlace(vehicle, door, this.place[job]!);
    return this.#blend(sum / this.open, this.#doors[door]!, this.#vehicles[vehicle]!);
  }

  #blend(open: number, from: Point, vehicle: Vehicle): number {
    const { travel } = this.#problem;
    if (this.#expected.length === 0) return open;
    let sum = 0;
    for (const { point, share } of this.#expected) sum += share * travel.travelMs(from, point, vehicle);
    return (1 - this.#expectedShare) * open + this.#expectedShare * sum;
  }

  mayServe(driver: number, job: number): boolean {
    const may = this.#mayServe[job];
    return may === undefined || may[driver] === 1;
  }

  /** The nearest first, by where each can start. */
  driversByWay(place: number): Int32Array {
    const known = this.#byWay[place];
    if (known !== undefined) return known;
    const drivers = Int32Array.from(this.slots.keys());
    drivers.sort((a, b) => this.startToPlace(a, place) - this.startToPlace(b, place) || a - b);
    this.#byWay[place] = drivers;
    return drivers;
  }

  startToPlace(driver: number, place: number): number {
    const index = driver * this.places.length + place;
    const known = this.#startToPlace[index]!;
    if (known !== 0) return known - 1;
    const slot = this.slots[driver]!;
    const travelMs = this.#problem.travel.travelMs(slot.from, this.places[place]!.pickup, slot.driver.vehicle);
    this.#startToPlace[index] = travelMs + 1;
    return travelMs;
  }

  doorToPlace(vehicle: number, job: number, place: number): number {
    const index = (vehicle * this.#total + job) * this.places.length + place;
    const known = this.#doorToPlace[index]!;
    if (known !== 0) return known - 1;
    const travelMs = this.#problem.travel.travelMs(this.#doors[job]!, this.places[place]!.pickup, this.#vehicles[vehicle]!);
    this.#doorToPlace[index] = travelMs + 1;
    return travelMs;
  }

  doorToDoor(vehicle: number, from: number, to: number): number {
    const index = (vehicle * this.#total + from) * this.#total + to;
    const known = this.#doorToDoor[index]!;
    if (known !== 0) return known - 1;
    const travelMs = this.#problem.travel.travelMs(this.#doors[from]!, this.#doors[to]!, this.#vehicles[vehicle]!);
    this.#doorToDoor[index] = travelMs + 1;
    return travelMs;
  }

  counterToDoor(vehicle: number, job: number): number {
    const index = vehicle * this.#total + job;
    const known = this.#counterToDoor[index]!;
    if (known !== 0) return known - 1;
    const counter = this.places[this.place[job]!]!.pickup;
    const travelMs = this.#problem.travel.travelMs(counter, this.#doors[job]!, this.#vehicles[vehicle]!);
    this.#counterToDoor[index] = travelMs + 1;
    return travelMs;
  }

  /** By the first vehicle: only for telling what is near. */
  placeToPlace(from: number, to: number): number {
    const index = from * this.places.length + to;
    const known = this.#placeToPlace[index]!;
    if (known !== 0) return known - 1;
    const travelMs = this.#problem.travel.travelMs(this.places[from]!.pickup, this.places[to]!.pickup, this.#vehicles[0]!);
    this.#placeToPlace[index] = travelMs + 1;
    return travelMs;
  }
}

class Places {
  readonly all: Place[] = [];
  readonly #byKey = new Map<string, number>();

  indexOf(key: string, pickup: Point, shared: boolean): number {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    this.#byKey.set(key, this.all.length);
    return this.all.push({ pickup, shared }) - 1;
  }
}

/** Busy drivers who will be free in time, and the free ones near a place. */
function slotsOf(problem: MatchingProblem, jobs: readonly OpenJob[], values: OpenPlanValues, memory: PlanMemory): readonly Slot[] {
  const free = new FreeDrivers(problem);
  const near = new Set<KnownDriver>();
  for (const here of Map.groupBy(jobs, placeKey).values()) {
    const usable = (driver: KnownDriver): boolean => here.some((job) => mayServe(driver, job));
    for (const driver of free.near(here[0]!.content.pickup, values.candidates, usable)) near.add(driver);
  }
  const slots: Slot[] = [];
  for (const driver of problem.drivers) {
    const slot = whereSent(slotOf(driver, problem.now, problem.travel, values.readySpreadMs), memory, problem.now);
    if (slot === undefined || slot.freeAt > problem.now + values.lookAheadMs || (slot.free && !near.has(driver))) continue;
    slots.push(slot);
  }
  return slots;
}

function expectedPlaces({ places }: RememberedDemand, atMost: number) {
  const most = places.toSorted((a, b) => b.weight - a.weight || byId(a.placeId, b.placeId)).slice(0, atMost);
  const total = most.reduce((sum, { weight }) => sum + weight, 0);
  return most.map((place) => ({ point: pointOf(place), share: place.weight / total }));
}

/** Who was sent to wait somewhere is free there and then: nobody turns him back. */
function whereSent(slot: Slot | undefined, memory: PlanMemory, now: number): Slot | undefined {
  if (slot === undefined || !slot.free) return slot;
  const moving = memory.movingOf(slot.driver);
  if (moving === null) return slot;
  const from = { latitude: moving.latitude, longitude: moving.longitude };
  return moving.arrivesAt > now ? { ...slot, free: false, freeAt: moving.arrivesAt, from } : { ...slot, from };
}

/** Work goes first to those who are paid for their time anyway. 0 where no pay is guaranteed or nobody knows how long. */
function payStepOf(driver: KnownDriver, since: number, { guaranteedJobsPerHour, payWeightMs }: OpenPlanValues): number {
  if (guaranteedJobsPerHour <= 0 || driver.shiftEndsAt === null) return 0;
  const hours = Math.max(0.5, (driver.shiftEndsAt - since) / 3_600_000);
  return payWeightMs / (guaranteedJobsPerHour ** 2 * hours);
}
