import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EntrySlots } from "./entry-slots.ts";

test("slots never lose an entry of an overlay, never give an older committed one, and keep their bound", () => {
  const step = fc.record({ kind: fc.constantFrom("find", "peek", "load", "write", "seal", "acknowledge"), key: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), fc.integer({ min: 2, max: 16 }), (steps, committedMax) => {
      const slots = new EntrySlots<number, number>(committedMax);
      const active = new Map<number, number>();
      let committing = new Map<number, number>();
      const committed = new Map<number, number>();
      let most = 0;
      for (const [turn, { kind, key }] of steps.entries()) {
        if (kind === "load") slots.findOrAdd(key).committed ??= committed.get(key) ?? -1;
        else if (kind === "write") {
          const slot = slots.findOrAdd(key);
          slot.active = turn;
          if (!slot.listed) slots.list(slot);
          active.set(key, turn);
        } else if (kind === "seal") {
          if (committing.size > 0) continue;
          slots.seal();
          committing = new Map(active);
          active.clear();
        } else if (kind === "acknowledge") {
          slots.acknowledge();
          for (const [each, entry] of committing) committed.set(each, entry);
          committing = new Map();
        } else {
          const slot = kind === "find" ? slots.find(key) : slots.peek(key);
          expect(slot?.active).toBe(active.get(key));
          expect(slot?.committing).toBe(committing.get(key));
          expect([undefined, committed.get(key) ?? -1]).toContain(slot?.committed);
        }
        // A slot of an overlay may be in both Maps, and is in the old one for a while when the overlay is gone.
        most = Math.max(most, slots.active.length + slots.committing.length);
        expect(slots.spare).toBeLessThanOrEqual(committedMax + 2 * most + 1);
      }
      expect(slots.active.map((slot) => [slot.key, slot.active])).toEqual([...active]);
      expect(slots.committing.map((slot) => [slot.key, slot.committing])).toEqual([...committing]);
    }),
    { numRuns: 500 },
  );
});

test("what is used stays, what is not goes", () => {
  const slots = new EntrySlots<number, string>(20);
  for (let key = 0; key < 1_000; key++) {
    slots.findOrAdd(key).committed = "value";
    slots.findOrAdd(0).committed = "value";
  }
  expect(slots.find(999)?.committed).toBe("value");
  expect(slots.find(500)).toBeUndefined();
  expect(slots.spare).toBeLessThanOrEqual(21);
  slots.clear();
  expect(slots.spare).toBe(0);
});

test("what was written to stays, however much is read meanwhile", () => {
  const slots = new EntrySlots<number, string>(4);
  const written = slots.findOrAdd(-1);
  written.active = "written";
  slots.list(written);
  for (let key = 0; key < 100; key++) slots.findOrAdd(key);
  expect(slots.find(-1)).toBe(written);
  slots.seal();
  for (let key = 0; key < 100; key++) slots.findOrAdd(key);
  expect(slots.find(-1)?.committing).toBe("written");
  slots.acknowledge();
  for (let key = 0; key < 100; key++) slots.findOrAdd(key);
  expect(slots.find(-1)).toBeUndefined();
});
