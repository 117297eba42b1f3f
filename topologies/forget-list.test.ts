import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memoryDisk } from "#disk";
import { diskRowStore, openTaskState } from "#state";
import type { KeyValueStore } from "#state";
import { FORGOTTEN_PER_CHECK_MAX, ForgetList, forgetStore } from "./forget-list.ts";
import { FORGET_AFTER_MS } from "./topics.ts";

const opened = (): { readonly store: KeyValueStore<string, number>; readonly list: ForgetList } => {
  const descriptor = forgetStore("forgets");
  const options = { partition: 0, descriptors: [descriptor], storeIds: new Map([["forgets", 9]]) };
  const store = openTaskState({ rows: diskRowStore(memoryDisk()), ...options }).store(descriptor);
  return { store, list: new ForgetList(store) };
};
const forgotten = (list: ForgetList, now: number, keeps: readonly string[] = []): string[] => {
  const ids: string[] = [];
  list.check(now, (id) => !keeps.includes(id) && ids.push(id) > 0);
  return ids;
};

test("forgets neither before the time nor a second time, oldest first", () => {
  const { list } = opened();
  list.add("late", 2_000);
  list.add("early/with/slashes", 1_000);
  expect(list.forgottenUntil).toBe(-1);
  expect(forgotten(list, 0)).toEqual([]);
  expect(forgotten(list, FORGET_AFTER_MS + 999)).toEqual([]);
  expect(forgotten(list, FORGET_AFTER_MS + 1_000)).toEqual(["early/with/slashes"]);
  expect(list.forgottenUntil).toBe(1_000);
  expect(forgotten(list, FORGET_AFTER_MS * 2)).toEqual(["late"]);
  expect(forgotten(list, FORGET_AFTER_MS * 3)).toEqual([]);
});

test("what ends behind what is forgotten already is found all the same", () => {
  const { list } = opened();
  list.add("a", 5_000);
  forgotten(list, FORGET_AFTER_MS + 5_000);
  list.add("b", 10);
  expect(forgotten(list, FORGET_AFTER_MS + 6_000)).toEqual(["b"]);
});

test("remembers the largest mark of what was forgotten, not of what was kept", () => {
  const { list } = opened();
  for (const [id, mark] of Object.entries({ a: 7, b: 9, c: 3 })) list.add(id, 1_000, mark);
  expect(forgotten(list, FORGET_AFTER_MS * 2, ["b"])).toEqual(["a", "c"]);
  expect(list.markMax).toBe(7);
});

test("work of one check is bounded, and the rest follows", () => {
  const { list, store } = opened();
  const count = FORGOTTEN_PER_CHECK_MAX + 10;
  for (let i = 0; i < count; i++) list.add(`j${i}`, 1_000);
  expect(forgotten(list, FORGET_AFTER_MS * 2)).toHaveLength(FORGOTTEN_PER_CHECK_MAX);
  expect(forgotten(list, FORGET_AFTER_MS * 2 + 1)).toHaveLength(10);
  expect([...store.range()].map(([key]) => key)).toEqual(["until"]);
});

test("equals a plain list, whatever is added when, and leaves no row of what it forgot", () => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 99 }), time: fc.nat(1_000), checkAt: fc.option(fc.nat(2_000)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { list, store } = opened();
      let model: { id: string; time: number }[] = [];
      let now = FORGET_AFTER_MS;
      let until = -1;
      steps.forEach(({ id, time, checkAt }, i) => {
        const name = `${id}-${i}`;
        list.add(name, time);
        model.push({ id: name, time: Math.max(time, until) });
        if (checkAt === null) return;
        now = Math.max(now, FORGET_AFTER_MS + checkAt);
        const due = model.filter((entry) => entry.time <= now - FORGET_AFTER_MS);
        model = model.filter((entry) => !due.includes(entry));
        // A check that moves no further finds nothing but what is as old as the last one's newest; it may wait.
        const found = forgotten(list, now);
        if (list.forgottenUntil > until || found.length > 0) expect(found.sort()).toEqual(due.map((entry) => entry.id).sort());
        else model.push(...due);
        until = Math.max(until, list.forgottenUntil);
      });
      expect([...store.range()].filter(([key]) => key.includes("/"))).toHaveLength(model.length);
    }),
  );
});
