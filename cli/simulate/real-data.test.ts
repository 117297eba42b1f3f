/** Real data through the real topologies: small samples in the same formats here, the data themselves where they are at hand. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readRappi, readTdrive, tdriveFile } from "#world";
import { realDataKind, simulateRappi, simulateTdrive } from "./simulate-real.ts";

const fixtures = join("world", "fixtures");
const data = process.env["SLACKLINE_DATA"] ?? join("..", "shared", "data");
const rappi = join(data, "rappi", "1");
const tdrive = join(data, "tdrive");
const absent = (folder: string): string => `no data in ${folder}: name the folder above it by SLACKLINE_DATA`;

const broken = (verdicts: readonly { readonly violations: readonly string[] }[]): readonly string[] =>
  verdicts.flatMap(({ violations }) => violations);

describe("a folder is taken for what it holds", () => {
  test.each([
    [join(fixtures, "rappi"), "rappi"],
    [join(fixtures, "tdrive"), "tdrive"],
    [join(fixtures, "tiny"), undefined],
    ["nowhere", undefined],
  ] as const)("%s", (folder, kind) => {
    expect(realDataKind(folder)).toBe(kind);
  });
});

describe("a city's day", () => {
  test(
    "in small: each order is delivered by who is on duty, through a session of no length and one that ends",
    { timeout: 60_000 },
    async () => {
      const day = await simulateRappi({
        data: join(fixtures, "rappi"),
        policy: "nearest",
        fromMinute: 19 * 60,
        minutes: 10,
        partitions: 1,
      });
      expect(broken(day.verdicts)).toEqual([]);
      expect(day.figures).toMatchObject({ orders: 4, done: 4, failed: 0 });
      // The car's devices never speak: its session is over when it begins.
      expect(day.day.deadLetters).toBe(0);
    },
  );

  test("is read whole: times that wrap at midnight, places without ids", ({ skip }) => {
    skip(!existsSync(rappi), absent(rappi));
    const { orders, couriers } = readRappi(rappi);
    expect([orders.length, couriers.length]).toEqual([7_367, 2_392]);
    expect(orders.filter(({ readyAt }) => readyAt >= 24 * 3_600_000).length).toBeGreaterThan(0);
    expect(orders.every(({ placedAt, readyAt }) => readyAt > placedAt)).toBe(true);
    expect(couriers.filter(({ onAt, offAt }) => onAt === offAt)).toHaveLength(25);
  });
});

describe("taxi positions", () => {
  test(
    "in small: every row is the taxi's newest position or refused with a reason, and each reason is one of the rows' own",
    { timeout: 60_000 },
    async () => {
      const day = await simulateTdrive({ data: join(fixtures, "tdrive"), policy: "nearest", fromMinute: 0, minutes: 30, partitions: 1 });
      expect(broken(day.verdicts)).toEqual([]);
      expect(day.refusals).toEqual({
        "DriverLocation DUPLICATE": 1,
        "DriverLocation IMPOSSIBLE": 3,
        "DriverLocation OUT_OF_ORDER": 3,
        "DriverLocation THROTTLED": 2,
      });
      expect(day.day.deadLetters).toBe(0);
    },
  );

  test("of minutes of a real day", { timeout: 120_000 }, async ({ skip }) => {
    skip(tdriveFileOf(tdrive) === undefined, absent(tdrive));
    const rows = readTdrive(tdriveFileOf(tdrive) ?? "").length;
    expect(rows).toBe(665_221);
    const day = await simulateTdrive({ data: tdrive, policy: "nearest", fromMinute: 0, minutes: 5, partitions: 1 });
    expect(broken(day.verdicts)).toEqual([]);
    expect(day.day.deadLetters).toBe(0);
  });
});

function tdriveFileOf(folder: string): string | undefined {
  return existsSync(folder) ? tdriveFile(folder) : undefined;
}
