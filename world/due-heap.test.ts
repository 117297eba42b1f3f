import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DueHeap } from "./due-heap.ts";

test("the first slot is always the one that a plain search finds", () => {
  const change = fc.record({ slot: fc.nat(12), dueAt: fc.oneof(fc.nat(6), fc.constant(Infinity)) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const heap = new DueHeap();
      const dues: number[] = [];
      for (const { slot, dueAt } of changes) {
        heap.set(slot, dueAt);
        while (dues.length <= slot) dues.push(Infinity);
        dues[slot] = dueAt;
        const least = Math.min(...dues);
        expect(heap.firstDueAt).toBe(least);
        expect(heap.first).toBe(dues.indexOf(least));
      }
    }),
  );
});

test("nobody is first in an empty heap", () => {
  expect(new DueHeap().first).toBe(-1);
  expect(new DueHeap().firstDueAt).toBe(Infinity);
});
