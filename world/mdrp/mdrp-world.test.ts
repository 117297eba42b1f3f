import { planePoint } from "#geo";
import { evaluateMdrp, readInstanceTexts } from "#proof";
import type { AssignmentEvent } from "#schemas";
import { describe, expect, test } from "vitest";
import { Random } from "../random.ts";
import { replay } from "../replay.ts";
import { GreedyDispatcher, VirtualDay } from "../testing/greedy-dispatcher.ts";
import type { WorldEvent } from "../world.ts";
import { generateInstance, instanceFiles } from "./generate-instance.ts";
import type { MdrpInstance } from "./instance.ts";
import { truncate } from "./instance.ts";
import { MINUTE_MS, createMdrpWorld, mdrpGround } from "./mdrp-world.ts";
import { readInstance } from "./read-instance.ts";
import { SolutionRecorder } from "./solution-recorder.ts";

const folder = new URL("../fixtures/tiny/", import.meta.url).pathname;
const tiny = readInstance(folder);
const tinyTexts = readInstanceTexts(folder);
const startsAt = Date.UTC(2026, 0, 1);
interface Played {
  readonly day: VirtualDay;
  readonly recorder: SolutionRecorder;
}

function dayOf(instance: MdrpInstance, meddle?: ConstructorParameters<typeof VirtualDay>[2], tickMs = MINUTE_MS): Played {
  const recorder = new SolutionRecorder({ instance });
  const world = createMdrpWorld({ instance, journal: recorder });
  return { day: new VirtualDay(world, { tickMs, startsAt }, meddle), recorder };
}

const at = (minute: number): number => startsAt + minute * MINUTE_MS;

/** Two restaurants, two doors, one courier; 100 metres a minute. */
const small: MdrpInstance = {
  ...tiny,
  name: "small",
  restaurants: [
    { id: "r1", x: 1000, y: 0 },
    { id: "r2", x: 3000, y: 0 },
  ],
  couriers: [{ id: "c1", x: 500, y: 0, onTime: 5, offTime: 120 }],
  orders: [
    { id: "o1", x: 2000, y: 0, placementTime: 10, restaurant: { id: "r1", x: 1000, y: 0 }, readyTime: 20 },
    { id: "o2", x: 1500, y: 0, placementTime: 12, restaurant: { id: "r1", x: 1000, y: 0 }, readyTime: 22 },
    { id: "o3", x: 0, y: 0, placementTime: 15, restaurant: { id: "r2", x: 3000, y: 0 }, readyTime: 40 },
  ],
  parameters: { ...tiny.parameters, metersPerMinute: 100 },
};

function restaurantsMoved(x: number): MdrpInstance {
  return { ...small, restaurants: small.restaurants.map((place) => ({ ...place, x: place.x + x })) };
}

function shiftUntil(offTime: number): MdrpInstance {
  return { ...small, couriers: [{ id: "c1", x: 500, y: 0, onTime: 5, offTime }] };
}

function assigned(jobId: string, minute: number, attempt = 1): AssignmentEvent {
  const base = { jobId, proposalId: "p", attempt, jobVersion: attempt * 2 - 1, policy: "p", at: at(minute) };
  return { ...base, type: "DriverAssigned", driverId: "c1", driverVersion: 1, slackMs: 0, pickupEta: 0 };
}
function revoked(jobId: string, minute: number, attempt = 1): AssignmentEvent {
  const base = { jobId, proposalId: "p", attempt, jobVersion: attempt * 2, policy: "p", at: at(minute) };
  return { ...base, type: "AssignmentRevoked", driverId: "c1", driverVersion: 2, reason: "cancelled" };
}

/** Hand-made assignments, each observed after everything of its minute. */
function play(instance: MdrpInstance, records: readonly AssignmentEvent[]): { steps: string[]; files: Readonly<Record<string, string>> } {
  const recorder = new SolutionRecorder({ instance });
  const world = createMdrpWorld({ instance, journal: recorder });
  const events: WorldEvent[] = [];
  for (const record of records) {
    events.push(...world.run(record.at));
    world.observe(record);
  }
  while (world.nextDueAt() < Infinity) events.push(...world.run(world.nextDueAt()));
  const steps = events.flatMap(({ topic, value }) => {
    if (topic !== "driverEvents") return [];
    const minute = Math.floor((value.occurredAt - startsAt) / MINUTE_MS);
    return [`${minute} ${value.type}${"jobId" in value ? ` ${value.jobId}` : ""}`];
  });
  return { steps, files: recorder.files() };
}

describe("a courier by the rules", () => {
  test("fixes the bundle at the counter, waits for its last order, and drops so that customers wait least", () => {
    const { steps, files } = play(small, [assigned("o1", 13), assigned("o2", 15)]);
    expect(steps).toEqual([
      "5 ShiftStarted",
      "18 ArrivedAtPickup o1",
      "18 ArrivedAtPickup o2",
      "22 PickedUp o2",
      "22 PickedUp o1",
      "31 DroppedOff o2",
      "40 DroppedOff o1",
      "120 ShiftEnded",
    ]);
    expect(files["solution_info_assignments.txt"]).toBe("assignment_time pickup_time courier orders\n15 22 c1 o2 o1\n");
    expect(files["solution_info_orders.txt"]).toBe(
      [
        "order placement_time ready_time pickup_time dropoff_time courier",
        "o1 10 20 22 40 c1",
        "o2 12 22 22 31 c1",
        "o3 15 40   ",
        "",
      ].join("\n"),
    );
    expect(files["solution_info_couriers.txt"]).toBe(
      ["courier departure_time origin destination", "c1 13 0 r1", "c1 24 r1 o2", "c1 33 o2 o1", ""].join("\n"),
    );
    expect(evaluateMdrp(instanceFiles(small), files)).toMatchObject({ feasible: true, warningCount: 0 });
  });

  test("takes a job that is assigned in the minute of his arrival, and keeps a later one for the next trip", () => {
    const { steps, files } = play(small, [assigned("o1", 13), { ...assigned("o2", 18), at: at(18) + 500 }, assigned("o3", 19)]);
    expect(steps.filter((step) => step.includes("PickedUp"))).toEqual(["22 PickedUp o2", "22 PickedUp o1", "54 PickedUp o3"]);
    expect(evaluateMdrp(instanceFiles(small), files).feasible).toBe(true);
    const late = play(small, [assigned("o1", 13), assigned("o2", 19)]);
    expect(late.steps.filter((step) => step.includes("PickedUp"))).toEqual(["20 PickedUp o1", "48 PickedUp o2"]);
  });

  test("leaves in the minute of the assignment, also for the counter where he stands", () => {
    const here = { ...small, couriers: [{ id: "c1", x: 1000, y: 0, onTime: 5, offTime: 120 }] };
    const { steps, files } = play(here, [
      { ...assigned("o1", 30), at: at(30) + 100 },
      { ...assigned("o2", 30), at: at(30) + 200 },
    ]);
    expect(steps).toContain("30 ArrivedAtPickup o2");
    expect(steps).toContain("32 PickedUp o1");
    expect(files["solution_info_couriers.txt"]).toContain("c1 30 0 r1\n");
    expect(evaluateMdrp(instanceFiles(here), files).feasible).toBe(true);
  });

  test("drops a revoked job from the bundle and does not wait for its food", () => {
    const { steps } = play(small, [assigned("o1", 13), assigned("o2", 15), revoked("o2", 19)]);
    expect(steps).toContain("20 PickedUp o1");
    expect(steps).not.toContain("22 PickedUp o2");
    const counter = play(small, [assigned("o1", 13), assigned("o2", 15), revoked("o2", 21)]);
    expect(counter.steps).toContain("21 PickedUp o1");
  });

  test("goes on to the counter when everything is revoked on his way, and from there to the next place", () => {
    const { files, steps } = play(small, [assigned("o1", 13), revoked("o1", 14), assigned("o3", 16)]);
    expect(files["solution_info_couriers.txt"]).toContain("c1 13 0 r1\nc1 18 r1 r2\n");
    expect(steps).toContain("38 ArrivedAtPickup o3");
    expect(evaluateMdrp(instanceFiles(small), files).feasible).toBe(true);
  });

  test("picks up at the very minute in which the shift ends, not later, and delivers what is on board", () => {
    const exact = play(shiftUntil(20), [assigned("o1", 13)]);
    expect(exact.steps).toEqual(["5 ShiftStarted", "18 ArrivedAtPickup o1", "20 PickedUp o1", "20 ShiftEnded", "34 DroppedOff o1"]);
    expect(evaluateMdrp(instanceFiles(shiftUntil(20)), exact.files).feasible).toBe(true);
    const short = play(shiftUntil(19), [assigned("o1", 13)]);
    expect(short.steps).toEqual(["5 ShiftStarted", "18 ArrivedAtPickup o1", "19 ShiftEnded"]);
    expect(evaluateMdrp(instanceFiles(shiftUntil(19)), short.files).feasible).toBe(true);
  });

  test("a job that comes back with another attempt is a job anew", () => {
    const { steps } = play(small, [assigned("o1", 13), revoked("o1", 14), assigned("o1", 16, 2)]);
    expect(steps).toContain("20 PickedUp o1");
  });

  test("answers an offer, and serves somebody else's order once he knows where it is", () => {
    const world = createMdrpWorld({ instance: small });
    world.run(at(20));
    const { driverVersion: _, ...rest } = assigned("x1", 20) as Extract<AssignmentEvent, { type: "DriverAssigned" }>;
    const offer = {
      jobId: "x1",
      proposalId: "p",
      attempt: 1,
      jobVersion: 1,
      policy: "p",
      at: at(20),
      driverId: "c1",
      driverVersion: 1,
      offerUntil: at(21),
    };
    world.observe({ ...offer, type: "DriverOffered" });
    expect(world.run(at(20)).map(({ value }) => value)).toMatchObject([{ type: "JobAccepted", jobId: "x1", attempt: 1 }]);
    world.observe({ ...rest, driverVersion: 1 });
    expect(world.nextDueAt()).toBe(at(120));
    const content = {
      kind: "order",
      pickup: planePoint(1000, 0),
      dropOff: planePoint(1200, 0),
      placeId: "elsewhere",
      readyAt: at(20),
      placedAt: at(19),
      notBefore: 0,
      requirements: [],
      priceMinor: 1,
      currency: "USD",
    } as const;
    const trip = {
      jobId: "x1",
      jobVersion: 1,
      attempt: 1,
      driverId: "c1",
      driverVersion: 1,
      reason: "",
      at: at(20),
      content,
      surgeMilli: 1_000,
    };
    world.observe({ ...trip, type: "TripChanged", state: "assigned" });
    const steps = world
      .run(at(60))
      .flatMap(({ topic, value }) => (topic === "driverEvents" ? [`${value.type} ${(value.occurredAt - startsAt) / MINUTE_MS}`] : []));
    expect(steps).toEqual(["ArrivedAtPickup 25", "PickedUp 27", "DroppedOff 33"]);
  });
});

describe("a whole day", () => {
  test("with a greedy dispatcher is feasible by the evaluator, and nearly everything is delivered", () => {
    const { day, recorder } = dayOf(tiny);
    day.finish();
    const verdict = evaluateMdrp(tinyTexts, recorder.files());
    expect(verdict.violations).toEqual([]);
    expect(verdict.metrics.delivered).toBeGreaterThanOrEqual(28);
    expect(verdict.metrics.ordersPerBundle).toBeGreaterThan(1);
    expect(verdict.metrics.excess).toBeGreaterThan(0);
  });

  test("stays feasible on other instances, with ticks within the minute and revocations", () => {
    for (let seed = 1; seed <= 12; seed++) {
      const instance = generateInstance({
        name: `s${seed}`,
        seed,
        orders: 60,
        couriers: 6,
        restaurants: 5,
        startMinute: 600,
        minutes: 200,
        sideMetres: 5_000,
      });
      let ticks = 0;
      const { day, recorder } = dayOf(
        instance,
        ({ dispatcher }, now) => {
          ticks += 1;
          if (ticks % 9 !== 0) return [];
          const taken = dispatcher.revoke(`o${1 + (ticks % 60)}`, now);
          return taken === undefined ? [] : [taken];
        },
        20_000,
      );
      day.finish();
      const verdict = evaluateMdrp(instanceFiles(instance), recorder.files());
      expect(verdict.violations, `seed ${seed}`).toEqual([]);
      expect(verdict.metrics.delivered, `seed ${seed}`).toBeGreaterThan(30);
    }
  });

  test("the same day twice gives the same records, and every event its own id", () => {
    const first = dayOf(tiny).day;
    const second = dayOf(tiny).day;
    first.finish();
    second.finish();
    expect(second.produced).toEqual(first.produced);
    const ids = first.produced.map((event) => event.value.eventId);
    expect(new Set(ids).size).toBe(ids.length);
    for (let i = 1; i < first.produced.length; i++) {
      expect(first.produced[i]?.timestamp).toBeGreaterThanOrEqual(first.produced[i - 1]?.timestamp ?? 0);
    }
  });

  test("a day cut at a minute is the same up to that minute", () => {
    const whole = dayOf(tiny).day;
    const cut = dayOf(truncate(tiny, 720)).day;
    whole.finish(at(720));
    cut.finish(at(720));
    const until = (events: readonly WorldEvent[]): unknown[] =>
      events.filter((event) => event.timestamp <= at(720)).map((event) => event.value);
    expect(until(cut.produced).map((value) => JSON.stringify(value).replaceAll("mdrp-tiny", ""))).toEqual(
      until(whole.produced).map((value) => JSON.stringify(value).replaceAll("mdrp-tiny", "")),
    );
    expect(cut.dispatcher.published).toEqual(whole.dispatcher.published);
  });

  test("a world dropped at any step and rebuilt from the topics goes on as if nothing had happened", () => {
    const straight = dayOf(tiny);
    straight.day.finish();
    const files = straight.recorder.files();
    for (let kill = 1; kill < straight.day.produced.length; kill += 5) {
      const { day } = dayOf(tiny);
      while (day.produced.length < kill && day.step());
      // The last events were said, but did not reach the log before the process died.
      day.step(kill % 4);
      const recorder = new SolutionRecorder({ instance: tiny });
      day.world = createMdrpWorld({ instance: tiny, journal: recorder });
      const known = new Set(day.produced.map((event) => event.value.eventId));
      day.accept(replay(day.world, { known, observed: day.dispatcher.published, lastLocations: new Map() }, { until: day.at }));
      day.finish();
      expect(day.produced, `killed after ${kill}`).toEqual(straight.day.produced);
      expect(recorder.files(), `killed after ${kill}`).toEqual(files);
    }
  });
});

test("stepped late, told late and killed at random it never doubles an event, and drops every job that it picked up", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const instance = generateInstance({
      name: "late",
      seed,
      orders: 40,
      couriers: 5,
      restaurants: 3,
      startMinute: 600,
      minutes: 120,
      sideMetres: 4_000,
    });
    const dispatcher = new GreedyDispatcher();
    const produced: WorldEvent[] = [];
    const accept = (events: readonly WorldEvent[]): void => {
      for (const event of events) {
        produced.push(event);
        dispatcher.hear(event);
      }
    };
    let world = createMdrpWorld({ instance });
    let told = 0;
    let ticks = 0;
    for (let now = at(585); now < at(1000); now += 7_000) {
      const random = new Random(seed, "delays", now);
      if (random.chance(0.4)) accept(world.run(now));
      if (now >= at(585 + ticks)) {
        dispatcher.tick(now);
        const revoked = random.chance(0.1) ? dispatcher.revoke(`o${1 + random.below(40)}`, now) : undefined;
        expect(revoked?.type ?? "AssignmentRevoked").toBe("AssignmentRevoked");
        ticks += 1;
      }
      // Up to five minutes behind.
      while (told < dispatcher.published.length && random.chance(0.1)) {
        const record = dispatcher.published[told++];
        if (record !== undefined) world.observe(record);
      }
      if (random.chance(0.02)) {
        world = createMdrpWorld({ instance });
        told = dispatcher.published.length;
        const known = new Set(produced.map((event) => event.value.eventId));
        accept(replay(world, { known, observed: dispatcher.published, lastLocations: new Map() }, { until: now }));
      }
    }
    accept(world.run(at(1500)));
    const ids = produced.map((event) => event.value.eventId);
    expect(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      `seed ${seed}`,
    ).toEqual([]);
    // Revoked while he was told late, it was picked up in vain: then nobody minds whether he drops it.
    const revoked = new Set(
      dispatcher.published.flatMap((record) =>
        record.type === "AssignmentRevoked" ? [`${record.driverId} ${record.jobId} ${record.attempt}`] : [],
      ),
    );
    const steps = (type: string): string[] =>
      produced
        .flatMap(({ value }) => (value.type === type && "jobId" in value ? [`${value.driverId} ${value.jobId} ${value.attempt}`] : []))
        .filter((step) => !revoked.has(step))
        .sort();
    expect(steps("DroppedOff"), `seed ${seed}`).toEqual(steps("PickedUp"));
    expect(steps("DroppedOff").length, `seed ${seed}`).toBeGreaterThan(10);
  }
});

test("orders say what the instance says", () => {
  const world = createMdrpWorld({ instance: small });
  const [, order] = world.run(at(10));
  expect(order).toEqual({
    topic: "orders",
    key: "o1",
    timestamp: at(10),
    value: {
      type: "OrderPlaced",
      eventId: "mdrp-small/o1/placed",
      orderId: "o1",
      occurredAt: at(10),
      version: 1,
      restaurantId: "r1",
      pickup: planePoint(1000, 0),
      dropOff: planePoint(2000, 0),
      readyAt: at(20),
      notBefore: at(10),
      requirements: [],
      priceMinor: 2500,
      currency: "USD",
    },
  });
});

test("an instance that lies beyond the plane is moved onto it, one that is too wide is refused", () => {
  const ground = mdrpGround({ ...restaurantsMoved(740_000), orders: [], couriers: [] });
  expect(ground.spotOf(ground.pointOf({ x: 741_000, y: 17 }))).toEqual({ x: 741_000, y: 17 });
  expect(() => mdrpGround(restaurantsMoved(740_000))).toThrow(/instance small is 743000 m wide/);
});
