/** What every store, every layer over stores and every kind of rows below must do, as tests. */
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Disk } from "#disk";
import { diskRowStore } from "../disk-row-store.ts";
import type { RowWrite } from "../row-key.ts";
import type { RowStore, SealedState, TaskState, TaskStateOptions } from "../store.ts";
import { alarms, bells, descriptors, numbers, queue, stamped, storeIds, words } from "./fixture-stores.ts";
import { modelCommands, ModelRun } from "./model-run.ts";

/** Rows below the state, and the way by which a sealed generation gets there. */
export interface StateBackend {
  readonly rows: RowStore;
  write(rows: readonly RowWrite[]): void;
  close(): Promise<void>;
}

export interface StateConformanceOptions {
  readonly name: string;
  /** Empty rows; a new place each time. */
  readonly backend: () => Promise<StateBackend>;
  /** The state under test. */
  readonly open: (options: TaskStateOptions) => TaskState;
  /** Random runs of the model test; default 100. */
  readonly runs?: number;
}

/** Rows of a disk; closing closes the disk. */
export function diskBackend(disk: Disk): StateBackend {
  return {
    rows: diskRowStore(disk),
    write(rows) {
      const batch = disk.batch();
      for (const { key, value } of rows)
        if (value === null) batch.delete("rows", key);
        else batch.put("rows", key, value);
      disk.write(batch, { sync: false });
    },
    close: () => disk.close(),
  };
}

/** Registers the suite. */
export function stateConformance({ name, backend: makeBackend, open, runs = 100 }: StateConformanceOptions): void {
  describe(`state on ${name}`, () => {
    let backend: StateBackend;
    let state: TaskState;
    const openPartition = (partition: number, freeze = false): TaskState =>
      open({ rows: backend.rows, partition, descriptors, storeIds, freeze });
    const commit = (): SealedState => {
      const sealed = state.seal();
      backend.write(sealed.rows);
      state.acknowledge();
      return sealed;
    };

    beforeEach(async () => {
      backend = await makeBackend();
      state = openPartition(0);
    });
    afterEach(async () => {
      state.close();
      await backend.close();
    });

    test("a value is visible at once, while it commits, after it has committed, and after a restart", () => {
      const store = state.store(words);
      store.put("a", { n: 1 });
      expect(store.get("a")).toEqual({ n: 1 });
      const sealed = state.seal();
      expect(store.get("a")).toEqual({ n: 1 });
      expect(state.committed(words.name, "a")).toBeUndefined();
      backend.write(sealed.rows);
      state.acknowledge();
      expect(store.get("a")).toEqual({ n: 1 });
      expect(state.committed(words.name, "a")).toEqual({ n: 1 });
      state.close();
      state = openPartition(0);
      expect(state.store(words).get("a")).toEqual({ n: 1 });
    });

    test("a generation goes on while the one before commits, and deletes show through none of the layers", () => {
      const store = state.store(words);
      for (const key of ["a", "b", "c", "d"]) store.put(key, { n: 1 });
      commit();
      store.delete("b");
      store.put("c", { n: 2 });
      const sealed = state.seal();
      store.delete("c");
      store.put("b", { n: 3 });
      store.put("e", { n: 3 });
      const all = [
        ["a", { n: 1 }],
        ["b", { n: 3 }],
        ["d", { n: 1 }],
        ["e", { n: 3 }],
      ];
      expect([...store.range()]).toEqual(all);
      expect(store.get("c")).toBeUndefined();
      backend.write(sealed.rows);
      state.acknowledge();
      expect([...store.range()]).toEqual(all);
      expect(commit().rows).toHaveLength(3);
      expect([...store.range({ reverse: true })]).toEqual(all.toReversed());
    });

    test("each dirty key is encoded once for a generation, under its own store and partition", () => {
      for (let count = 0; count < 5; count++) state.store(words).put("a", { n: count });
      state.store(words).delete("gone");
      state.store(numbers).put(7, { n: 7 });
      state.store(stamped).put("s", { value: { n: 8 }, timestamp: 1234 });
      state.store(queue).put("q", 2, { n: 9 });
      state.store(bells).set("t", 500);
      const sealed = state.seal(99);
      expect(sealed.changes.map(({ store, value, timestamp }) => [store, value?.length ?? null, timestamp])).toEqual([
        ["words", 7, 99],
        ["words", null, 99],
        ["numbers", 7, 99],
        ["stamped", 7, 1234],
        ["queue", 15, 99],
        ["bells", 8, 99],
      ]);
      expect(sealed.changes[0]?.key.toString()).toBe("a");
      expect(sealed.rows).toHaveLength(6);
      expect(sealed.bytes).toBe(sealed.rows.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0));
      backend.write(sealed.rows);
      state.acknowledge();
      expect(state.seal().rows).toEqual([]);
      state.acknowledge();
      const other = openPartition(1);
      expect([...other.store(words).range()]).toEqual([]);
      expect(other.store(queue).size + other.store(bells).size).toBe(0);
      expect(Buffer.from(sealed.rows[0]?.key ?? []).readUInt32BE(4)).toBe(0);
      other.close();
    });

    test("rollback takes back everything since the savepoint, in all stores, and nothing before it", () => {
      const everything = (): unknown => [
        [...state.store(words).range()],
        [...state.store(stamped).range()],
        [...state.store(queue).entries()],
        state.store(alarms).peek(),
        state.store(alarms).size,
      ];
      state.store(words).put("a", { n: 1 });
      state.store(queue).put("x", 5, { n: 1 });
      state.store(queue).put("y", 6, { n: 1 });
      commit();
      state.store(words).put("b", { n: 2 });
      state.store(alarms).set("t", 10);
      state.savepoint();
      const before = everything();
      state.store(words).delete("a");
      state.store(words).put("b", { n: 3 });
      state.store(words).put("c", { n: 3 });
      state.store(stamped).put("s", { value: { n: 1 }, timestamp: 1 });
      state.store(queue).delete("x");
      state.store(queue).put("y", 1, { n: 2 });
      state.store(queue).put("z", 0, { n: 2 });
      state.store(alarms).set("t", 5);
      state.store(alarms).set("u", 1);
      expect(state.store(alarms).peek()?.key).toBe("u");
      state.rollback();
      expect(everything()).toEqual(before);
      state.rollback();
      expect(everything()).toEqual(before);
      expect(commit().rows).toHaveLength(2);
      expect(everything()).toEqual(before);
    });

    test("nothing is left to commit when the first write after a commit is rolled back", () => {
      state.savepoint();
      state.store(words).put("a", { n: 1 });
      expect(state.dirty).toBe(true);
      expect(state.dirtyBytes).toBeGreaterThan(0);
      state.rollback();
      expect(state.dirty).toBe(false);
      expect(state.dirtyBytes).toBe(0);
    });

    test("discard leaves what the rows have, whether the sealed generation got there or not", () => {
      for (const reachesRows of [false, true]) {
        state.store(words).put("a", { n: 1 });
        state.store(queue).put("q", 1, { n: 1 });
        state.store(alarms).set("t", 1);
        commit();
        state.store(words).put("a", { n: 2 });
        state.store(queue).put("q", 2, { n: 2 });
        state.store(alarms).cancel("t");
        const sealed = state.seal();
        state.store(words).put("b", { n: 3 });
        state.store(queue).put("r", 0, { n: 3 });
        if (reachesRows) backend.write(sealed.rows);
        state.discard();
        expect(state.dirty).toBe(false);
        expect([...state.store(words).range()]).toEqual([["a", { n: reachesRows ? 2 : 1 }]]);
        expect([...state.store(queue).entries()].map(({ id, priority }) => [id, priority])).toEqual([["q", reachesRows ? 2 : 1]]);
        expect(state.store(alarms).size).toBe(reachesRows ? 0 : 1);
      }
    });

    test("a value that does not encode is named with its store, and nothing is changed", () => {
      const circular: { n: number; self?: unknown } = { n: 1 };
      circular.self = circular;
      state.store(numbers).put(1, { n: 1 });
      state.store(words).put("good", { n: 1 });
      state.savepoint();
      state.store(words).put("bad", circular);
      const seal = (): unknown => state.seal();
      expect(seal).toThrow(expect.objectContaining({ name: "SerdeError", code: "VALUE_UNENCODABLE", store: "words", key: "bad" }));
      expect(state.store(words).get("good")).toEqual({ n: 1 });
      state.rollback();
      expect(commit().rows).toHaveLength(2);
      state.store(words).put("\ud800", { n: 1 });
      expect(seal).toThrow(expect.objectContaining({ code: "KEY_UNENCODABLE", store: "words" }));
      state.discard();
      state.store(stamped).put("s", { value: { n: 1 }, timestamp: 0.5 });
      expect(seal).toThrow(expect.objectContaining({ code: "VALUE_UNENCODABLE", store: "stamped", key: "s" }));
      state.discard();
      expect(() => state.store(numbers).get(Number.NaN)).toThrow(expect.objectContaining({ code: "KEY_UNENCODABLE" }));
    });

    test("a row that does not decode is named with its store and key", () => {
      state.store(words).put("a", { n: 1 });
      state.store(queue).put("q", 1, { n: 1 });
      const rows = state.seal().rows.map(({ key }) => ({ key: Buffer.from(key), value: Buffer.from("{") }));
      backend.write(rows);
      expect(() => openPartition(0)).toThrow(expect.objectContaining({ code: "ROW_UNDECODABLE" }));
      backend.write(rows.slice(1).map(({ key }) => ({ key, value: null })));
      state.discard();
      expect(() => state.store(words).get("a")).toThrow(expect.objectContaining({ code: "ROW_UNDECODABLE", store: "words", key: "a" }));
      expect(() => [...state.store(words).range()]).toThrow(expect.objectContaining({ code: "ROW_UNDECODABLE" }));
    });

    test("large values and thousands of keys come back as they were", () => {
      const note = "ä€😀".repeat(40_000);
      for (let index = 0; index < 5_000; index++) state.store(numbers).put(index, { n: index });
      for (let index = 0; index < 5; index++) state.store(words).put(`big${index}`, { n: index, note: note + index });
      const sealed = commit();
      expect(sealed.bytes).toBe(sealed.rows.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0));
      for (let index = 0; index < 5_000; index += 7) state.store(numbers).put(index, { n: index + 0.5 });
      commit();
      state.close();
      state = openPartition(0);
      let expected = 0;
      for (const [key, value] of state.store(numbers).range()) {
        expect(key).toBe(expected++);
        expect(value.n).toBe(key % 7 === 0 ? key + 0.5 : key);
      }
      expect(expected).toBe(5_000);
      for (let index = 0; index < 5; index++) expect(state.store(words).get(`big${index}`)?.note).toBe(note + index);
    });

    test("the bytes of a sealed generation stay as they are while the next one is written", () => {
      state.store(words).put("a", { n: 1 });
      const sealed = state.seal();
      const copies = sealed.rows.map(({ key, value }) => [Buffer.from(key), Buffer.from(value ?? [])]);
      for (let index = 0; index < 500; index++) state.store(words).put(`k${index}`, { n: index });
      expect(sealed.rows.map(({ key, value }) => [key, value])).toEqual(copies);
      state.discard();
      state.store(words).put("b", { n: 2 });
      state.seal();
      expect(sealed.rows.map(({ key, value }) => [key, value])).toEqual(copies);
    });

    test("a range may change what it walks over", () => {
      const store = state.store(words);
      for (const key of ["a", "b", "c", "d"]) store.put(key, { n: 1 });
      commit();
      store.put("bb", { n: 1 });
      const seen: string[] = [];
      for (const [key, value] of store.range()) {
        seen.push(`${key}${value.n}`);
        store.delete(key);
        if (key === "a") {
          store.put("c", { n: 2 });
          store.delete("d");
        }
      }
      expect(seen).toEqual(["a1", "b1", "bb1", "c2"]);
      expect([...store.range()]).toEqual([]);
    });

    test("a queue that changes under its reader gives nothing twice, and all that stays, in order", () => {
      const store = state.store(queue);
      for (let index = 0; index < 400; index++) store.put(`id${index}`, index % 10, { n: index });
      const seen: string[] = [];
      for (const { id, priority } of store.entries()) {
        seen.push(id);
        // The one in hand moves behind, others go or come before and behind.
        if (seen.length % 2 === 0) store.put(id, priority + 100, { n: 0 });
        if (seen.length % 3 === 0) store.delete(id);
        if (seen.length % 5 === 0) store.delete("id399");
        if (seen.length < 200) store.put(`new${seen.length}`, seen.length % 2 === 0 ? -1 : 1_000, { n: 0 });
      }
      const staying = Array.from({ length: 399 }, (_, index) => index).sort(
        (a, b) => (a % 10) - (b % 10) || (`id${a}` < `id${b}` ? -1 : 1),
      );
      expect(seen).toEqual(staying.map((index) => `id${index}`));
    });

    test("indexes are bounded, and say so before anything is changed", () => {
      for (let index = 0; index < 1_000; index++) {
        state.store(queue).put(`id${index}`, 1, { n: 1 });
        state.store(alarms).set(`id${index}`, 1);
      }
      const full = expect.objectContaining({ code: "STORE_FULL", key: "more" });
      expect(() => state.store(queue).put("more", 1, { n: 1 })).toThrow(full);
      expect(() => state.store(alarms).set("more", 1)).toThrow(full);
      state.store(queue).put("id5", 0, { n: 2 });
      state.store(queue).delete("id6");
      state.store(queue).put("more", 1, { n: 1 });
      expect(state.store(queue).size).toBe(1_000);
      expect(state.store(queue).peek()).toEqual({ id: "id5", priority: 0, value: { n: 2 } });
    });

    test("priorities and times that have no place in an order are refused", () => {
      for (const priority of [Number.NaN, Infinity])
        expect(() => state.store(queue).put("a", priority, { n: 1 })).toThrow(expect.objectContaining({ code: "PRIORITY_INVALID" }));
      for (const at of [-1, 0.5, Number.NaN])
        expect(() => state.store(alarms).set("a", at)).toThrow(expect.objectContaining({ code: "TIMER_INVALID" }));
      expect(state.dirty).toBe(false);
    });

    test("timers come in the order of time and key, and their stores in the order of names", () => {
      expect(state.timers.map(({ name, clock }) => [name, clock])).toEqual([
        ["alarms", "stream"],
        ["bells", "wall"],
      ]);
      const timers = state.store(alarms);
      for (const [key, at] of [
        ["b", 2],
        ["a", 2],
        ["late", Number.MAX_SAFE_INTEGER],
        ["c", 0],
      ] as const)
        timers.set(key, at);
      commit();
      state.close();
      state = openPartition(0);
      const fired: string[] = [];
      for (let next = state.store(alarms).peek(); next !== undefined; next = state.store(alarms).peek()) {
        fired.push(`${next.key}${next.at}`);
        state.store(alarms).cancel(next.key);
      }
      expect(fired).toEqual(["c0", "a2", "b2", `late${Number.MAX_SAFE_INTEGER}`]);
    });

    test("values are frozen to the bottom where freezing is on", () => {
      const frozen = openPartition(2, true);
      const value = { n: 1, list: [{ deep: true }] };
      frozen.store(words).put("a", value);
      expect(() => value.list.push({ deep: false })).toThrow(TypeError);
      const sealed = frozen.seal();
      backend.write(sealed.rows);
      frozen.discard();
      const read = frozen.store(words).get("a") as unknown as typeof value;
      expect(() => Object.assign(read.list[0] ?? {}, { deep: false })).toThrow(TypeError);
      frozen.close();
    });

    test("a store that was not declared is refused by name", () => {
      expect(() => state.committed("nowhere", "a")).toThrow(expect.objectContaining({ code: "STORE_UNKNOWN" }));
      expect(() => state.store({ ...words, name: "nowhere" })).toThrow(/There is no store nowhere; there are words, numbers/);
    });

    test("equals plain maps under random writes, rollbacks, commits, lost commits and restarts", { timeout: 60_000 }, () => {
      let partition = 10;
      fc.assert(
        fc.property(modelCommands, (commands) => {
          partition++;
          new ModelRun({ rows: backend.rows, partition, write: (rows) => backend.write(rows), open }).run(commands);
        }),
        { numRuns: runs },
      );
    });
  });
}
