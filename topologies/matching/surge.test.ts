import * as fc from "fast-check";
import { expect, test } from "vitest";
import { presentSample } from "../testing/samples.ts";
import { isSampleDue, isSupply, NO_SURGE_MILLI, rideSeen, sampled, SURGE_HOLDS_MS, surgeOf, surgeRule } from "./surge.ts";
import type { CellSurge } from "./surge.ts";

const MINUTE = 60_000;
const rule = surgeRule({});
const start = 1_000 * MINUTE;

function rides(count: number, at: number, before?: CellSurge): CellSurge {
  let cell = before;
  for (let ride = 0; ride < count; ride++) cell = rideSeen(cell, at, ["passengers"]);
  if (cell === undefined) throw new Error("no ride");
  return cell;
}

test("there is none while drivers are free, and a tenth for each tenth of a ride above half a ride to a free driver", () => {
  expect(surgeOf(0, 0, rule)).toBe(1_000);
  expect(surgeOf(5, 10, rule)).toBe(1_000);
  expect(surgeOf(6, 10, rule)).toBe(1_000 + 0);
  expect(surgeOf(8, 10, rule)).toBe(1_300);
  expect(surgeOf(40, 10, rule)).toBe(2_500);
  expect(surgeOf(1, 0, rule)).toBe(1_500);
  expect(surgeOf(40, 0, surgeRule({ surgeMaxMilli: 1_000 }))).toBe(1_000);
});

test("demand is of the last five minutes, and what was told lapses in a cell that falls quiet", () => {
  const busy = rides(12, start);
  const first = sampled(busy, start + 500, 10, rule);
  expect(first).toMatchObject({ tell: true, after: { surgeMilli: 1_700, until: start + 500 + SURGE_HOLDS_MS } });
  expect(isSampleDue(first.after, start + 59_999)).toBe(false);
  expect(isSampleDue(first.after, start + MINUTE)).toBe(true);
  // The same again: not told until half of its time has passed.
  const second = sampled(first.after, start + MINUTE, 10, rule);
  expect(second).toMatchObject({ tell: false, after: { surgeMilli: 1_700, until: start + 500 + SURGE_HOLDS_MS } });
  const third = sampled(second.after, start + 3 * MINUTE, 10, rule);
  expect(third).toMatchObject({ tell: true, after: { surgeMilli: 1_700, until: start + 3 * MINUTE + SURGE_HOLDS_MS } });
  const sixth = sampled(third.after, start + 6 * MINUTE, 10, rule);
  expect(sixth).toMatchObject({ tell: true, after: { surgeMilli: NO_SURGE_MILLI } });
  // Long after it lapsed, no surge is no news.
  expect(sampled(third.after, start + 20 * MINUTE, 10, rule)).toMatchObject({ tell: false });
});

test("supply is who is free and has what the rides ask for", () => {
  const cell = rides(1, start);
  expect(isSupply(presentSample({ tags: ["passengers"] }), cell)).toBe(true);
  expect(isSupply(presentSample({ tags: [] }), cell)).toBe(false);
  const job = { jobId: "j", status: "held", placeId: "", readyAt: 0, arrived: false } as const;
  expect(isSupply(presentSample({ tags: ["passengers"], jobs: [job] }), cell)).toBe(false);
});

test("the window counts as a naive count over all rides does", () => {
  const steps = fc.array(fc.record({ after: fc.nat(3 * MINUTE), free: fc.option(fc.nat(6)) }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(steps, (events) => {
      let at = start;
      let cell = rides(1, at);
      const seen = [at];
      for (const { after, free } of events) {
        at += after;
        if (free === null) {
          cell = rides(1, at, cell);
          seen.push(at);
        } else if (isSampleDue(cell, at)) {
          cell = sampled(cell, at, free, rule).after;
          const from = Math.floor(at / MINUTE) - 4;
          const inWindow = seen.filter((time) => Math.floor(time / MINUTE) >= from).length;
          expect(cell.demand.reduce((sum, count) => sum + count, 0)).toBe(inWindow);
        }
      }
    }),
  );
});
