import { expect, test } from "vitest";
import type { DriverAssigned, DriverRepositioned } from "#schemas";
import { TINY_INSTANCE, generateInstance } from "./generate-instance.ts";
import { meanPreparation, travelMinutes } from "./instance.ts";
import { MINUTE_MS, createMdrpWorld, mdrpGround } from "./mdrp-world.ts";
import { SolutionRecorder } from "./solution-recorder.ts";

const instance = generateInstance(TINY_INSTANCE);
const ground = mdrpGround(instance);
const [courier] = instance.couriers;
const [restaurant, other] = instance.restaurants;
const order = instance.orders.find((one) => one.restaurant.id === other?.id);
if (courier === undefined || restaurant === undefined || order === undefined) throw new Error("the tiny instance has them");
const { metersPerMinute } = instance.parameters;

function opened(readyTimes: "exact" | "mean" = "exact") {
  const journal = new SolutionRecorder({ instance, startsAt: 0 });
  const world = createMdrpWorld({ instance, startsAt: 0, journal, readyTimes });
  return { world, moves: () => journal.files()["solution_info_couriers.txt"].split("\n").slice(1, -1) };
}

const sentAt = courier.onTime * MINUTE_MS;
const sent = (at = sentAt): DriverRepositioned => ({
  type: "DriverRepositioned",
  driverId: courier.id,
  cell: "",
  driverVersion: 1,
  placeId: restaurant.id,
  to: ground.pointOf(restaurant),
  arrivesAt: 0,
  policy: "",
  at,
});
const assigned = (at: number): DriverAssigned => ({
  type: "DriverAssigned",
  jobId: order.id,
  proposalId: "",
  attempt: 1,
  jobVersion: 1,
  policy: "",
  at,
  driverId: courier.id,
  driverVersion: 2,
  slackMs: 0,
  pickupEta: 0,
});
const way = travelMinutes(courier.x, courier.y, restaurant.x, restaurant.y, metersPerMinute);

test("an idle courier goes where he is sent, says that he is there, and stays", () => {
  const { world, moves } = opened();
  world.run(sentAt);
  world.observe(sent());
  const events = world.run(sentAt + (way + 5) * MINUTE_MS);
  expect(moves()).toEqual([`${courier.id} ${courier.onTime} 0 ${restaurant.id}`]);
  const located = events.filter(({ topic, key }) => topic === "driverLocations" && key === courier.id);
  expect(located).toMatchObject([{ timestamp: sentAt + way * MINUTE_MS, value: { position: ground.pointOf(restaurant) } }]);
  world.observe(sent(sentAt + (way + 6) * MINUTE_MS));
  world.run(sentAt + (way + 20) * MINUTE_MS);
  expect(moves()).toHaveLength(1);
});

test("nobody turns him back on his way: work that comes meanwhile begins where he was sent", () => {
  const { world, moves } = opened();
  world.run(sentAt);
  world.observe(sent());
  world.run(sentAt + MINUTE_MS);
  world.observe(assigned(sentAt + MINUTE_MS));
  world.run(sentAt + 90 * MINUTE_MS);
  expect(moves()[0]).toBe(`${courier.id} ${courier.onTime} 0 ${restaurant.id}`);
  expect(moves()[1]).toBe(`${courier.id} ${courier.onTime + way} ${restaurant.id} ${order.restaurant.id}`);
});

test("who has work does not go", () => {
  const { world, moves } = opened();
  world.run(sentAt);
  world.observe(assigned(sentAt));
  world.observe(sent());
  world.run(sentAt + 90 * MINUTE_MS);
  expect(moves()[0]).toBe(`${courier.id} ${courier.onTime} 0 ${order.restaurant.id}`);
});

test("with mean preparation times an order says its restaurant's, whatever the truth", () => {
  const { world } = opened("mean");
  const means = meanPreparation(instance.orders);
  const events = world.run(1_440 * MINUTE_MS);
  const placed = events.flatMap(({ value }) => (value.type === "OrderPlaced" ? [value] : []));
  expect(placed).toHaveLength(instance.orders.length);
  for (const { restaurantId, occurredAt, readyAt } of placed) expect(readyAt - occurredAt).toBe((means.get(restaurantId) ?? 0) * MINUTE_MS);
  expect(new Set(placed.map(({ readyAt, occurredAt }) => readyAt - occurredAt)).size).toBeLessThanOrEqual(instance.restaurants.length);
});
