/** The whole topology in the engine's test driver, with the records of a small story. */
import { createSerdes, memoryRegistry } from "#schemas";
import type { DriverEvent, DriverLocation, OrderPlaced, Point, ZonePolicy } from "#schemas";
import { TopologyTestDriver } from "#streams/testing";
import type { TopologyTestDriverOptions } from "#streams/testing";
import { buildDispatch } from "../build-dispatch.ts";
import type { DispatchOptions } from "../build-dispatch.ts";
import { defaultPolicy } from "../default-policy.ts";
import { dispatchTopics } from "../topics.ts";
import type { DispatchTopics } from "../topics.ts";

export const START = 1_760_000_000_000;
export const kitchen: Point = { latitude: 52.52, longitude: 13.405 };
export const home: Point = { latitude: 52.53, longitude: 13.42 };

export interface SceneOptions {
  readonly policy?: Partial<ZonePolicy>;
  readonly dispatch?: Partial<DispatchOptions>;
  readonly driver?: TopologyTestDriverOptions;
}

export class DispatchScene {
  readonly topics: DispatchTopics;
  readonly driver: TopologyTestDriver;
  #events = 0;

  constructor({ policy, dispatch, driver }: SceneOptions = {}) {
    const registry = memoryRegistry();
    const partitions = dispatch?.partitions ?? 1;
    this.topics = dispatchTopics(createSerdes(registry), { partitions });
    const topology = buildDispatch({ registry, partitions, defaultPolicy: { ...defaultPolicy, ...policy }, ...dispatch });
    this.driver = new TopologyTestDriver(topology, { startAt: START, ...driver });
  }

  get now(): number {
    return this.driver.now;
  }

  eventId(): string {
    return `e${++this.#events}`;
  }

  startShift(driverId: string, changes: Partial<Extract<DriverEvent, { type: "ShiftStarted" }>> = {}): void {
    const base = { type: "ShiftStarted", eventId: this.eventId(), driverId, occurredAt: this.now, position: kitchen } as const;
    this.event({ ...base, vehicle: "bicycle", tags: [], capacity: 2, endsAt: null, ...changes });
  }

  endShift(driverId: string): void {
    this.event({ type: "ShiftEnded", eventId: this.eventId(), driverId, occurredAt: this.now });
  }

  act(
    driverId: string,
    type: "JobAccepted" | "JobDeclined" | "ArrivedAtPickup" | "PickedUp" | "DroppedOff",
    jobId: string,
    attempt = 1,
  ): void {
    this.event({ type, eventId: this.eventId(), driverId, occurredAt: this.now, jobId, attempt });
  }

  event(event: DriverEvent): void {
    this.driver.pipe(this.topics.driverEvents, event.driverId, event);
  }

  place(orderId: string, changes: Partial<OrderPlaced> = {}): void {
    const times = { occurredAt: this.now, readyAt: this.now, notBefore: this.now };
    const base = { type: "OrderPlaced", eventId: this.eventId(), orderId, version: 1, restaurantId: "r1", pickup: kitchen } as const;
    const order: OrderPlaced = { ...base, ...times, dropOff: home, requirements: [], priceMinor: 2_000, currency: "EUR", ...changes };
    this.driver.pipe(this.topics.orders, orderId, order);
  }

  cancel(orderId: string): void {
    const base = { type: "OrderCancelled", eventId: this.eventId(), orderId, occurredAt: this.now, version: 2 } as const;
    this.driver.pipe(this.topics.orders, orderId, { ...base, reason: "customer" });
  }

  locate(driverId: string, position: Point, changes: Partial<DriverLocation> = {}): void {
    const base = { type: "DriverLocation", eventId: this.eventId(), driverId, position, recordedAt: this.now } as const;
    this.driver.pipe(this.topics.driverLocations, driverId, { ...base, accuracyMetres: 5, speed: 3, heading: 0, ...changes });
  }

  publish(policy: Partial<ZonePolicy>): void {
    const whole = { ...defaultPolicy, version: 1, ...policy };
    this.driver.pipe(this.topics.policies, whole.zone, whole);
  }

  /** The next tick and what follows from it. */
  tick(): void {
    this.driver.advance(1_000);
  }
}
