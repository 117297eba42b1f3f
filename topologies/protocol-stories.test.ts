import { describe, expect, test } from "vitest";
import { ProtocolWorld } from "./testing/protocol-world.ts";
import type { WorldBounds } from "./testing/protocol-tables.ts";

const worldOf = (changes: Partial<WorldBounds> = {}): ProtocolWorld => {
  const bounds = { drivers: 2, jobs: 4, cells: 2, capacity: 2, offers: false, rezone: false, veto: false, slow: "", ...changes };
  const world = new ProtocolWorld(bounds);
  world.flush();
  return world;
};
/** Placed and known to its cell. */
const waiting = (world: ProtocolWorld, ...jobIds: string[]): void => {
  for (const jobId of jobIds) world.place(jobId);
  world.flush();
};
const cancel = (world: ProtocolWorld, jobId: string): void =>
  world.toJob(jobId, { type: "Cancelled", eventId: `cancel ${jobId}`, version: 1, occurredAt: 1_000, reason: "" });
const change = (world: ProtocolWorld, jobId: string, version: number): void =>
  world.toJob(jobId, { type: "ReadyTimeChanged", eventId: `change ${jobId} ${version}`, version, readyAt: version });
const shiftEnds = (world: ProtocolWorld, driverId: string): void =>
  world.toDriver(driverId, { type: "ShiftEnded", eventId: `end ${driverId}`, driverId, occurredAt: 0 });
const holds = (world: ProtocolWorld, driverId: string): string[] =>
  world.driver(driverId).plan.holds.map((hold) => `${hold.jobId} ${hold.status}`);
const published = (world: ProtocolWorld, type: string): number => world.published.filter((record) => record.type === type).length;
const lastRefusal = (world: ProtocolWorld): unknown => world.published.findLast((record) => record.type === "refused");
/** `j0` proposed by `c0` to `d0`, and everything about it has arrived. */
const assigned = (world: ProtocolWorld, jobIds: readonly string[] = ["j0"]): void => {
  waiting(world, ...jobIds);
  world.tick("c0", { driverId: "d0", jobIds });
  world.flush();
};
const act = (world: ProtocolWorld, type: "JobAccepted" | "JobDeclined" | "PickedUp" | "DroppedOff", jobId = "j0", attempt = 1): void =>
  world.device("d0", { type, jobId, attempt });

describe("edge cases decided", () => {
  test("driver moved while asked: the reservation stands, and the cells left are told", () => {
    const world = worldOf();
    waiting(world, "j0");
    world.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    world.move("d0", ["c1"]);
    world.flush();
    expect(holds(world, "d0")).toEqual(["j0 held"]);
    expect(world.job("j0").state).toBe("assigned");
    expect(world.cell("c0").drivers.has("d0")).toBe(false);
  });
  test("driver moved and refused: the refusal goes to the asking cell all the same", () => {
    const world = worldOf();
    waiting(world, "j0", "j2");
    world.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    world.tick("c1", { driverId: "d0", jobIds: ["j2"] });
    world.deliver("c1>d0");
    world.move("d0", ["c1"]);
    world.flush();
    expect(holds(world, "d0")).toEqual(["j2 held"]);
    expect(world.cell("c0").jobs.get("j0")).toMatchObject({ status: "queued", skips: [] });
  });
  test("driver asked by two cells in one tick: first come, the other job is due at its cell's next tick", () => {
    const world = worldOf();
    waiting(world, "j0", "j2");
    world.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    world.tick("c1", { driverId: "d0", jobIds: ["j2"] });
    world.flush();
    expect(holds(world, "d0")).toEqual(["j0 held"]);
    expect(world.cell("c1").jobs.get("j2")?.status).toBe("queued");
    world.tick("c1", { driverId: "d1", jobIds: ["j2"] });
    world.flush();
    expect(holds(world, "d1")).toEqual(["j2 held"]);
  });
  test("decline, accept and offer time are decided in the driver's partition: the first wins, the rest is refused", () => {
    for (const first of ["JobAccepted", "JobDeclined", "OfferTimeOver"] as const) {
      const world = worldOf({ offers: true });
      assigned(world);
      const over = () => world.toDriver("d0", { type: "OfferTimeOver" }, Number.MAX_SAFE_INTEGER);
      if (first === "OfferTimeOver") over();
      else act(world, first);
      if (first !== "JobAccepted") act(world, "JobAccepted");
      over();
      world.flush();
      expect(world.job("j0")).toMatchObject(first === "JobAccepted" ? { state: "assigned", attempt: 1 } : { state: "open", attempt: 2 });
      if (first !== "JobAccepted") expect(lastRefusal(world)).toMatchObject({ reason: "NOT_YOURS" });
    }
  });
  test("cancel against reservation: the order in which the job reads them decides", () => {
    const cancelledFirst = worldOf();
    waiting(cancelledFirst, "j0");
    cancelledFirst.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    cancelledFirst.deliver("c0>d0");
    cancel(cancelledFirst, "j0");
    cancelledFirst.flush();
    expect(published(cancelledFirst, "DriverAssigned")).toBe(0);
    const reservedFirst = worldOf();
    assigned(reservedFirst);
    cancel(reservedFirst, "j0");
    reservedFirst.flush();
    expect(published(reservedFirst, "AssignmentRevoked")).toBe(1);
    for (const world of [cancelledFirst, reservedFirst]) {
      expect(world.job("j0").state).toBe("cancelled");
      expect(holds(world, "d0")).toEqual([]);
    }
  });
  test("release against pickup, cancel against drop-off: after pickup a cancel is refused, before it the pickup is", () => {
    const pickedUpFirst = worldOf();
    assigned(pickedUpFirst);
    act(pickedUpFirst, "PickedUp");
    pickedUpFirst.flush();
    cancel(pickedUpFirst, "j0");
    expect(lastRefusal(pickedUpFirst)).toMatchObject({ reason: "PICKED_UP" });
    act(pickedUpFirst, "DroppedOff");
    pickedUpFirst.flush();
    expect(pickedUpFirst.job("j0").state).toBe("completed");
    const cancelledFirst = worldOf();
    assigned(cancelledFirst);
    cancel(cancelledFirst, "j0");
    act(cancelledFirst, "PickedUp");
    cancelledFirst.flush();
    expect(cancelledFirst.job("j0").state).toBe("cancelled");
    expect(lastRefusal(cancelledFirst)).toMatchObject({ reason: "ENDED" });
    expect(holds(cancelledFirst, "d0")).toEqual([]);
  });
  test("shift ended with a reservation in flight: JobReserved, then JobDropped, in order", () => {
    const world = worldOf();
    waiting(world, "j0");
    world.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    world.deliver("c0>d0");
    shiftEnds(world, "d0");
    world.flush();
    expect(world.published.map((record) => record.type)).toEqual([
      "TripChanged",
      "DriverAssigned",
      "TripChanged",
      "AssignmentRevoked",
      "TripChanged",
    ]);
    expect(world.job("j0")).toMatchObject({ state: "open", attempt: 2, excludedDrivers: [] });
  });
  test("goods on board stay with a silent driver, who goes on with them; what was dropped is gone", () => {
    const world = worldOf();
    assigned(world, ["j0", "j1"]);
    act(world, "PickedUp");
    world.toDriver("d0", { type: "LocationTtlOver" });
    world.flush();
    expect(holds(world, "d0")).toEqual(["j0 pickedUp"]);
    expect(world.job("j1")).toMatchObject({ state: "open", attempt: 2 });
    world.move("d0", ["c0", "c1"]);
    act(world, "PickedUp", "j1");
    expect(lastRefusal(world)).toMatchObject({ reason: "NOT_YOURS" });
    act(world, "DroppedOff");
    world.flush();
    expect(world.job("j0").state).toBe("completed");
  });
  test("bundles: one cancelled is released alone, the other and its running offer stay", () => {
    const world = worldOf({ offers: true });
    assigned(world, ["j0", "j1"]);
    const before = world.driver("d0").plan.holds[1]?.offerUntil;
    cancel(world, "j0");
    world.flush();
    expect(holds(world, "d0")).toEqual(["j1 offered"]);
    expect(world.driver("d0").plan.holds[0]?.offerUntil).toBe(before);
  });
  test("bundles: one proposal is refused whole", () => {
    const world = worldOf();
    waiting(world, "j0", "j1");
    world.tick("c0", { driverId: "d0", jobIds: ["j0", "j1"] });
    shiftEnds(world, "d0");
    world.flush();
    expect([...world.cell("c0").jobs.values()].map((job) => job.status)).toEqual(["queued", "queued"]);
  });
  test("ready time changed while proposed: the reservation stands, and the plan is amended", () => {
    const world = worldOf();
    waiting(world, "j0");
    world.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    change(world, "j0", 2);
    world.flush();
    expect(world.job("j0")).toMatchObject({ state: "assigned", orderVersion: 2 });
    expect(world.driver("d0").plan.holds[0]).toMatchObject({ orderVersion: 2, content: { readyAt: 2 } });
  });
  test("driver excluded: for the life of the job after a decline, not after silence", () => {
    const world = worldOf({ offers: true });
    assigned(world);
    act(world, "JobDeclined");
    world.flush();
    world.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    expect(world.cell("c0").jobs.get("j0")?.status).toBe("queued");
    world.tick("c0", { driverId: "d1", jobIds: ["j0"] });
    world.flush();
    world.toDriver("d1", { type: "LocationTtlOver" });
    world.flush();
    expect(world.job("j0")).toMatchObject({ attempt: 3, excludedDrivers: ["d0"] });
  });
  test("resolution of a zone changed: jobs stay where they are, new openings and re-openings go to the new cells", () => {
    const world = worldOf({ rezone: true });
    assigned(world);
    waiting(world, "j1");
    world.rezone();
    waiting(world, "j2");
    expect([...world.cell("c0").jobs.keys()]).toEqual(["j1"]);
    expect([...world.cell("c1").jobs.keys()]).toEqual(["j2"]);
    world.toDriver("d0", { type: "LocationTtlOver" });
    world.flush();
    expect([...world.cell("c1").jobs.keys()]).toEqual(["j2", "j0"]);
    world.move("d1", ["c0", "c1"]);
    world.flush();
    world.tick("c0", { driverId: "d1", jobIds: ["j1"] });
    world.flush();
    expect(holds(world, "d1")).toEqual(["j1 held"]);
  });
  test("attempt is needed: a late JobAmended of attempt 1 does not overwrite the newer content of attempt 2", () => {
    const world = worldOf();
    assigned(world);
    change(world, "j0", 2);
    world.toDriver("d0", { type: "LocationTtlOver" });
    world.flush("j0>d0");
    change(world, "j0", 3);
    world.move("d0", ["c0", "c1"]);
    world.flush("j0>d0");
    world.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    world.flush("j0>d0");
    world.flush();
    expect(world.driver("d0").plan.holds).toMatchObject([{ attempt: 2, orderVersion: 3, content: { readyAt: 3 } }]);
  });
});

describe("transient states that cannot be avoided", () => {
  test("T1: while JobReserved is in flight a plan holds a job that is open or ended, and nothing is published", () => {
    const world = worldOf();
    waiting(world, "j0", "j1");
    world.tick("c0", { driverId: "d0", jobIds: ["j0", "j1"] });
    cancel(world, "j1");
    world.flush("d0>j");
    expect(holds(world, "d0")).toEqual(["j0 held", "j1 held"]);
    expect([world.job("j0").state, world.job("j1").state]).toEqual(["open", "cancelled"]);
    expect(published(world, "DriverAssigned")).toBe(0);
    world.flush();
    expect(holds(world, "d0")).toEqual(["j0 held"]);
  });
  test("T2: while JobReleased is in flight a plan holds a cancelled job; the revocation is published, delivery is in vain", () => {
    const world = worldOf();
    assigned(world);
    cancel(world, "j0");
    world.flush("j0>d0");
    expect(holds(world, "d0")).toEqual(["j0 held"]);
    expect(published(world, "AssignmentRevoked")).toBe(1);
    act(world, "PickedUp");
    act(world, "DroppedOff");
    world.flush("j0>d0");
    expect(lastRefusal(world)).toMatchObject({ reason: "ENDED" });
    world.flush();
    expect(world.job("j0").state).toBe("cancelled");
    expect(holds(world, "d0")).toEqual([]);
  });
  test("T3: while JobDropped is in flight a job names a driver whose plan lacks it, and nobody else can have it", () => {
    const world = worldOf();
    assigned(world);
    shiftEnds(world, "d0");
    world.flush("d0>j0");
    expect(world.job("j0")).toMatchObject({ state: "assigned", driver: { driverId: "d0" } });
    expect(holds(world, "d0")).toEqual([]);
    expect(world.cell("c0").jobs.size).toBe(0);
    world.flush();
    expect(world.job("j0").state).toBe("open");
  });
  test("T4: the next job is assigned before the end of the last is published; by driverVersion the intervals are disjoint", () => {
    const world = worldOf({ capacity: 1 });
    assigned(world);
    act(world, "PickedUp");
    world.flush();
    waiting(world, "j2");
    act(world, "DroppedOff");
    world.flush("d0>j0");
    world.tick("c1", { driverId: "d0", jobIds: ["j2"] });
    world.flush("d0>j0");
    expect([world.job("j0").state, world.job("j2").state]).toEqual(["pickedUp", "assigned"]);
    world.flush();
    const ended = world.published.findLast((record) => record.type === "TripChanged" && record.state === "completed");
    const next = world.published.findLast((record) => record.type === "DriverAssigned");
    expect(ended).toMatchObject({ jobId: "j0", driverVersion: 4 });
    expect(next).toMatchObject({ jobId: "j2", driverVersion: 5 });
  });
  test("T5: a cell proposes a job that has ended, or a driver that has left: the job releases, or the driver refuses", () => {
    const world = worldOf();
    waiting(world, "j0", "j2");
    cancel(world, "j0");
    world.tick("c0", { driverId: "d0", jobIds: ["j0"] });
    shiftEnds(world, "d1");
    world.tick("c1", { driverId: "d1", jobIds: ["j2"] });
    world.flush();
    expect(world.job("j0").state).toBe("cancelled");
    expect([holds(world, "d0"), holds(world, "d1")]).toEqual([[], []]);
    expect(world.cell("c1").jobs.get("j2")?.status).toBe("queued");
    expect(published(world, "DriverAssigned")).toBe(0);
  });
});
