import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRappiWorld } from "./rappi-world.ts";
import { isRappiFolder, readRappi } from "./read-rappi.ts";

const head = "order_id,pick_up_lat,pick_up_lng,drop_off_lat,drop_off_lng,placement_time,preparation_time,ready_time,expected_drop_off_time";
const order = "1,3.42,-76.53,3.43,-76.52,23:50:00,23:51:00,00:05:00,00:20:00";
const courierHead = "courier_id,vehicle,on_lat,on_lng,on_time,off_time";
const courier = "1,bicycle,3.42,-76.53,18:00:00,23:58:00";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slackline-rappi-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(orders: readonly string[], couriers: readonly string[] = [courierHead, courier]): void {
  writeFileSync(join(folder, "orders.csv"), `${orders.join("\n")}\n`);
  writeFileSync(join(folder, "couriers.csv.gz"), gzipSync(`${couriers.join("\n")}\n`));
}

describe("a Rappi day", () => {
  test("is read from plain and packed tables; what wraps at midnight is later", () => {
    expect(isRappiFolder(folder)).toBe(false);
    write([head, order]);
    expect(isRappiFolder(folder)).toBe(true);
    const { orders, couriers } = readRappi(folder);
    expect(orders).toEqual([
      {
        orderId: "1",
        pickup: { latitude: 3.42, longitude: -76.53 },
        dropOff: { latitude: 3.43, longitude: -76.52 },
        placedAt: (23 * 60 + 50) * 60_000,
        readyAt: (24 * 60 + 5) * 60_000,
      },
    ]);
    expect(couriers).toMatchObject([{ courierId: "1", vehicle: "bicycle", onAt: 18 * 3_600_000 }]);
  });

  test.each([
    ["a time that is none", [head, order.replace("23:50:00", "24:00:00")], "line 2: a time as HH:MM:SS"],
    ["a place that is none", [head, order.replace("3.42", "93.42")], "a latitude"],
    ["a number that is none", [head, order.replace("3.42", "x")], "a number"],
    ["an id said twice", [head, order, order], "line 3: an order_id of its own"],
    ["a column too few", [head.replace(",ready_time", ",ready"), order], "the columns ready_time"],
    ["a field too few", [head, order.slice(0, -9)], "9 fields"],
  ] as const)("with %s is refused, naming the line", (_, orders, told) => {
    write(orders);
    expect(() => readRappi(folder)).toThrow(told);
  });

  test("without one of its files, or with a vehicle nobody knows, is refused", () => {
    expect(() => readRappi(folder)).toThrow("orders.csv is missing");
    write([head, order], [courierHead, courier.replace("bicycle", "rocket")]);
    expect(() => readRappi(folder)).toThrow("one of car, motorcycle, bicycle, walking");
  });

  test("as a world asks for its orders at their times, of the part that is played", () => {
    write([head, order.replace("23:50:00", "19:10:00"), order.replace(/^1/, "2").replace("23:50:00", "19:30:00")]);
    const startsAt = Date.UTC(2026, 0, 1);
    const world = createRappiWorld({ day: readRappi(folder), startsAt, fromMinute: 19 * 60, untilMinute: 19 * 60 + 20 });
    const events = world.run(startsAt + 20 * 3_600_000).filter(({ topic }) => topic !== "driverLocations");
    expect(events.map(({ value, timestamp }) => [value.type, timestamp - startsAt])).toEqual([
      ["ShiftStarted", 19 * 3_600_000],
      ["OrderPlaced", 19 * 3_600_000 + 600_000],
    ]);
    expect(events[1]?.value).toMatchObject({ pickup: { latitude: 3.42, longitude: -76.53 }, currency: "COP" });
  });
});
