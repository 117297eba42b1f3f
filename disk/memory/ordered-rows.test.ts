import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OrderedRows } from "./ordered-rows.ts";

const keyOf = (value: number): string => String.fromCharCode(value >> 8, value & 255);

function contents(rows: OrderedRows, reverse = false): string[] {
  const cursor = rows.view({ from: undefined, to: undefined, reverse });
  const all: string[] = [];
  while (cursor.advance()) all.push(`${cursor.key}${cursor.value}`);
  return all;
}

test("rows over many leaves equal a sorted map, and a view never changes", () => {
  const step = fc.record({ start: fc.nat(4_000), stride: fc.integer({ min: -7, max: 7 }), count: fc.nat(700), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8, size: "max" }), fc.nat(4_000), fc.nat(4_000), (steps, low, high) => {
      const rows = new OrderedRows();
      const model = new Map<string, string>();
      for (const [turn, { start, stride, count, remove }] of steps.entries()) {
        const view = rows.view({ from: undefined, to: undefined, reverse: turn % 2 === 1 });
        const before = [...model].map((entry) => entry.join("")).sort();
        for (let index = 0; index < count; index++) {
          const key = keyOf(Math.abs(start + index * stride));
          if (remove) rows.delete(key);
          else rows.set(key, String(turn));
          if (remove) model.delete(key);
          else model.set(key, String(turn));
        }
        const seen: string[] = [];
        while (view.advance()) seen.push(`${view.key}${view.value}`);
        expect(turn % 2 === 1 ? seen.toReversed() : seen).toEqual(before);
      }
      const expected = [...model].map((entry) => entry.join("")).sort();
      expect(rows.size).toBe(model.size);
      expect(contents(rows)).toEqual(expected);
      expect(contents(rows, true)).toEqual(expected.toReversed());
      for (const [key, value] of model) expect(rows.get(key)).toBe(value);
      const [from, to] = [keyOf(low), keyOf(high)];
      for (const reverse of [false, true]) {
        const cursor = rows.view({ from, to, reverse });
        const inside: string[] = [];
        while (cursor.advance()) inside.push(cursor.key);
        const wanted = [...model.keys()].filter((key) => key >= from && key < to).sort();
        expect(inside).toEqual(reverse ? wanted.toReversed() : wanted);
      }
    }),
    { numRuns: 60 },
  );
});
