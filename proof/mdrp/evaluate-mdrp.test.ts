import { describe, expect, test } from "vitest";
import { evaluateMdrp } from "./evaluate-mdrp.ts";
import type { FileTexts } from "./mdrp-files.ts";
import { percentile } from "./mdrp-metrics.ts";

/** 100 metres a minute; everything on one line, so that a travel time is a difference of x in hundreds. */
const instance: FileTexts = {
  "orders.txt": [
    "order\tx\ty\tplacement_time\trestaurant\tready_time",
    "o1\t1500\t0\t10\tr1\t20",
    "o2\t2000\t0\t12\tr1\t22",
    "o3\t0\t0\t15\tr2\t70",
    "o4\t9000\t0\t30\tr2\t40",
    "",
  ].join("\n"),
  "couriers.txt": "courier\tx\ty\ton_time\toff_time\nc1\t500\t0\t5\t125\nc2\t0\t0\t0\t60\n",
  "restaurants.txt": "restaurant\tx\ty\nr1\t1000\t0\nr2\t3000\t0\n",
  "instance_parameters.txt":
    "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\tmaximum click-to-door\tpay per order\tguaranteed pay per hour\n" +
    "100\t4\t4\t40\t90\t10\t15\n",
};

// c1 leaves at 14 for r1 (5 minutes: 19), picks up o1 and o2 at 22, leaves at 24, is at o1 at 29, drops at 31, leaves at 33,
// is at o2 at 38, drops at 40. At 50 he leaves for r2 (10 minutes: 60), picks up o3 at 70, leaves at 72, 30 minutes: 102, drops at 104.
const solution: FileTexts = {
  "solution_info_assignments.txt": "assignment_time pickup_time courier orders\n14 22 c1 o1 o2\n50 70 c1 o3\n",
  "solution_info_orders.txt": [
    "order placement_time ready_time pickup_time dropoff_time courier",
    "o1 10 20 22 31 c1",
    "o2 12 22 22 40 c1",
    "o3 15 70 70 104 c1",
    "o4 30 40   ",
    "",
  ].join("\n"),
  "solution_info_couriers.txt": [
    "courier departure_time origin destination",
    "c1 14 0 r1",
    "c1 24 r1 o1",
    "c1 33 o1 o2",
    "c1 50 o2 r2",
    "c1 72 r2 o3",
    "",
  ].join("\n"),
};

type Edit = readonly [file: "assignments" | "orders" | "couriers", from: string, to: string];

function edited(...edits: readonly Edit[]): FileTexts {
  const texts: Record<string, string> = { ...solution };
  for (const [file, from, to] of edits) {
    const name = `solution_info_${file}.txt`;
    const before = texts[name] ?? "";
    expect(before).toContain(from);
    texts[name] = before.replace(from, to);
  }
  return texts;
}

const rulesOf = (texts: FileTexts): number[] =>
  [...new Set(evaluateMdrp(instance, texts).violations.map((found) => found.rule))].sort((a, b) => a - b);

/** The instance with another end of c1's shift. */
function shiftUntil(off: number): FileTexts {
  return { ...instance, "couriers.txt": (instance["couriers.txt"] ?? "").replace("\t125\n", `\t${off}\n`) };
}

describe("feasibility", () => {
  test("a solution that keeps every rule is feasible and without warnings", () => {
    const verdict = evaluateMdrp(instance, solution);
    expect(verdict.violations).toEqual([]);
    expect(verdict.warnings).toEqual([]);
    expect(verdict.feasible).toBe(true);
  });

  const broken: readonly (readonly [string, number, ...Edit[]])[] = [
    ["a field that is no whole minute", 0, ["assignments", "14 22 c1", "14 22.5 c1"]],
    ["a trailing space", 0, ["couriers", "c1 14 0 r1\n", "c1 14 0 r1 \n"]],
    ["a wrong header of the orders", 0, ["orders", "dropoff_time", "drop_time"]],
    ["a missing header", 0, ["couriers", "courier departure_time origin destination\n", ""]],
    ["two of three fields for an undelivered order", 0, ["orders", "o4 30 40   ", "o4 30 40 50  "]],
    ["a courier's lines not together", 0, ["couriers", "c1 24 r1 o1", "c2 0 0 r1\nc1 24 r1 o1"]],
    ["travel a minute too short", 4, ["couriers", "c1 14 0 r1", "c1 18 0 r1"]],
    ["drops against the given sequence", 3, ["assignments", "c1 o1 o2", "c1 o2 o1"]],
    [
      "a pickup before the last order is ready",
      4,
      ["assignments", "14 22 c1", "14 21 c1"],
      ["orders", "10 20 22", "10 20 21"],
      ["orders", "12 22 22", "12 22 21"],
    ],
    ["a pickup one minute after the arrival", 4, ["couriers", "c1 50 o2 r2", "c1 59 o2 r2"]],
    ["leaving the counter one minute after the pickup", 4, ["couriers", "c1 72 r2 o3", "c1 71 r2 o3"], ["orders", "70 104", "70 103"]],
    ["a pickup where the courier is not", 4, ["couriers", "c1 50 o2 r2", "c1 50 o2 r1"], ["couriers", "c1 72 r2 o3", "c1 72 r1 o3"]],
    ["a drop one minute after the arrival", 5, ["orders", "70 70 104", "70 70 103"]],
    ["leaving the door one minute after the drop", 5, ["couriers", "c1 33 o1 o2", "c1 32 o1 o2"]],
    ["a drop while still on the way", 5, ["orders", "22 40 c1", "22 37 c1"]],
    ["a drop for which nobody goes there", 5, ["couriers", "c1 72 r2 o3\n", ""]],
    ["moves before the shift begins", 6, ["couriers", "c1 14 0 r1", "c1 4 0 r1"]],
    ["a move that begins where the last did not end", 7, ["couriers", "c1 50 o2 r2", "c1 50 o1 r2"]],
    ["a first move from elsewhere", 7, ["couriers", "c1 14 0 r1", "c1 14 r2 r1"]],
    ["leaving before having arrived", 7, ["couriers", "c1 50 o2 r2", "c1 37 o2 r2"]],
    ["a move to a customer that nobody asked for", 7, ["couriers", "c1 72 r2 o3\n", "c1 72 r2 o3\nc1 110 o3 o4\n"]],
    [
      "another restaurant on the way of a bundle",
      8,
      ["couriers", "c1 33 o1 o2\n", "c1 33 o1 r1\nc1 38 r1 o2\n"],
      ["orders", "22 40 c1", "22 50 c1"],
    ],
    ["an order in two bundles", 9, ["assignments", "50 70 c1 o3", "50 70 c1 o3 o1"]],
    ["an assignment before an order was placed", 9, ["assignments", "14 22 c1", "11 22 c1"]],
    ["an assignment after its pickup", 9, ["assignments", "50 70 c1", "71 70 c1"]],
    ["a pickup time that the orders' file has otherwise", 11, ["orders", "o3 15 70 70", "o3 15 70 71"]],
    ["a courier that the orders' file has otherwise", 11, ["orders", "70 104 c1", "70 104 c2"]],
    ["a delivery without an assignment", 11, ["orders", "o4 30 40   ", "o4 30 40 75 80 c1"]],
    ["an assignment without a delivery", 11, ["orders", "o3 15 70 70 104 c1", "o3 15 70   "]],
    ["another placement than the instance's", 11, ["orders", "o1 10 20", "o1 9 20"]],
    ["an order without a line", 11, ["orders", "o4 30 40   \n", ""]],
    ["an order of no instance", 11, ["assignments", "c1 o3", "c1 o3 o9"]],
    ["a courier of no instance", 11, ["assignments", "50 70 c1 o3", "50 70 c9 o3"]],
    ["a place of no instance", 11, ["couriers", "c1 72 r2 o3", "c1 72 r2 o3\nc1 120 o3 r9"]],
  ];
  for (const [what, rule, ...edits] of broken) {
    test(`finds ${what}`, () => expect(rulesOf(edited(...edits))).toContain(rule));
  }

  test("finds a pickup after the shift's end, and allows one at its very minute", () => {
    expect(evaluateMdrp(shiftUntil(70), solution).feasible).toBe(true);
    expect(evaluateMdrp(shiftUntil(69), solution).violations.map((found) => [found.rule, found.line])).toEqual([[6, 3]]);
  });

  test("says file, line, order and courier of what it finds", () => {
    const [found] = evaluateMdrp(instance, edited(["orders", "70 70 104", "70 70 103"])).violations;
    expect(found).toMatchObject({ rule: 5, severity: "violation", file: "solution_info_orders.txt", line: 4, order: "o3", courier: "c1" });
  });

  test("warns of more than 90 minutes, of two restaurants in a bundle, and of an assignment under way, and calls it feasible", () => {
    const late = { ...instance, "instance_parameters.txt": (instance["instance_parameters.txt"] ?? "").replace("\t90\t", "\t88\t") };
    const verdict = evaluateMdrp(late, edited(["assignments", "50 70 c1", "39 70 c1"]));
    expect(verdict.feasible).toBe(true);
    expect(verdict.warnings.map((found) => found.rule)).toEqual([9, 8]);

    const mixed = { ...instance, "orders.txt": (instance["orders.txt"] ?? "").replace("12\tr1\t22", "12\tr2\t22") };
    expect(evaluateMdrp(mixed, solution).warnings.map((found) => found.rule)).toEqual([3]);
  });

  test("allows a courier to stand at a restaurant before anything is assigned there", () => {
    const verdict = evaluateMdrp(instance, edited(["assignments", "50 70 c1", "70 70 c1"]));
    expect(verdict.feasible).toBe(true);
  });
});

describe("metrics", () => {
  test("are those computed by hand", () => {
    const { metrics } = evaluateMdrp(instance, solution);
    // CtD 21, 28, 89; RtD 11, 18, 34; RtoP 2, 0, 0. Floors: 10+4+5, 10+4+10, 55+4+30, and of the undelivered o4 10+4+60.
    expect(metrics.clickToDoor).toBe(46);
    expect(metrics.clickToDoorP90).toBeCloseTo(28 + 0.8 * 61, 12);
    expect(metrics.readyToDoor).toBe(21);
    expect(metrics.readyToPickup).toBeCloseTo(2 / 3, 12);
    expect(metrics.readyToPickupP90).toBeCloseTo(1.6, 12);
    expect(metrics.overage).toBe(49 / 4);
    expect(metrics.overageDelivered).toBeCloseTo(49 / 3, 12);
    expect(metrics.undeliveredPercent).toBe(25);
    expect(metrics.ordersPerBundle).toBe(1.5);
    // c1: max(30, 2 h × 15) = 30; c2 idle: 1 h × 15.
    expect(metrics.pay).toBe(45);
    expect(metrics.costPerOrder).toBe(15);
    // c1 drives 5 + 5 + 5 + 10 + 30, serves 3 × 4 + 2 × 4, in 120 minutes; c2 0.
    expect(metrics.utilisation).toBeCloseTo((55 + 12 + 8) / 120 / 2, 12);
    expect(metrics.clickToDoorFloor).toBeCloseTo((19 + 24 + 89 + 74) / 4, 12);
    expect(metrics.clickToDoorFloorDelivered).toBeCloseTo((19 + 24 + 89) / 3, 12);
    expect(metrics.excess).toBeCloseTo(46 - 51.5, 12);
    expect(metrics.excessDelivered).toBeCloseTo(46 - 44, 12);
    expect(metrics.costFloor).toBeCloseTo((15 * 3) / 4, 12);
    expect(metrics.aboveMaximum).toBe(0);
  });

  test("percentiles lie on the line between two ranks", () => {
    expect(percentile([4, 1, 3, 2], 0.9)).toBeCloseTo(3.7, 12);
    expect(percentile([5], 0.9)).toBe(5);
    expect(percentile([], 0.9)).toBe(0);
  });
});
