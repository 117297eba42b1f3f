import { describe, expect, test } from "vitest";
import { memoryRegistry } from "#schemas";
import { keyValueStore, numberSerde, stringKey } from "#state";
import { driverStores } from "./drivers/driver-stores.ts";
import { FORGET_CHECK_MS, forgetStore } from "./forget-list.ts";
import { jobStores } from "./jobs/job-stores.ts";
import { matchingStores } from "./matching/matching-stores.ts";
import { DispatchScene, START } from "./testing/dispatch-scene.ts";
import { FORGET_AFTER_MS } from "./topics.ts";

const registry = memoryRegistry();
const { jobs, ended } = jobStores(registry);
const { plans, whereabouts, over } = driverStores(registry);
const { drivers: present } = matchingStores(registry);
const billed = keyValueStore({ name: "billed", key: stringKey, value: numberSerde });
const billedByTime = forgetStore("billed-by-time");

/** What is kept of whom; the two rows of a forget list have no slash. */
const kept = ({ driver }: DispatchScene) => ({
  jobs: [...driver.store(jobs).range()].map(([id]) => id),
  drivers: [...driver.store(plans).range()].map(([id]) => id),
  places: [...driver.store(whereabouts).range()].map(([id]) => id),
  billed: [...driver.store(billed).range()].map(([id]) => id),
  due: [ended, over, billedByTime].map((store) => [...driver.store(store).range()].filter(([key]) => key.includes("/")).length),
});

/** Days go by; then another order lets every task see what time it is. */
const later = (scene: DispatchScene, ms: number): void => {
  scene.driver.advance(ms);
  scene.place(`news-${scene.now}`);
  scene.cancel(`news-${scene.now}`);
  scene.event({ type: "JobAccepted", eventId: scene.eventId(), driverId: "someone", occurredAt: scene.now, jobId: "none", attempt: 1 });
};

const delivered = (policy = {}): DispatchScene => {
  const scene = new DispatchScene({ policy: { locationTtlMs: 0, ...policy } });
  scene.startShift("d1");
  scene.place("o1", { eventId: "first" });
  scene.tick();
  for (const action of ["ArrivedAtPickup", "PickedUp", "DroppedOff"] as const) scene.act("d1", action, "o1");
  scene.endShift("d1");
  return scene;
};

describe("long after its end", () => {
  test("a job, its bill's mark and its driver are forgotten, not before, and nothing else is", () => {
    const scene = delivered({ deadlineMs: 2 * FORGET_AFTER_MS });
    scene.startShift("d2");
    scene.place("o2", { notBefore: START + 2 * FORGET_AFTER_MS });
    expect(kept(scene)).toMatchObject({ jobs: ["o1", "o2"], drivers: ["d1", "d2"], places: ["d1", "d2"], billed: ["o1"], due: [1, 1, 1] });
    later(scene, FORGET_AFTER_MS - 2 * FORGET_CHECK_MS);
    expect(kept(scene)).toMatchObject({ jobs: expect.arrayContaining(["o1"]), drivers: ["d1", "d2", "someone"], billed: ["o1"] });
    scene.driver.restart();
    later(scene, 3 * FORGET_CHECK_MS);
    expect(kept(scene)).toMatchObject({ jobs: expect.not.arrayContaining(["o1"]), drivers: ["d2", "someone"], places: ["d2"], billed: [] });
    expect(kept(scene).jobs).toContain("o2");
    expect(scene.driver.deadLetters()).toEqual([]);
  });

  test("the same order again opens nothing and is recorded as stale; a new one of that id is a new job", () => {
    const scene = delivered();
    later(scene, FORGET_AFTER_MS + FORGET_CHECK_MS);
    const { driver, topics } = scene;
    driver.readValues(topics.trips);
    driver.readValues(topics.refusals);
    scene.place("o1", { eventId: "first", occurredAt: START });
    expect(driver.readValues(topics.refusals)).toMatchObject([{ entityId: "o1", eventId: "first", reason: "STALE" }]);
    expect(driver.readValues(topics.trips)).toEqual([]);
    scene.place("o1");
    expect(driver.readValues(topics.trips)).toMatchObject([{ jobId: "o1", state: "open", attempt: 1 }]);
  });

  test("a driver comes back with a version that he never had, so no old proposal matches; an old shift start is stale", () => {
    const scene = delivered();
    const { driver, topics } = scene;
    const versions = driver
      .readValues(topics.matchingInput)
      .flatMap((input) => (input.type === "DriverPresent" ? input.driverVersion : []));
    later(scene, FORGET_AFTER_MS + FORGET_CHECK_MS);
    expect(kept(scene).drivers).not.toContain("d1");
    driver.readValues(topics.refusals);
    driver.readValues(topics.matchingInput);
    scene.startShift("d1", { occurredAt: START });
    expect(driver.readValues(topics.refusals)).toMatchObject([{ entityId: "d1", reason: "STALE" }]);
    expect(kept(scene).drivers).not.toContain("d1");
    scene.startShift("d1");
    const [back] = driver.readValues(topics.matchingInput).filter((input) => input.type === "DriverPresent");
    expect(back?.driverVersion).toBe(Math.max(...versions) + 1);
  });

  test("a driver who worked again meanwhile is kept until so long after that, and no cell keeps one who is forgotten", () => {
    const scene = delivered();
    const half = FORGET_AFTER_MS / 2;
    later(scene, half);
    scene.startShift("d1");
    expect([...scene.driver.store(present).range()]).not.toEqual([]);
    scene.endShift("d1");
    expect([...scene.driver.store(present).range()]).toEqual([]);
    later(scene, half + FORGET_CHECK_MS);
    expect(kept(scene).drivers).toContain("d1");
    later(scene, half);
    expect(kept(scene).drivers).not.toContain("d1");
  });

  test("a silent driver is forgotten too, and no cell has him", () => {
    const scene = new DispatchScene({ policy: { locationTtlMs: 30_000 } });
    scene.startShift("d1");
    scene.driver.advance(31_000);
    for (let second = 0; second < 40; second++) scene.driver.advance(1_000);
    expect(scene.driver.store(plans).get("d1")?.duty).toBe("silent");
    expect([...scene.driver.store(present).range()]).toEqual([]);
    later(scene, FORGET_AFTER_MS + FORGET_CHECK_MS);
    expect(kept(scene).drivers).toEqual(["someone"]);
  });

  test("a driver off duty with goods on board is kept until they are delivered, and so long after that", () => {
    const scene = new DispatchScene({ policy: { locationTtlMs: 0, deadlineMs: FORGET_AFTER_MS * 3 } });
    scene.startShift("d1");
    scene.place("o1");
    scene.tick();
    scene.act("d1", "PickedUp", "o1");
    scene.endShift("d1");
    later(scene, FORGET_AFTER_MS + FORGET_CHECK_MS);
    expect(kept(scene).drivers).toContain("d1");
    scene.act("d1", "DroppedOff", "o1");
    later(scene, FORGET_AFTER_MS - FORGET_CHECK_MS);
    expect(kept(scene).drivers).toContain("d1");
    later(scene, 2 * FORGET_CHECK_MS);
    expect(kept(scene).drivers).not.toContain("d1");
  });

  test("as much is kept as happens in that time, however long it goes on", () => {
    const scene = new DispatchScene({ policy: { locationTtlMs: 0 } });
    const counts: number[] = [];
    for (let day = 0; day < 40; day++) {
      scene.place(`o${day}`);
      scene.cancel(`o${day}`);
      scene.startShift(`d${day}`);
      scene.endShift(`d${day}`);
      scene.driver.advance(24 * 60 * 60 * 1_000);
      counts.push([kept(scene).jobs, kept(scene).drivers, kept(scene).places].flat().length);
    }
    const days = FORGET_AFTER_MS / (24 * 60 * 60 * 1_000);
    expect(Math.max(...counts)).toBeLessThanOrEqual(3 * (days + 1));
  });
});
