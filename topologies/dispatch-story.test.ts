/** Seeded stories through the whole topology and the real engine's tasks, judged by the independent checks of D1 to D5. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkInvariants } from "#proof";
import type { History, ProofRecord } from "#proof";
import type { AssignmentEvent, DriverEvent, OrderEvent, ZonePolicy } from "#schemas";
import type { Topic } from "#streams";
import { DispatchScene, home, kitchen } from "./testing/dispatch-scene.ts";

const places = [kitchen, { latitude: 52.521, longitude: 13.41 }, { latitude: 52.56, longitude: 13.45 }] as const;
/** What all stories together brought about: a story in which nothing happens would prove nothing. */
const seen = new Map<string, number>();
type Action = "JobAccepted" | "JobDeclined" | "ArrivedAtPickup" | "PickedUp" | "DroppedOff";
type Kept<V> = ProofRecord<V>[];

class Story {
  readonly #scene: DispatchScene;
  readonly #orders: Kept<OrderEvent> = [];
  readonly #driverEvents: Kept<DriverEvent> = [];
  readonly #assignments: Kept<AssignmentEvent> = [];
  /** Who was told of which job, newest last; devices act on it, rightly or not. */
  readonly #told: { readonly jobId: string; readonly driverId: string; readonly attempt: number; readonly next: Action[] }[] = [];
  readonly #versions: number[] = [];
  #ids = 0;

  constructor(policy: Partial<ZonePolicy>) {
    this.#scene = new DispatchScene({ policy });
    for (let d = 0; d < 4; d++) this.#shift(d);
  }

  /** One thing happens, by number; `kind` and `which` pick what and to whom. */
  step(kind: number, which: number): void {
    const order = which % Math.max(1, this.#versions.length);
    const told = this.#told[this.#told.length - 1 - (which % Math.max(1, Math.min(6, this.#told.length)))];
    if (kind < 20) this.#place(which);
    else if (kind < 24) this.#order(order, { type: "OrderCancelled", reason: "" });
    else if (kind < 30) this.#order(order, { type: "OrderReadyTimeChanged", readyAt: this.#scene.now + which });
    else if (kind < 32) this.#again(which);
    else if (kind < 35) this.#shift(which % 4);
    else if (kind < 36) this.#event({ type: "ShiftEnded", ...this.#base(`d${which % 4}`) });
    else if (kind < 50) this.#scene.locate(`d${which % 4}`, places[which % 3] ?? kitchen);
    else if (kind < 53) this.#scene.driver.restart();
    else if (kind < 78 && told !== undefined) {
      // Mostly what comes next, sometimes anything: what does not fit is refused.
      const any: readonly Action[] = ["JobAccepted", "JobDeclined", "ArrivedAtPickup", "PickedUp", "DroppedOff"];
      const type = (which % 8 === 0 ? undefined : told.next.shift()) ?? any[which % any.length] ?? "JobAccepted";
      this.#event({ type, jobId: told.jobId, attempt: told.attempt, ...this.#base(told.driverId) });
    } else this.#scene.driver.advance(500 + (which % 4_000));
    this.#hear();
  }

  /** Until every deadline has passed. */
  async end(): Promise<string[]> {
    for (let i = 0; i < 100; i++) this.#scene.driver.advance(60_000);
    this.#hear();
    const { driver, topics } = this.#scene;
    expect(driver.deadLetters()).toEqual([]);
    const bills = driver.read(topics.bills);
    const refusals = driver.read(topics.refusals).filter(({ value }) => value.topic !== topics.driverLocations.name);
    const history: History = {
      orders: this.#orders,
      driverEvents: this.#driverEvents,
      refusals,
      jobUpdates: driver.read(topics.jobUpdates),
      assignments: this.#assignments,
      trips: driver.read(topics.trips),
      bills,
      matchingInput: driver.read(topics.matchingInput),
    };
    for (const { value } of this.#assignments) seen.set(value.type, (seen.get(value.type) ?? 0) + 1);
    seen.set("bills", (seen.get("bills") ?? 0) + bills.length);
    seen.set("refusals", (seen.get("refusals") ?? 0) + refusals.length);
    const verdicts = await checkInvariants(history);
    return verdicts.flatMap((verdict) => verdict.violations.map((violation) => `${verdict.invariant}: ${violation}`));
  }

  #hear(): void {
    for (const record of this.#scene.driver.read(this.#scene.topics.assignments)) {
      this.#assignments.push(record);
      const { value } = record;
      if (value.type !== "DriverAssigned" && value.type !== "DriverOffered") continue;
      const next: Action[] = value.type === "DriverOffered" ? ["JobAccepted"] : ["ArrivedAtPickup", "PickedUp", "DroppedOff"];
      this.#told.push({ jobId: value.jobId, driverId: value.driverId, attempt: value.attempt, next });
    }
  }

  #place(which: number): void {
    const orderId = `o${this.#versions.length}`;
    this.#versions.push(1);
    const times = { occurredAt: this.#scene.now, readyAt: this.#scene.now, notBefore: this.#scene.now };
    const restaurant = { restaurantId: `r${which % 3}`, pickup: places[which % 3] ?? kitchen, dropOff: home };
    const price = { requirements: [], priceMinor: which, currency: "EUR" };
    this.#orderEvent({ type: "OrderPlaced", eventId: this.#id(), orderId, version: 1, ...times, ...restaurant, ...price });
  }

  #order(
    order: number,
    what:
      | { readonly type: "OrderCancelled"; readonly reason: string }
      | { readonly type: "OrderReadyTimeChanged"; readonly readyAt: number },
  ): void {
    const version = (this.#versions[order] ?? 0) + 1;
    this.#versions[order] = version;
    this.#orderEvent({ ...what, eventId: this.#id(), orderId: `o${order}`, occurredAt: this.#scene.now, version });
  }

  /** A producer sends something a second time. */
  #again(which: number): void {
    const order = this.#orders[which % Math.max(1, this.#orders.length)];
    const event = this.#driverEvents[which % Math.max(1, this.#driverEvents.length)];
    if (which % 2 === 0 && order !== undefined) this.#orderEvent(order.value);
    else if (event !== undefined) this.#event(event.value);
  }

  #shift(d: number): void {
    const shift = { position: places[d % 3] ?? kitchen, vehicle: "car", tags: [], capacity: 2, endsAt: null } as const;
    this.#event({ type: "ShiftStarted", ...this.#base(`d${d}`), ...shift });
  }

  #base(driverId: string): { readonly eventId: string; readonly driverId: string; readonly occurredAt: number } {
    return { eventId: this.#id(), driverId, occurredAt: this.#scene.now };
  }

  #event(event: DriverEvent): void {
    this.#pipe(this.#scene.topics.driverEvents, this.#driverEvents, event.driverId, event);
  }

  #orderEvent(event: OrderEvent): void {
    this.#pipe(this.#scene.topics.orders, this.#orders, event.orderId, event);
  }

  #pipe<V>(topic: Topic<string, V>, kept: Kept<V>, key: string, value: V): void {
    kept.push({ partition: 0, offset: kept.length, timestamp: this.#scene.now, value });
    this.#scene.driver.pipe(topic, key, value);
  }

  #id(): string {
    return `e${++this.#ids}`;
  }
}

const steps = fc.array(fc.tuple(fc.noBias(fc.nat(99)), fc.noBias(fc.nat(100_000))), { minLength: 150, maxLength: 250, size: "max" });
const policies = fc.record({
  policy: fc.constantFrom("nearest", "batch-matching"),
  offerSeconds: fc.constantFrom(0, 5),
  attemptsMax: fc.constantFrom(2, 10),
  locationTtlMs: fc.constantFrom(0, 30_000),
  backoffBaseMs: fc.constantFrom(0, 1_000),
});

test("20 seeded stories keep D1 to D5, however devices, customers and restarts fall", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(policies, steps, async (policy, all) => {
      const story = new Story({ ...policy, throttleMs: 0, speedMetresPerSecondMax: 1e6, deadlineMs: 30 * 60_000 });
      for (const [kind, which] of all) story.step(kind, which);
      expect(await story.end()).toEqual([]);
    }),
    { numRuns: 20, seed: 7 },
  );
  const many = ["DriverOffered", "DriverAssigned", "AssignmentRevoked", "AssignmentFailed", "bills", "refusals"];
  for (const kind of many) expect(seen.get(kind), kind).toBeGreaterThan(20);
});
