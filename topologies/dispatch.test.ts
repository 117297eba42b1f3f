import { describe, expect, test } from "vitest";
import { memoryRegistry } from "#schemas";
import type { TopologyFactory } from "#streams";
import { buildDispatch, dispatchModule } from "./build-dispatch.ts";
import { DispatchScene, home, kitchen, START } from "./testing/dispatch-scene.ts";

const types = (records: readonly { readonly type: string }[]): string[] => records.map((record) => record.type);

/** What is published by a small story, with a restart after every step or without. */
const published = (restarts: boolean): string[] => {
  const scene = new DispatchScene({ policy: { offerSeconds: 10 } });
  const rest = (): void => {
    if (restarts) scene.driver.restart();
  };
  for (const driverId of ["d1", "d2", "d3"]) scene.startShift(driverId);
  rest();
  for (const orderId of ["o1", "o2", "o3", "o4"]) scene.place(orderId);
  rest();
  scene.tick();
  rest();
  scene.act("d1", "JobAccepted", "o1");
  scene.cancel("o2");
  rest();
  scene.tick();
  rest();
  scene.driver.advance(10_000);
  rest();
  scene.tick();
  return scene.driver.readValues(scene.topics.assignments).map(({ type, jobId, attempt }) => `${type} ${jobId} ${attempt}`);
};

describe("an order", () => {
  test("goes in, an assignment, its trips and one bill come out", () => {
    const scene = new DispatchScene();
    const { driver, topics } = scene;
    scene.startShift("d1");
    scene.place("o1");
    scene.tick();
    const [assigned] = driver.readValues(topics.assignments);
    expect(assigned).toMatchObject({
      type: "DriverAssigned",
      jobId: "o1",
      driverId: "d1",
      driverVersion: 2,
      attempt: 1,
      policy: "nearest",
    });
    expect(assigned?.proposalId).toMatch(new RegExp(`^85[0-9a-f]{13}/${START + 1_000}/d1$`));
    scene.tick();
    scene.act("d1", "ArrivedAtPickup", "o1");
    scene.act("d1", "PickedUp", "o1");
    scene.act("d1", "DroppedOff", "o1");
    const trips = driver.readValues(topics.trips);
    expect(trips.map((trip) => trip.state)).toEqual(["open", "assigned", "atPickup", "pickedUp", "completed"]);
    expect(trips.map((trip) => trip.jobVersion)).toEqual([1, 2, 3, 4, 5]);
    const bills = driver.readValues(topics.bills);
    expect(bills).toMatchObject([{ jobId: "o1", driverId: "d1", merchantMinor: 2_000, currency: "EUR" }]);
    expect(driver.readValues(topics.refusals)).toEqual([]);
    expect(driver.deadLetters()).toEqual([]);
  });

  test("waits for a driver, is cancelled, changes, and a ride does the same", () => {
    const scene = new DispatchScene();
    const { driver, topics } = scene;
    scene.place("o1");
    scene.tick();
    expect(types(driver.readValues(topics.assignments))).toEqual([]);
    scene.cancel("o1");
    const ride = { rideId: "ride1", eventId: "r1", occurredAt: scene.now, version: 1, pickup: kitchen, dropOff: home } as const;
    const request = { ...ride, type: "RideRequested", notBefore: scene.now, requirements: [], quoteMinor: 1_500, currency: "EUR" } as const;
    driver.pipe(topics.rides, "ride1", request);
    scene.startShift("d1");
    scene.tick();
    expect(driver.readValues(topics.assignments)).toMatchObject([{ type: "DriverAssigned", jobId: "ride1" }]);
    scene.cancel("o1");
    driver.pipe(topics.rides, "ride1", request);
    expect(driver.readValues(topics.refusals)).toMatchObject([
      { entity: "job", entityId: "o1", reason: "ENDED", eventType: "OrderCancelled", topic: "dispatch.orders.v1", offset: 2 },
      { entity: "job", entityId: "ride1", reason: "DUPLICATE", eventId: "r1", topic: "dispatch.rides.v1", offset: 1 },
    ]);
  });

  test("is offered, not answered in time, and offered to the next driver, until attempts are used up", () => {
    const scene = new DispatchScene({ policy: { offerSeconds: 10, attemptsMax: 2, backoffBaseMs: 0, locationTtlMs: 0 } });
    const { driver, topics } = scene;
    scene.startShift("d1");
    scene.startShift("d2");
    scene.place("o1");
    scene.tick();
    expect(driver.readValues(topics.assignments)).toMatchObject([{ type: "DriverOffered", driverId: "d1", offerUntil: START + 11_000 }]);
    driver.advance(10_000);
    scene.tick();
    expect(driver.readValues(topics.assignments)).toMatchObject([
      { type: "AssignmentRevoked", driverId: "d1", reason: "offerExpired", attempt: 1 },
      { type: "DriverOffered", driverId: "d2", attempt: 2 },
    ]);
    scene.act("d2", "JobDeclined", "o1", 2);
    expect(driver.readValues(topics.assignments)).toMatchObject([
      { type: "AssignmentRevoked", driverId: "d2", reason: "declined", attempt: 2 },
      { type: "AssignmentFailed", reason: "attempts" },
    ]);
  });

  test("fails at its deadline although nothing happens any more, and its driver is free again", () => {
    const scene = new DispatchScene({ policy: { deadlineMs: 60_000, locationTtlMs: 0 } });
    const { driver, topics } = scene;
    scene.startShift("d1");
    scene.place("o1");
    scene.tick();
    driver.readValues(topics.assignments);
    driver.advance(59_000);
    const ended = driver.readValues(topics.assignments);
    expect(ended.map((event) => [event.type, event.at])).toEqual([
      ["AssignmentRevoked", START + 60_000],
      ["AssignmentFailed", START + 60_000],
    ]);
    scene.place("o2");
    scene.tick();
    expect(driver.readValues(topics.assignments)).toMatchObject([{ type: "DriverAssigned", jobId: "o2", driverId: "d1" }]);
  });
});

describe("a driver", () => {
  test("falls silent without any record, gives the job back, and returns with a location", () => {
    const scene = new DispatchScene({ policy: { backoffBaseMs: 0 } });
    const { driver, topics } = scene;
    scene.startShift("d1");
    scene.place("o1");
    scene.tick();
    for (let i = 0; i < 40; i++) scene.tick();
    expect(types(driver.readValues(topics.assignments))).toEqual(["DriverAssigned", "AssignmentRevoked"]);
    scene.locate("d1", kitchen);
    scene.tick();
    expect(driver.readValues(topics.assignments)).toMatchObject([{ type: "DriverAssigned", attempt: 2, driverVersion: 5 }]);
  });

  test("is tracked while he has a job, and matching hears of him only when his fine cell changes", () => {
    const scene = new DispatchScene();
    const { driver, topics } = scene;
    scene.startShift("d1");
    scene.place("o1");
    scene.tick();
    driver.readValues(topics.matchingInput);
    driver.advance(5_000);
    scene.locate("d1", { latitude: kitchen.latitude + 0.0002, longitude: kitchen.longitude });
    expect(driver.readValues(topics.matchingInput)).toEqual([]);
    expect(driver.readValues(topics.tracking)).toMatchObject([{ jobId: "o1", driverId: "d1", attempt: 1, at: scene.now }]);
    driver.advance(25_000);
    scene.locate("d1", home);
    const told = driver.readValues(topics.matchingInput).filter((record) => record.type === "DriverPresent");
    expect(told.length).toBeGreaterThan(0);
    for (const record of told) expect(record).toMatchObject({ present: true, driverVersion: 2, position: home });
  });

  test("refused locations are recorded with their reason and change nothing", () => {
    const scene = new DispatchScene();
    const { driver, topics } = scene;
    scene.locate("d9", kitchen);
    scene.startShift("d1");
    driver.advance(1_000);
    scene.locate("d1", kitchen);
    scene.locate("d1", kitchen, { recordedAt: START - 10 });
    driver.advance(4_000);
    scene.locate("d1", home);
    const refusals = driver.readValues(topics.refusals);
    expect(refusals.map((record) => record.reason)).toEqual(["OFF_DUTY", "THROTTLED", "OUT_OF_ORDER", "IMPOSSIBLE"]);
    expect(JSON.parse(refusals[3]?.event ?? "")).toMatchObject({ type: "DriverLocation", position: home });
  });
});

describe("policies", () => {
  test("are copied to every partition of the three inputs, and hold from the next tick that reads them", () => {
    const scene = new DispatchScene({ dispatch: { partitions: 3 }, driver: { partitions: "declared" } });
    const { driver, topics } = scene;
    scene.publish({ zone: "default", policy: "batch-matching", offerSeconds: 15 });
    for (const topic of [topics.driverCommands, topics.jobUpdates, topics.matchingInput]) {
      const copies = driver.read(topic as typeof topics.jobUpdates);
      expect(copies.map((record) => [record.key, record.value.type, record.partition])).toEqual(
        [0, 1, 2].map((partition) => ["default", "PolicyChanged", partition]),
      );
    }
    scene.startShift("d1");
    scene.place("o1");
    scene.tick();
    expect(driver.readValues(topics.assignments)).toMatchObject([{ type: "DriverOffered", policy: "batch-matching" }]);
  });

  test("that make no sense become dead letters, and nobody hears of them", () => {
    const scene = new DispatchScene();
    scene.publish({ zone: "default", policy: "genius" });
    expect(scene.driver.deadLetters()).toMatchObject([{ code: "POLICY_UNKNOWN" }]);
    expect(scene.driver.readValues(scene.topics.jobUpdates)).toEqual([]);
  });

  test("with another tick change how often matching ticks", () => {
    const scene = new DispatchScene();
    const { driver, topics } = scene;
    scene.publish({ zone: "default", tickMs: 60_000 });
    scene.place("o1");
    driver.readValues(topics.matchingInput);
    driver.advance(59_000);
    expect(driver.readValues(topics.matchingInput)).toEqual([]);
    driver.advance(1_000);
    expect(types(driver.readValues(topics.matchingInput))).toEqual(["Ticked"]);
  });
});

test("another resolution: jobs stay where they are, drivers come into the new cells with their next location", () => {
  const scene = new DispatchScene({ policy: { haloMetres: 0 } });
  const { driver, topics } = scene;
  scene.place("old");
  scene.startShift("d1", { capacity: 1 });
  scene.startShift("d2", { capacity: 1 });
  driver.advance(500);
  scene.publish({ zone: "default", dispatchResolution: 7, haloMetres: 0 });
  scene.place("new");
  driver.readValues(topics.matchingInput);
  scene.tick();
  expect(driver.readValues(topics.assignments).map((event) => event.jobId)).toEqual(["old"]);
  driver.advance(4_000);
  scene.locate("d2", kitchen);
  const told = driver.readValues(topics.matchingInput).filter((record) => record.type === "DriverPresent" && record.driverId === "d2");
  expect(told.map((record) => record.type === "DriverPresent" && record.cell.slice(0, 2))).toEqual(["87"]);
  scene.tick();
  expect(driver.readValues(topics.assignments)).toMatchObject([{ type: "DriverAssigned", jobId: "new", driverId: "d2" }]);
});

describe("matching", () => {
  test("writes no tick while nobody waits, and never a second one before the first is read", () => {
    const scene = new DispatchScene();
    const { driver, topics } = scene;
    scene.startShift("d1");
    driver.advance(10_000);
    scene.place("o1", { notBefore: scene.now + 5_000 });
    scene.tick();
    expect(types(driver.readValues(topics.matchingInput)).filter((type) => type === "Ticked")).toEqual([]);
    driver.advance(4_000);
    expect(types(driver.readValues(topics.matchingInput)).filter((type) => type === "Ticked")).toEqual(["Ticked"]);
  });

  test("goes on after a restart as if there had been none", () => {
    const straight = published(false);
    expect(straight.length).toBeGreaterThan(5);
    expect(published(true)).toEqual(straight);
  });

  test("replays its recorded input byte for byte (D6)", () => {
    const scene = new DispatchScene({ policy: { policy: "batch-matching" } });
    for (let i = 0; i < 6; i++) scene.startShift(`d${i}`, { position: { latitude: 52.52 + i / 400, longitude: 13.4 } });
    for (let i = 0; i < 12; i++) {
      scene.place(`o${i}`, { restaurantId: `r${i % 4}`, pickup: { latitude: 52.52 + (i % 4) / 200, longitude: 13.41 } });
      if (i % 3 === 2) scene.tick();
    }
    for (let i = 0; i < 5; i++) scene.tick();
    const input = scene.driver.read(scene.topics.matchingInput);
    const decided = scene.driver.read(scene.topics.driverCommands).filter((record) => record.value.type === "JobsProposed");
    expect(decided.length).toBeGreaterThan(5);
    const replay = new DispatchScene({ policy: { policy: "batch-matching" } });
    const { matchingInput, driverCommands } = replay.topics;
    for (const { key, value, timestamp } of input) replay.driver.enqueue(matchingInput, key, value, { timestamp });
    replay.driver.run();
    const again = replay.driver.read(driverCommands).filter((record) => record.value.type === "JobsProposed");
    expect(again.map(({ key, value, timestamp }) => ({ key, value, timestamp }))).toEqual(
      decided.map(({ key, value, timestamp }) => ({ key, value, timestamp })),
    );
  });
});

test("a record that the protocol excludes stops the task", () => {
  const scene = new DispatchScene();
  scene.place("o1");
  const update = {
    type: "JobDropped",
    jobId: "o1",
    attempt: 1,
    driverId: "d1",
    driverVersion: 1,
    at: scene.now,
    reason: "silent",
  } as const;
  expect(() => scene.driver.pipe(scene.topics.jobUpdates, "o1", update)).toThrow(/JobDropped cannot arrive while job o1 is open/);
});

test("a worker thread builds the same topology from plain JSON", async () => {
  const registry = memoryRegistry();
  const topology = buildDispatch({ registry, partitions: 4 });
  const { url, name, argument } = dispatchModule({ schemas: registry.all(), partitions: 4 });
  const factories = (await import(url)) as Record<string, TopologyFactory>;
  const attached = { argument: structuredClone(argument) } as Parameters<TopologyFactory>[0];
  expect((await factories[name]?.(attached))?.manifest()).toEqual(topology.manifest());
});
