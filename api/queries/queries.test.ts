import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { distanceMetres } from "#geo";
import { home, kitchen, ServedSystem, START } from "../testing/served-system.ts";
import type { Absence, JobView, NearbyView } from "./queries.ts";

const METRES_PER_DEGREE = 111_195;
const near = (north: number, east: number) => ({
  latitude: kitchen.latitude + north / METRES_PER_DEGREE,
  longitude: kitchen.longitude + east / (METRES_PER_DEGREE * Math.cos((kitchen.latitude * Math.PI) / 180)),
});

describe("a job's whole story", () => {
  let system: ServedSystem;
  beforeAll(async () => {
    system = await ServedSystem.open();
    await system.startShift("d1", near(500, 0));
    await system.advance(1_000);
    await system.place("o1");
    await system.advance(5_000);
  });
  afterAll(() => system[Symbol.asyncDispose]());

  test("says who has it, why he was asked, and when he is expected", async () => {
    const { body, headers } = await system.get("/v1/jobs/o1");
    const job = body as unknown as JobView;
    expect(job).toMatchObject({ state: "assigned", driverId: "d1", attempt: 1, policy: "nearest" });
    expect(job.story.trips.map(({ event }) => event.state)).toEqual(["open", "assigned"]);
    expect(job.story.assignments.map(({ event }) => event.type)).toEqual(["DriverAssigned"]);
    const [why] = job.story.proposals;
    expect(why?.event).toMatchObject({ proposalId: job.proposalId, driverId: "d1", jobs: ["o1"], cell: job.cell, policy: "nearest" });
    expect(why?.event.plan.map(({ kind }) => kind)).toEqual(["pickup", "dropOff"]);
    expect(job.story).toMatchObject({ complete: true, bill: null, refusals: [] });
    expect(headers.get("slackline-position")).toMatch(/^dispatch\.orders\.v1\/\d@\d+, /);
    expect(headers.get("slackline-stale-ms")).toBe("0");
    const { body: driver } = await system.get("/v1/drivers/d1");
    expect(driver).toMatchObject({ duty: "on", position: near(500, 0), jobs: [{ jobId: "o1", status: "held", attempt: 1 }] });
    const [held] = driver["jobs"] as readonly { readonly pickupEta: number; readonly dropOffEta: number }[];
    expect(held?.pickupEta).toBeGreaterThan(system.now);
    expect(held?.dropOffEta).toBeGreaterThan(held?.pickupEta ?? Infinity);
    expect((await system.get("/v1/jobs/o1/assignment")).body).toMatchObject({ jobId: "o1", driverId: "d1", jobVersion: 2 });
  });

  test("goes on to its bill, with what was refused on the way and without what senders wrote", async () => {
    for (const action of ["ArrivedAtPickup", "PickedUp", "DroppedOff"]) {
      await system.act("d1", action, "o1");
      await system.advance(60_000);
    }
    await system.post("/v1/orders", { type: "OrderCancelled", orderId: "o1", version: 2, reason: "the secret reason" });
    await system.advance(1_000);
    const { body } = await system.get("/v1/jobs/o1");
    const { story, state } = body as unknown as JobView;
    expect(state).toBe("completed");
    expect(story.trips.map(({ event }) => event.state)).toEqual(["open", "assigned", "atPickup", "pickedUp", "completed"]);
    expect(story.bill?.event).toMatchObject({ jobId: "o1", driverId: "d1", currency: "EUR" });
    expect(story.refusals.map(({ event }) => event.reason)).toEqual(["ENDED"]);
    expect(JSON.stringify(body)).not.toContain("the secret reason");
  });

  test("is of the one job alone, and unknown ids are not found", async () => {
    await system.place("o2");
    await system.advance(5_000);
    const { story } = (await system.get("/v1/jobs/o2")).body as unknown as JobView;
    expect(new Set(story.trips.map(({ event }) => event.jobId))).toEqual(new Set(["o2"]));
    for (const path of ["/v1/jobs/o9", "/v1/jobs/o9/assignment", "/v1/drivers/d9"])
      expect((await system.get(path)).body).toMatchObject({ status: 404, code: "KEY_NOT_FOUND" });
  });

  test("is counted by hour and cell", async () => {
    const { hours } = (await system.get(`/v1/stats?from=${START - 3_600_000}`)).body as { hours: readonly Record<string, number>[] };
    const sum = (name: string): number => hours.reduce((total, hour) => total + (hour[name] ?? 0), 0);
    expect([sum("placed"), sum("assigned"), sum("pickedUp"), sum("completed"), sum("cancelled")]).toEqual([2, 2, 1, 1, 0]);
    const cell = String(hours[0]?.["cell"]);
    expect(((await system.get(`/v1/stats?from=0&cell=${cell}`)).body["hours"] as readonly object[]).length).toBeGreaterThan(0);
    expect((await system.get("/v1/stats?from=0&cell=871f1d48bffffff")).body["hours"]).toEqual([]);
    expect((await system.get("/v1/stats?cell=891f1d48b47ffff")).body).toMatchObject({ code: "BAD_REQUEST" });
  });
});

describe("drivers around a point", () => {
  test("are all there are within the radius, by distance, as a look at every one of them says", async () => {
    await using system = await ServedSystem.open({ partitions: 3 });
    const random = fc.sample(fc.tuple(fc.integer({ min: -7_000, max: 7_000 }), fc.integer({ min: -7_000, max: 7_000 })), {
      numRuns: 250,
      seed: 42,
    });
    const places = new Map(random.map(([north, east], index) => [`d${index}`, near(north, east)]));
    for (const [driverId, position] of places) void system.startShift(driverId, position);
    await system.startShift("gone", near(10, 10));
    await system.advance(1_000);
    await system.post("/v1/driver-events", { type: "ShiftEnded", driverId: "gone" });
    await system.advance(4_000);
    // Some move on, within their fine cell and out of it.
    for (const [index, driverId] of [...places.keys()].entries()) {
      if (index % 3 > 0) continue;
      const { latitude, longitude } = places.get(driverId) ?? kitchen;
      const moved = { latitude: latitude + ((index % 5) - 2) / 1_000, longitude };
      places.set(driverId, moved);
      void system.locate(driverId, moved);
    }
    await system.locate("d1", places.get("d1"));
    await system.advance(4_000);
    for (const [at, radiusMetres, limit] of [
      [kitchen, 5_000, 100],
      [near(3_000, -2_000), 2_000, 100],
      [near(-6_000, 6_000), 5_000, 7],
      [near(100, 50), 300, 20],
      [kitchen, 5_000, 1],
      [near(40_000, 0), 5_000, 10],
    ] as const) {
      const expected = [...places]
        .map(([driverId, place]) => ({
          driverId,
          metres: Math.round(distanceMetres(at.latitude, at.longitude, place.latitude, place.longitude)),
        }))
        .filter(({ metres }) => metres <= radiusMetres)
        .sort((a, b) => a.metres - b.metres || (a.driverId < b.driverId ? -1 : 1))
        .slice(0, limit);
      const path = `/v1/nearby-drivers?latitude=${at.latitude}&longitude=${at.longitude}&radiusMetres=${radiusMetres}&limit=${limit}`;
      const { drivers, complete } = (await system.get(path)).body as unknown as NearbyView;
      expect(drivers.map(({ driverId, metres }) => ({ driverId, metres }))).toEqual(expected);
      expect(complete).toBe(true);
    }
  });

  test.each([
    "latitude=91&longitude=0",
    "latitude=1",
    "latitude=x&longitude=1",
    "latitude=1&longitude=1&radiusMetres=5001",
    "latitude=1&longitude=1&limit=101",
    "latitude=1&longitude=1&other=1",
  ])("are not looked for at %s", async (search) => {
    await using system = await ServedSystem.open();
    expect((await system.get(`/v1/nearby-drivers?${search}`)).body).toMatchObject({ status: 400, code: "BAD_REQUEST" });
  });
});

test("a cell's queue has those that wait, the least slack first", async () => {
  await using system = await ServedSystem.open();
  await system.place("late", { readyAt: START + 600_000 });
  await system.place("soon");
  await system.advance(2_000);
  const { body } = await system.get("/v1/jobs/soon/assignment");
  expect(body["state"]).toBe("open");
  const cell = String((await system.get("/v1/jobs/soon")).body["cell"]);
  const queue = await system.get(`/v1/cells/${cell}/queue`);
  expect(queue.body).toMatchObject({
    cell,
    waiting: 2,
    proposed: 0,
    jobs: [
      { jobId: "soon", slackMs: null },
      { jobId: "late", slackMs: null },
    ],
  });
  // Somebody who may not serve them, but is near: slack is counted from him.
  await system.post("/v1/orders", {
    type: "OrderPlaced",
    orderId: "special",
    restaurantId: "r",
    pickup: kitchen,
    dropOff: home,
    priceMinor: 1,
    currency: "EUR",
    requirements: ["crane"],
  });
  await system.startShift("d1", near(1_000, 0));
  await system.advance(10_000);
  const after = (await system.get(`/v1/cells/${cell}/queue?limit=1`)).body as { jobs: readonly { jobId: string; slackMs: number }[] };
  expect(after.jobs.map(({ jobId }) => jobId)).toEqual(["special"]);
  expect(after.jobs[0]?.slackMs).toBeLessThan(-60_000);
  expect((await system.get("/v1/cells/851f9bcfffffff0/queue")).body).toMatchObject({ code: "BAD_REQUEST" });
});

describe("what is not whole here is never answered as empty:", () => {
  const paths = [
    "/v1/drivers/d1",
    "/v1/jobs/o1",
    "/v1/jobs/o1/assignment",
    "/v1/nearby-drivers?latitude=1&longitude=1",
    "/v1/cells/851f9bcffffffff/queue",
  ];

  test.each(paths)("%s while it is restored or has moved", async (path) => {
    let absence: Absence | undefined = { reason: "RESTORING", detail: "matching_0 has 4 of 10 records", retryAfterMs: 700 };
    let epoch = 0;
    let moves = false;
    const ownership = { epoch: () => (moves ? epoch++ : epoch), absence: () => absence };
    await using system = await ServedSystem.open({ services: { ownership } });
    const restoring = await system.get(path);
    expect(restoring.body).toMatchObject({
      status: 503,
      code: "NOT_READY",
      reason: "RESTORING",
      retryAfterMs: 700,
      detail: "matching_0 has 4 of 10 records",
    });
    expect(restoring.headers.get("retry-after")).toBe("1");
    absence = undefined;
    expect([200, 404]).toContain((await system.get(path)).status);
    moves = true;
    expect((await system.get(path)).body).toMatchObject({ status: 503, reason: "MOVED" });
  });
});
