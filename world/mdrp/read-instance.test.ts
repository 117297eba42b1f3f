import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WorldError } from "../errors.ts";
import { TINY_INSTANCE, generateInstance, instanceFiles } from "./generate-instance.ts";
import { truncate } from "./instance.ts";
import { readInstance } from "./read-instance.ts";

const tiny = new URL("../fixtures/tiny/", import.meta.url).pathname;

describe("instance folder", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "slackline-instance-"));
    for (const [file, text] of Object.entries(instanceFiles(generateInstance(TINY_INSTANCE)))) writeFileSync(join(folder, file), text);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("the small instance of the tests is what its generator makes", () => {
    for (const [file, text] of Object.entries(instanceFiles(generateInstance(TINY_INSTANCE)))) {
      expect(readFileSync(join(tiny, file), "utf8"), file).toBe(text);
    }
  });

  test("reads what was written", () => {
    expect(readInstance(tiny)).toEqual(generateInstance(TINY_INSTANCE));
  });

  const mistakes: readonly (readonly [string, string, string, string, RegExp])[] = [
    ["a missing column", "couriers.txt", "\t650\t729", "\t650", /couriers\.txt, line 2: 5 fields with tabs between expected, found 4/],
    ["a fraction", "orders.txt", "o2\t5211", "o2\t52.11", /orders\.txt, line 3: column x: a whole number expected, found "52\.11"/],
    [
      "an unknown restaurant",
      "orders.txt",
      "\tr1\t669",
      "\tr99\t669",
      /line 3: column restaurant: a restaurant of restaurants\.txt expected/,
    ],
    ["a second line of an order", "orders.txt", "o3\t", "o2\t", /line 4: column order: an id that no line before has/],
    ["a shift that ends before it starts", "couriers.txt", "\t729", "\t640", /line 2: column off_time: a minute at or after on_time 650/],
    ["food ready before it was ordered", "orders.txt", "\tr1\t669", "\tr1\t660", /line 3: column ready_time/],
    ["another header", "restaurants.txt", "restaurant\tx", "restaurant x", /restaurants\.txt, line 1: header expected/],
    ["a service that cannot be halved", "instance_parameters.txt", "\t4\t4\t", "\t3\t4\t", /even number of minutes expected, found "3"/],
  ];
  test.each(mistakes)("names file, line and what was expected: %s", (_, file, from, to, message) => {
    const text = readFileSync(join(folder, file), "utf8");
    expect(text).toContain(from);
    writeFileSync(join(folder, file), text.replace(from, to));
    expect(() => readInstance(folder)).toThrow(message);
    expect(() => readInstance(folder)).toThrow(WorldError);
  });

  test("says which file is missing", () => {
    rmSync(join(folder, "couriers.txt"));
    expect(() => readInstance(folder)).toThrow(
      expect.objectContaining({ code: "INSTANCE_FILE_MISSING", file: join(folder, "couriers.txt") }),
    );
  });
});

test("a truncated instance has no order placed after the minute", () => {
  const whole = generateInstance(TINY_INSTANCE);
  const early = truncate(whole, 700);
  expect(early.orders).toEqual(whole.orders.filter((order) => order.placementTime <= 700));
  expect(early.orders.length).toBeGreaterThan(3);
  expect(early.couriers).toBe(whole.couriers);
});
