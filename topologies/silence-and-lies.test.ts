/**
 * What drivers and their devices do wrong, row by row, through the whole topology: each has its answer and a recorded reason,
 * and nothing that is refused leaves a trace in jobs, assignments or bills.
 */
import { beforeEach, describe, expect, test } from "vitest";
import type { InputRefused } from "#schemas";
import { DispatchScene, home, kitchen } from "./testing/dispatch-scene.ts";

const MINUTE_MS = 60_000;
const across = { latitude: 52.56, longitude: 13.45 };

let scene: DispatchScene;
beforeEach(() => {
  scene = new DispatchScene();
});

/** Silence is proved once nothing at all was read for a whole TTL after the TTL. */
function fallSilent(): void {
  for (let look = 0; look < 5; look++) scene.driver.advance(20_000);
}

/** New refusals as `<event> <reason>`. */
function refused(): readonly string[] {
  return records().map(({ eventType, reason }) => `${eventType} ${reason}`);
}

function records(): readonly InputRefused[] {
  return scene.driver.readValues(scene.topics.refusals);
}

/** New published assignments, trips and bills. */
function published(): readonly string[] {
  const { driver, topics } = scene;
  const assignments = driver.readValues(topics.assignments).map(({ type, jobId }) => `${type} ${jobId}`);
  const trips = driver.readValues(topics.trips).map(({ state, jobId }) => `${state} ${jobId}`);
  const bills = driver.readValues(topics.bills).map(({ jobId }) => `billed ${jobId}`);
  return [...assignments, ...trips, ...bills];
}

/** A driver on duty to whom the order is assigned. */
function assigned(driverId = "d1", orderId = "o1"): void {
  scene.startShift(driverId);
  scene.place(orderId);
  scene.tick();
  published();
  refused();
}

describe("locations", () => {
  beforeEach(() => {
    scene.startShift("d1");
    scene.driver.advance(5_000);
  });

  const lies: readonly (readonly [string, () => void, () => void, string])[] = [
    [
      "said again",
      () => scene.locate("d1", kitchen, { eventId: "same" }),
      () => scene.locate("d1", kitchen, { eventId: "same" }),
      "DUPLICATE",
    ],
    [
      "too soon after the last one",
      () => scene.locate("d1", kitchen),
      () => scene.locate("d1", kitchen, { recordedAt: scene.now + 2_999 }),
      "THROTTLED",
    ],
    [
      "older than the last one",
      () => scene.locate("d1", kitchen),
      () => scene.locate("d1", kitchen, { recordedAt: scene.now - 1 }),
      "OUT_OF_ORDER",
    ],
    [
      "older than a location may be",
      () => scene.driver.advance(26_000),
      () => scene.locate("d1", kitchen, { recordedAt: scene.now - 30_001 }),
      "STALE",
    ],
    ["faster than anything drives", () => undefined, () => scene.locate("d1", across), "IMPOSSIBLE"],
    ["from a clock that runs ahead", () => undefined, () => scene.locate("d1", kitchen, { recordedAt: scene.now + 60_001 }), "IMPOSSIBLE"],
    ["of a driver off duty", () => scene.endShift("d1"), () => scene.locate("d1", kitchen), "OFF_DUTY"],
    ["of a driver nobody knows", () => undefined, () => scene.locate("stranger", kitchen), "OFF_DUTY"],
  ];

  test.each(lies)("%s are refused as what they are", (_, before, lie, reason) => {
    before();
    expect(refused()).toEqual([]);
    lie();
    expect(refused()).toEqual([`DriverLocation ${reason}`]);
  });

  test("name in their refusal the event, its place and its content", () => {
    scene.locate("d1", across, { eventId: "e-far" });
    const [record] = records();
    expect(record).toMatchObject({
      entity: "driver",
      entityId: "d1",
      eventId: "e-far",
      topic: scene.topics.driverLocations.name,
      offset: 0,
    });
    expect(JSON.parse(record?.event ?? "")).toMatchObject({ position: across });
  });

  test("beyond latitude 90 never reach a driver: they are dead letters", () => {
    expect(() => scene.locate("d1", { latitude: 91, longitude: 0 })).toThrow();
  });
});

describe("silence", () => {
  test("longer than the TTL takes jobs away that are not on board, and the late device's actions are refused", () => {
    assigned();
    fallSilent();
    expect(published()).toEqual(expect.arrayContaining(["AssignmentRevoked o1", "open o1"]));
    scene.act("d1", "ArrivedAtPickup", "o1");
    scene.act("d1", "PickedUp", "o1");
    expect(refused()).toEqual(["ArrivedAtPickup NOT_YOURS", "PickedUp NOT_YOURS"]);
    expect(published().filter((line) => line.startsWith("AssignmentRevoked") || line.startsWith("pickedUp"))).toEqual([]);
  });

  test("with goods on board changes nothing for them: they are delivered and billed", () => {
    assigned();
    scene.act("d1", "ArrivedAtPickup", "o1");
    scene.act("d1", "PickedUp", "o1");
    published();
    scene.driver.advance(5 * MINUTE_MS);
    expect(published()).toEqual([]);
    scene.act("d1", "DroppedOff", "o1");
    scene.tick();
    expect(published()).toEqual(["completed o1", "billed o1"]);
    expect(refused()).toEqual([]);
  });

  test("ends with the next location, wherever it is, and the driver is asked again", () => {
    scene.startShift("d1");
    fallSilent();
    scene.place("o1");
    scene.driver.advance(5_000);
    expect(published()).toEqual(["open o1"]);
    scene.locate("d1", { latitude: 52.55, longitude: 13.43 });
    scene.driver.advance(5_000);
    expect(refused()).toEqual([]);
    expect(published()).toEqual(["DriverAssigned o1", "assigned o1"]);
  });

  test("through an offer's time means no: the offer ends, the job goes to another, and the late yes is refused", () => {
    scene = new DispatchScene({ policy: { offerSeconds: 15 } });
    scene.startShift("d1");
    scene.place("o1");
    scene.tick();
    expect(published()).toEqual(["DriverOffered o1", "open o1", "offered o1"]);
    scene.startShift("d2", { position: home });
    scene.driver.advance(15_000);
    for (let tick = 0; tick < 3; tick++) scene.tick();
    expect(published()).toEqual(expect.arrayContaining(["AssignmentRevoked o1", "DriverOffered o1"]));
    scene.act("d1", "JobAccepted", "o1");
    expect(refused()).toEqual(["JobAccepted NOT_YOURS"]);
    scene.act("d2", "JobAccepted", "o1", 2);
    expect(published()).toEqual(["DriverAssigned o1", "assigned o1"]);
  });
});

describe("a shift ended with jobs in hand", () => {
  test("gives back what is not on board, and keeps what is until it is delivered", () => {
    assigned();
    scene.act("d1", "ArrivedAtPickup", "o1");
    scene.act("d1", "PickedUp", "o1");
    published();
    scene.endShift("d1");
    scene.driver.advance(5_000);
    scene.locate("d1", kitchen);
    scene.act("d1", "DroppedOff", "o1");
    scene.tick();
    expect(published()).toEqual(["completed o1", "billed o1"]);
    expect(refused()).toEqual([]);
  });

  test("before the pickup: the job is open again at once", () => {
    assigned();
    scene.endShift("d1");
    expect(published()).toEqual(["AssignmentRevoked o1", "open o1"]);
    scene.act("d1", "PickedUp", "o1");
    expect(refused()).toEqual(["PickedUp NOT_YOURS"]);
  });

  test("a second time, or one never begun, is refused; so is a second beginning", () => {
    scene.startShift("d1");
    scene.startShift("d1");
    expect(refused()).toEqual(["ShiftStarted ALREADY_ON_DUTY"]);
    scene.endShift("d1");
    scene.endShift("d1");
    scene.endShift("d2");
    expect(refused()).toEqual(["ShiftEnded OFF_DUTY", "ShiftEnded OFF_DUTY"]);
  });
});

describe("actions for jobs that are not the driver's", () => {
  const actions = ["JobAccepted", "JobDeclined", "ArrivedAtPickup", "PickedUp", "DroppedOff"] as const;

  test.each(actions)("%s of a job nobody knows, of another's, of an earlier attempt, of one that is cancelled", (type) => {
    assigned();
    scene.startShift("d2");
    scene.act("d2", type, "unknown");
    scene.act("d2", type, "o1");
    scene.act("d1", type, "o1", 7);
    scene.cancel("o1");
    published();
    scene.act("d1", type, "o1");
    expect(refused()).toEqual([`${type} NOT_YOURS`, `${type} NOT_YOURS`, `${type} STALE`, `${type} NOT_YOURS`]);
    expect(published()).toEqual([]);
  });

  test.each([
    ["accepted what was assigned without an offer", ["JobAccepted"], "JobAccepted WRONG_STATE"],
    ["delivered before the pickup", ["DroppedOff"], "DroppedOff WRONG_STATE"],
    ["arrived twice", ["ArrivedAtPickup", "ArrivedAtPickup"], "ArrivedAtPickup WRONG_STATE"],
    ["declined what is on board", ["ArrivedAtPickup", "PickedUp", "JobDeclined"], "JobDeclined WRONG_STATE"],
    ["delivered twice: billed once", ["ArrivedAtPickup", "PickedUp", "DroppedOff", "DroppedOff"], "DroppedOff NOT_YOURS"],
  ] as const)("%s", (_, steps, refusal) => {
    assigned();
    for (const step of steps) scene.act("d1", step, "o1");
    scene.tick();
    expect(refused()).toEqual([refusal]);
    const bills = published().filter((line) => line.startsWith("billed"));
    expect(bills).toHaveLength(steps.filter((step) => step === "DroppedOff").length > 1 ? 1 : 0);
  });

  test("an event said again is refused, and has its effect once", () => {
    assigned();
    const event = { type: "ArrivedAtPickup", eventId: "once", driverId: "d1", occurredAt: scene.now, jobId: "o1", attempt: 1 } as const;
    scene.event(event);
    scene.event(event);
    expect(refused()).toEqual(["ArrivedAtPickup DUPLICATE"]);
    expect(published()).toEqual(["atPickup o1"]);
  });

  test("a pickup or delivery while the cancellation is under way is recorded as refused and not billed", () => {
    assigned();
    scene.act("d1", "ArrivedAtPickup", "o1");
    published();
    scene.cancel("o1");
    scene.act("d1", "PickedUp", "o1");
    scene.act("d1", "DroppedOff", "o1");
    scene.tick();
    expect(refused()).toEqual(["PickedUp NOT_YOURS", "DroppedOff NOT_YOURS"]);
    expect(published()).toEqual(["AssignmentRevoked o1", "cancelled o1"]);
  });
});

describe("customers' mistakes", () => {
  test("are refused: unknown, placed again, older, another pickup, after the pickup, after the end", () => {
    scene.cancel("never");
    expect(refused()).toEqual([]);
    scene.place("never", { version: 1 });
    expect(refused()).toEqual(["OrderPlaced ENDED"]);
    assigned();
    scene.place("o1", { version: 1 });
    scene.place("o1", { version: 3, pickup: across });
    scene.place("o1", { version: 2 });
    scene.place("o1", { version: 1 });
    expect(refused()).toEqual(["OrderPlaced DUPLICATE", "OrderPlaced PICKUP_DIFFERS", "OrderPlaced VERSION_OLD"]);
    scene.act("d1", "ArrivedAtPickup", "o1");
    scene.act("d1", "PickedUp", "o1");
    scene.cancel("o1");
    scene.act("d1", "DroppedOff", "o1");
    scene.cancel("o1");
    expect(refused()).toEqual(["OrderCancelled PICKED_UP", "OrderCancelled ENDED"]);
  });
});
