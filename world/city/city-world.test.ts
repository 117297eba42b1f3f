import { distanceMetres } from "#geo";
import { describe, expect, test } from "vitest";
import { CITY_DEFAULTS } from "../defaults.ts";
import { WorldError } from "../errors.ts";
import { replay } from "../replay.ts";
import { VirtualDay } from "../testing/greedy-dispatcher.ts";
import type { WorldEvent } from "../world.ts";
import { cityConfig, parseCity } from "./city-config.ts";
import type { CityConfig } from "./city-config.ts";
import { createCityWorld } from "./city-world.ts";

const origin = Date.UTC(2026, 4, 4, 11, 30);
const MINUTE = 60_000;

function city(given: Partial<CityConfig> = {}): CityConfig {
  return cityConfig({
    seed: 5,
    drivers: 20,
    ordersPerMinute: 6,
    ridesPerMinute: 0,
    restaurants: 8,
    radiusMetres: 3_000,
    gpsEveryMs: 20_000,
    ...given,
  });
}

function dayOf(config: CityConfig): VirtualDay {
  return new VirtualDay(createCityWorld({ config, origin }), { tickMs: 5_000, startsAt: origin, capacity: 2 });
}

const count = (events: readonly WorldEvent[], type: string): number => events.filter((event) => event.value.type === type).length;

/** What a lone driver with these habits does in two hours of offers, one every twenty seconds, that nobody takes back. */
function offered(habits: Partial<CityConfig["habits"]>): readonly WorldEvent[] {
  const world = createCityWorld({ config: city({ drivers: 1, habits: { ...CITY_DEFAULTS.habits, ...habits } }), origin });
  const events = [...world.run(origin + 2 * MINUTE)];
  const driverId = events.find((event) => event.value.type === "ShiftStarted")?.key ?? "";
  for (let offer = 0; offer < 360; offer++) {
    const at = origin + 2 * MINUTE + offer * 20_000;
    const base = { jobId: `x${offer}`, proposalId: "p", attempt: 1, jobVersion: 1, policy: "p", at, driverId, driverVersion: 1 };
    world.observe({ ...base, type: "DriverOffered", offerUntil: at + MINUTE });
    events.push(...world.run(at + 19_999));
  }
  return events;
}

describe("a seeded city", () => {
  test("has its drivers at work at once, and orders and rides at their rates", () => {
    const world = createCityWorld({ config: city({ drivers: 300, ordersPerMinute: 120, ridesPerMinute: 60 }), origin });
    const events = [...world.run(origin + 20 * MINUTE)];
    expect(count(events, "ShiftStarted") - count(events, "ShiftEnded")).toBe(300);
    expect(Math.abs(count(events, "OrderPlaced") - 2_400)).toBeLessThan(200);
    expect(Math.abs(count(events, "RideRequested") - 1_200)).toBeLessThan(140);
    // Every 20 s, the first one a rhythm after the shift began.
    expect(Math.abs(count(events, "DriverLocation") - 300 * 59)).toBeLessThan(300);
    for (let i = 1; i < events.length; i++) expect(events[i]?.timestamp).toBeGreaterThanOrEqual(events[i - 1]?.timestamp ?? 0);
  });

  test("delivers what is assigned, and nobody moves faster than his vehicle", () => {
    const config = city({ gpsNoiseMetres: 0 });
    const day = dayOf(config);
    day.finish(origin + 60 * MINUTE);
    expect(count(day.produced, "DroppedOff")).toBeGreaterThan(50);
    const last = new Map<string, { at: number; latitude: number; longitude: number }>();
    let moved = 0;
    for (const { topic, value } of day.produced) {
      if (topic !== "driverLocations") continue;
      const { latitude, longitude } = value.position;
      const before = last.get(value.driverId);
      last.set(value.driverId, { at: value.recordedAt, latitude, longitude });
      if (before === undefined) continue;
      const metres = distanceMetres(before.latitude, before.longitude, latitude, longitude);
      moved += metres;
      // 6 m/s × 1.2, and what dispatch tells after the fact: up to one tick of strolling.
      expect((metres * 1000) / (value.recordedAt - before.at)).toBeLessThan(9);
      expect(value.heading).toBeGreaterThanOrEqual(0);
      expect(value.heading).toBeLessThan(360);
    }
    expect(moved).toBeGreaterThan(10_000);
  });

  test("the same seed gives the same city, another seed another one, and every event its own id", () => {
    const [first, second, other] = [dayOf(city()), dayOf(city()), dayOf(city({ seed: 6 }))];
    for (const day of [first, second, other]) day.finish(origin + 15 * MINUTE);
    expect(second.produced).toEqual(first.produced);
    expect(other.produced).not.toEqual(first.produced);
    const ids = first.produced.map((event) => event.value.eventId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("a world dropped at any step and rebuilt from the topics goes on as if nothing had happened", () => {
    const config = city({
      shiftMs: 20 * MINUTE,
      habits: { ...CITY_DEFAULTS.habits, earlyEndProbability: 0.3, cancelProbability: 0.1, lieProbability: 0.2 },
    });
    const end = origin + 30 * MINUTE;
    const straight = dayOf(config);
    straight.finish(end);
    for (let kill = 50; kill < straight.produced.length; kill += 331) {
      const day = dayOf(config);
      while (day.produced.length < kill && day.step());
      day.step(kill % 3);
      day.world = createCityWorld({ config, origin });
      const known = new Set<string>();
      const lastLocations = new Map<string, number>();
      for (const { topic, value, timestamp } of day.produced) {
        if (topic === "driverLocations") lastLocations.set(value.driverId, timestamp);
        else known.add(value.eventId);
      }
      day.accept(replay(day.world, { known, observed: day.dispatcher.published, lastLocations }, { until: day.at }));
      day.finish(end);
      // Of one millisecond, locations come after the rebuilt events.
      expect(day.produced.map((event) => JSON.stringify(event)).sort(), `killed after ${kill}`).toEqual(
        straight.produced.map((event) => JSON.stringify(event)).sort(),
      );
    }
  });

  test("an offer is declined, missed, or answered late by a device that was silent", () => {
    expect(count(offered({}), "JobAccepted")).toBe(360);
    const declined = offered({ declineProbability: 0.13 });
    expect(count(declined, "JobDeclined")).toBeGreaterThan(25);
    expect(count(declined, "JobDeclined")).toBeLessThan(70);
    expect(count(declined, "JobDeclined") + count(declined, "JobAccepted")).toBe(360);
    expect(offered({ declineProbability: 0.13 })).toEqual(declined);
    const missed = 360 - count(offered({ missProbability: 0.2 }), "JobAccepted");
    expect(missed).toBeGreaterThan(45);
    expect(missed).toBeLessThan(105);
    const silent = offered({ silenceProbability: 1 }).filter((event) => event.value.type === "JobAccepted");
    // What was offered within the five minutes of silence is answered at their end.
    const sameTime = new Map<number, number>();
    for (const { timestamp } of silent) sameTime.set(timestamp, (sameTime.get(timestamp) ?? 0) + 1);
    expect(Math.max(...sameTime.values())).toBeGreaterThan(10);
  });

  test("false reports come right after true ones, of every kind, and never without one", () => {
    const config = city({ gpsEveryMs: 5_000, habits: { ...CITY_DEFAULTS.habits, lieProbability: 0.1 } });
    const events = [...createCityWorld({ config, origin }).run(origin + 30 * MINUTE)];
    const reports = events.flatMap(({ topic, value, timestamp }) => (topic === "driverLocations" ? [{ ...value, timestamp }] : []));
    const ids = new Set<string>();
    let again = 0;
    for (const { eventId } of reports) {
      if (ids.has(eventId)) again++;
      ids.add(eventId);
      if (eventId.endsWith("/false")) expect(ids.has(eventId.slice(0, -"/false".length))).toBe(true);
    }
    const lies = reports.filter(({ eventId }) => eventId.endsWith("/false"));
    expect(Math.abs((again + lies.length) / (reports.length - again - lies.length) - 0.1)).toBeLessThan(0.02);
    expect(again).toBeGreaterThan(50);
    for (const late of [-120_000, 1_000, 4_000]) expect(lies.some((lie) => lie.recordedAt - lie.timestamp === late)).toBe(true);
    expect(lies.some((lie) => lie.recordedAt < lie.timestamp && lie.recordedAt > lie.timestamp - 10_001)).toBe(true);
  });

  test("habits show: offers declined, devices silent, shifts left early, orders taken back", () => {
    const habits = { ...CITY_DEFAULTS.habits, declineProbability: 1, silenceProbability: 1, earlyEndProbability: 1, cancelProbability: 1 };
    const config = city({ habits, shiftMs: 40 * MINUTE, gpsEveryMs: 10_000 });
    const world = createCityWorld({ config, origin });
    const events = [...world.run(origin + 2 * MINUTE)];
    const [driver] = events.filter((event) => event.value.type === "ShiftStarted");
    const at = origin + 2 * MINUTE;
    const base = { jobId: "x", proposalId: "p", attempt: 1, jobVersion: 1, policy: "p", at, driverId: driver?.key ?? "", driverVersion: 1 };
    world.observe({ ...base, type: "DriverOffered", offerUntil: at + MINUTE });
    events.push(...world.run(origin + 60 * MINUTE));
    expect(count(events, "JobDeclined")).toBe(1);
    expect(count(events, "ShiftEnded")).toBeGreaterThan(15);
    expect(count(events, "OrderCancelled")).toBeGreaterThan(250);
    const calm = [...createCityWorld({ config: city({ shiftMs: 40 * MINUTE, gpsEveryMs: 10_000 }), origin }).run(origin + 60 * MINUTE)];
    expect(count(events, "DriverLocation")).toBeLessThan(count(calm, "DriverLocation") * 0.95);
  });
});

describe("the name of a city", () => {
  test("gives its parameters", () => {
    expect(parseCity("city:42?drivers=500&orders=30&gps=1000")).toMatchObject({
      seed: 42,
      drivers: 500,
      ordersPerMinute: 30,
      gpsEveryMs: 1000,
    });
    expect(parseCity("city:7?decline=0.13&end-early=0.5")?.habits).toMatchObject({
      declineProbability: 0.13,
      earlyEndProbability: 0.5,
      missProbability: 0,
    });
    expect(parseCity("city:7")).toMatchObject({ seed: 7, drivers: 200 });
    expect(parseCity("some/folder")).toBeUndefined();
  });

  test.each(["city:", "city:x", "city:1?drivers=0", "city:1?drivers=1.5", "city:1?horses=3", "city:1?orders=-1", "city:1?decline=2"])(
    "refuses %s, saying what was expected",
    (text) => {
      expect(() => parseCity(text)).toThrow(WorldError);
      expect(() => parseCity(text)).toThrow(/expected, found/);
    },
  );
});
