/** Rides through the whole topology: matched by the time to their pickup, quoted by the scarcity of their cell, billed as quoted. */
import { beforeEach, describe, expect, test } from "vitest";
import type { RideRequested } from "#schemas";
import { DispatchScene, home, kitchen } from "./testing/dispatch-scene.ts";

const MINUTE_MS = 60_000;
const street = { latitude: 52.521, longitude: 13.407 };
const far = { latitude: 52.535, longitude: 13.43 };
const partitions = 3;

let scene: DispatchScene;
beforeEach(() => {
  scene = new DispatchScene({ policy: { policy: "batch-matching" }, dispatch: { partitions }, driver: { partitions: "declared" } });
});

function request(rideId: string, changes: Partial<RideRequested> = {}): void {
  const base = { type: "RideRequested", eventId: scene.eventId(), rideId, occurredAt: scene.now, version: 1, pickup: street } as const;
  const ride = { ...base, dropOff: home, notBefore: scene.now, requirements: ["passengers"], quoteMinor: 0, currency: "EUR", ...changes };
  scene.driver.pipe(scene.topics.rides, rideId, ride);
}

function cancel(rideId: string): void {
  const base = { type: "RideCancelled", eventId: scene.eventId(), rideId, occurredAt: scene.now, version: 2, reason: "" } as const;
  scene.driver.pipe(scene.topics.rides, rideId, base);
}

function car(driverId: string, position = kitchen): void {
  scene.startShift(driverId, { vehicle: "car", tags: ["passengers"], capacity: 4, position });
}

const trips = () => scene.driver.read(scene.topics.trips).map(({ value }) => value);

describe("rides", () => {
  test("go to whoever reaches the pickup first, and with two rides the two pickups together are soonest", () => {
    car("far", far);
    car("near", street);
    scene.startShift("bicycle", { vehicle: "bicycle", position: street });
    request("r1");
    scene.tick();
    expect(trips().at(-1)).toMatchObject({ state: "assigned", driverId: "near" });
    car("near2", kitchen);
    // The one in the street could have either; the other one only reaches the first in good time.
    request("r2", { pickup: far });
    request("r3");
    scene.tick();
    const assigned = new Map(trips().flatMap(({ jobId, state, driverId }) => (state === "assigned" ? [[jobId, driverId]] : [])));
    expect(assigned).toEqual(
      new Map([
        ["r2", "far"],
        ["r3", "near2"],
      ]),
    );
  });

  test("wait beside orders in one cell, and a driver with passengers is asked for nothing else", () => {
    car("d1", street);
    request("r1");
    scene.place("o1");
    scene.tick();
    scene.tick();
    const states = new Map(trips().map(({ jobId, state }) => [jobId, state]));
    expect([...states.values()].sort()).toEqual(["assigned", "open"]);
  });

  test("cost base and distance where drivers are free; the price said first stays to the bill", () => {
    for (let d = 0; d < 4; d++) car(`d${d}`, street);
    request("r1");
    const [opened] = trips();
    expect(opened).toMatchObject({ state: "open", surgeMilli: 1_000 });
    const quoted = opened?.content?.priceMinor ?? 0;
    // 1.34 km.
    expect(quoted).toBe(300 + 173);
    scene.tick();
    const driverId = trips().at(-1)?.driverId ?? "";
    for (const step of ["ArrivedAtPickup", "PickedUp", "DroppedOff"] as const) scene.act(driverId, step, "r1");
    scene.tick();
    const [bill] = scene.driver.read(scene.topics.bills);
    expect(bill?.value).toMatchObject({ customerMinor: quoted, surgeMilli: 1_000, lines: [{ kind: "base" }, { kind: "distance" }] });
  });

  test("cost more where drivers are scarce; matching tells every partition once, and those already quoted pay what they were told", () => {
    car("d1", street);
    for (let r = 0; r < 6; r++) request(`r${r}`);
    scene.tick();
    const told = scene.driver.read(scene.topics.jobUpdates).filter(({ value }) => value.type === "SurgeChanged");
    expect(new Set(told.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2]));
    expect(told).toHaveLength(3);
    const [first] = told;
    expect(first?.value).toMatchObject({ surgeMilli: 2_500, until: scene.now + 5 * MINUTE_MS });
    for (const { surgeMilli } of trips()) expect(surgeMilli).toBe(1_000);
    request("late");
    const late = trips().at(-1);
    expect(late).toMatchObject({ jobId: "late", state: "open", surgeMilli: 2_500, content: { priceMinor: 473 + Math.floor(473 * 1.5) } });
    // Asked before it was told, heard after: he saw the price of before.
    const asked = scene.now - MINUTE_MS;
    const base = {
      type: "RideRequested",
      eventId: scene.eventId(),
      rideId: "delayed",
      occurredAt: asked,
      version: 1,
      pickup: street,
    } as const;
    const delayed = { ...base, dropOff: home, notBefore: asked, requirements: ["passengers"], quoteMinor: 0, currency: "EUR" };
    scene.driver.pipe(scene.topics.rides, "delayed", delayed, { timestamp: asked });
    expect(trips().at(-1)).toMatchObject({ jobId: "delayed", state: "open", surgeMilli: 1_000, content: { priceMinor: 473 } });
    // Half an hour later nobody has asked since: no tick says so, the surge is over by itself.
    scene.driver.advance(30 * MINUTE_MS);
    trips();
    request("quiet");
    expect(trips().find(({ jobId }) => jobId === "quiet")).toMatchObject({ surgeMilli: 1_000 });
  });

  test("that come with a price keep it, orders know no surge, and another way is quoted at the first surge", () => {
    car("d1", street);
    for (let r = 0; r < 6; r++) request(`r${r}`);
    scene.tick();
    trips();
    request("promised", { quoteMinor: 777 });
    scene.place("o1");
    const opened = trips();
    expect(opened.find(({ jobId }) => jobId === "promised")).toMatchObject({ surgeMilli: 1_000, content: { priceMinor: 777 } });
    expect(opened.find(({ jobId }) => jobId === "o1")).toMatchObject({ surgeMilli: 1_000, content: { priceMinor: 2_000 } });
    request("r5", { version: 2, dropOff: street });
    expect(trips().at(-1)).toMatchObject({ reason: "changed", surgeMilli: 1_000, content: { priceMinor: 300 } });
  });

  test("are billed with their surge as a line of its own", () => {
    car("d1", street);
    for (let r = 0; r < 6; r++) request(`r${r}`, { notBefore: scene.now + (r === 0 ? 0 : MINUTE_MS) });
    scene.tick();
    for (let r = 0; r < 6; r++) cancel(`r${r}`);
    scene.driver.advance(1_000);
    trips();
    request("dear");
    scene.tick();
    scene.tick();
    const assigned = trips().at(-1);
    expect(assigned).toMatchObject({ jobId: "dear", state: "assigned", surgeMilli: 2_500 });
    for (const step of ["ArrivedAtPickup", "PickedUp", "DroppedOff"] as const) scene.act("d1", step, "dear");
    scene.tick();
    const [bill] = scene.driver.read(scene.topics.bills);
    const surge = { kind: "surge", amountMinor: 709 };
    expect(bill?.value).toMatchObject({
      customerMinor: 473 + 709,
      surgeMilli: 2_500,
      lines: [{ amountMinor: 300 }, { amountMinor: 173 }, surge],
    });
  });

  test("taken back before the pickup end there, after it they go on", () => {
    car("d1", street);
    request("r1");
    scene.tick();
    cancel("r1");
    expect(trips().at(-1)).toMatchObject({ state: "cancelled" });
    request("r2");
    scene.tick();
    scene.tick();
    for (const step of ["ArrivedAtPickup", "PickedUp"] as const) scene.act("d1", step, "r2");
    scene.driver.read(scene.topics.refusals);
    cancel("r2");
    expect(scene.driver.read(scene.topics.refusals).at(-1)?.value).toMatchObject({ eventType: "RideCancelled", reason: "PICKED_UP" });
  });
});
