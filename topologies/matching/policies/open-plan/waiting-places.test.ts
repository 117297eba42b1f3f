import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { KnownDriver, TravelModel } from "../../policy.ts";
import { learnDemand } from "./demand.ts";
import { openPlanValues } from "./parameters.ts";
import { chooseMoves } from "./waiting-places.ts";
import type { Idle } from "./waiting-places.ts";

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
const travel: TravelModel = {
  name: "degrees",
  serviceMs: 4 * MINUTE,
  travelMs: (from, to) => Math.ceil(Math.hypot(from.latitude - to.latitude, from.longitude - to.longitude)) * MINUTE,
};
const point = fc.record({ latitude: fc.integer({ min: -20, max: 20 }), longitude: fc.integer({ min: -20, max: 20 }) });
const values = openPlanValues({ movesMax: 5 });

function driver(index: number, position: KnownDriver["position"]): KnownDriver {
  const who = { driverId: `d${index}`, driverVersion: 1, vehicle: "car", tags: [], capacity: 4 } as const;
  return { ...who, position, shiftEndsAt: null, plan: [], jobs: [], asked: false };
}

const idleDrivers: fc.Arbitrary<readonly Idle[]> = fc
  .array(fc.record({ at: point, movable: fc.boolean() }), { maxLength: 12 })
  .map((all) => all.map(({ at, movable }, index) => ({ driver: driver(index, at), movable, at })));

const demands = fc
  .uniqueArray(fc.record({ place: fc.nat(9), at: point, weight: fc.integer({ min: 1, max: 9 }) }), { selector: ({ place }) => place })
  .map((all) => ({ until: NOW, places: all.map(({ place, at, weight }) => ({ placeId: `r${place}`, ...at, weight })) }));

test("only idle drivers are sent, each once, to a place that has orders and is within reach, and no more than allowed", () => {
  fc.assert(
    fc.property(idleDrivers, demands, (idle, demand) => {
      const moves = chooseMoves(idle, demand, { now: NOW, travel }, values);
      expect(moves.length).toBeLessThanOrEqual(values.movesMax);
      expect(new Set(moves.map(({ driverId }) => driverId)).size).toBe(moves.length);
      for (const { driverId, placeId, to, arrivesAt } of moves) {
        const who = idle.find((one) => one.driver.driverId === driverId);
        expect(who?.movable).toBe(true);
        expect(demand.places).toContainEqual(expect.objectContaining({ placeId, ...to }));
        expect(arrivesAt - NOW).toBe(travel.travelMs(who!.at, to, "car"));
        expect(arrivesAt - NOW).toBeLessThanOrEqual(values.moveWithinMs);
        expect(arrivesAt).toBeGreaterThan(NOW);
      }
      expect(chooseMoves(idle, demand, { now: NOW, travel }, values)).toEqual(moves);
    }),
  );
});

test("a driver who stands remote goes to where the orders are, and the fifth of five does not follow the others", () => {
  const busy = { placeId: "busy", latitude: 0, longitude: 0, weight: 8 };
  const calm = { placeId: "calm", latitude: 0, longitude: 12, weight: 6 };
  const demand = { until: NOW, places: [busy, calm] };
  const remote = { driver: driver(0, { latitude: 9, longitude: 0 }), movable: true, at: { latitude: 9, longitude: 0 } };
  expect(chooseMoves([remote], demand, { now: NOW, travel }, values)).toMatchObject([{ driverId: "d0", placeId: "busy" }]);
  const crowd = Array.from({ length: 5 }, (_, index) => ({ driver: driver(index, busy), movable: true, at: busy }));
  const moves = chooseMoves(crowd, demand, { now: NOW, travel }, values);
  expect(moves.length).toBeGreaterThan(0);
  expect(moves.length).toBeLessThan(5);
  expect(new Set(moves.map(({ placeId }) => placeId))).toEqual(new Set(["calm"]));
});

test("where the zone does not ask for it nobody is sent away, so a ride finds him free", () => {
  const demand = { until: NOW, places: [{ placeId: "busy", latitude: 0, longitude: 0, weight: 8 }] };
  const remote = { driver: driver(0, { latitude: 9, longitude: 0 }), movable: true, at: { latitude: 9, longitude: 0 } };
  expect(chooseMoves([remote], demand, { now: NOW, travel }, openPlanValues({}))).toEqual([]);
});

const jobPlacedAt = (placedAt: number) => ({
  jobId: `j${placedAt}`,
  attempt: 1,
  orderVersion: 1,
  notBefore: 0,
  excludedDrivers: new Set<string>(),
  skip: undefined,
  content: {
    kind: "order" as const,
    pickup: { latitude: 1, longitude: 2 },
    dropOff: { latitude: 3, longitude: 4 },
    placeId: "r1",
    readyAt: placedAt,
    placedAt,
    notBefore: 0,
    requirements: [],
    priceMinor: 1,
    currency: "EUR",
  },
});

test("an order counts once, the same whenever the ticks come, and is forgotten in time", () => {
  const first = learnDemand({ until: -Infinity, places: [] }, [jobPlacedAt(NOW)], NOW, 0.9);
  expect(first).toEqual({ until: NOW, places: [{ placeId: "r1", latitude: 1, longitude: 2, weight: 1 }] });
  const again = learnDemand(first, [jobPlacedAt(NOW), jobPlacedAt(NOW + MINUTE)], NOW + MINUTE, 0.9);
  expect(again.places[0]?.weight).toBeCloseTo(1.9);
  expect(learnDemand(again, [{ ...jobPlacedAt(NOW + 2 * MINUTE), attempt: 2 }], NOW + 2 * MINUTE, 0.9).places[0]?.weight).toBeCloseTo(1.71);
  expect(learnDemand(again, [], NOW + 90 * MINUTE, 0.9).places).toEqual([]);
});
