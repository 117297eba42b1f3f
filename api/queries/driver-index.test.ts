import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cellGeometry, cellPath } from "#geo";
import { dispatchServices } from "../dispatch-services.ts";
import { home, kitchen, ServedSystem } from "../testing/served-system.ts";
import { DriverIndex, INDEXED_STORES } from "./driver-index.ts";
import { storedDrivers } from "./driver-source.ts";
import type { NearbyQuery } from "./queries.ts";

const METRES_PER_DEGREE = 111_195;
const near = (north: number, east: number) => ({
  latitude: kitchen.latitude + north / METRES_PER_DEGREE,
  longitude: kitchen.longitude + east / (METRES_PER_DEGREE * Math.cos((kitchen.latitude * Math.PI) / 180)),
});

const point = fc.tuple(fc.integer({ min: -6_000, max: 6_000 }), fc.integer({ min: -6_000, max: 6_000 }));
const driverId = fc.integer({ min: 0, max: 30 }).map((number) => `d${number}`);

type Act =
  | { readonly kind: "start" | "move"; readonly driverId: string; readonly at: readonly [number, number] }
  | { readonly kind: "end"; readonly driverId: string }
  | { readonly kind: "order"; readonly at: readonly [number, number] }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "crash" };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("start" as const), driverId, at: point }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("move" as const), driverId, at: point }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("end" as const), driverId }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("order" as const), at: point }) },
  // Long enough for silence, too.
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(100, 4_000, 45_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const) }) },
);

const PARTITIONS = 3;
const ROWS_MAX = 1_000;
const areas = [7, 8].flatMap((resolution) =>
  cellGeometry.cellsWithin(kitchen, resolution, 9_000).map((cell) => ({ cell, path: cellPath(cell) })),
);

const queries: readonly NearbyQuery[] = [
  { ...kitchen, radiusMetres: 5_000, limit: 100 },
  { ...near(2_000, -3_000), radiusMetres: 5_000, limit: 3 },
  { ...near(-500, 900), radiusMetres: 1_200, limit: 20 },
  { ...near(5_000, 5_000), radiusMetres: 4_000, limit: 1 },
];

function onFailure(error: unknown): void {
  expect.fail(String(error));
}

test("whatever drivers do, drivers in memory give the answer that the stores give, as old as that", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 40 }), async (acts) => {
      await using system = await ServedSystem.open({ partitions: PARTITIONS, policy: { locationTtlMs: 30_000 } });
      const { log, view, topics, feed } = system;
      await using reference = await dispatchServices({ log, view, topics, now: () => system.now, onFailure });
      const same = async (): Promise<void> => {
        for (const query of queries) expect(await system.services.queries.nearby(query)).toEqual(await reference.queries.nearby(query));
      };
      const stored = storedDrivers(view);
      // Rows too: who is told of twice, or has left, does not show in answers that look at his last location.
      const sameRows = (): void => {
        for (const area of areas)
          for (let partition = 0; partition < PARTITIONS; partition++) {
            const found = system.services.index?.present(partition, area, ROWS_MAX) ?? [];
            expect(found.map(({ row, middle }) => ({ row, middle }))).toEqual(stored.present(partition, area, ROWS_MAX));
          }
      };
      let orders = 0;
      for (const [step, each] of acts.entries()) {
        if (each.kind === "start" || each.kind === "move") {
          const at = near(...each.at);
          await (each.kind === "start" ? system.startShift(each.driverId, at) : system.locate(each.driverId, at));
        } else if (each.kind === "end") await system.post("/v1/driver-events", { type: "ShiftEnded", driverId: each.driverId });
        else if (each.kind === "order") await system.place(`o${orders++}`, { pickup: near(...each.at), dropOff: home });
        else if (each.kind === "crash") system.crash();
        else if (each.kind === "wait") await system.advance(each.ms);
        if (step % 4 === 3) await same();
      }
      await system.advance(1_000);
      await feed.settled;
      expect(INDEXED_STORES.map((store) => feed.complete(store))).toEqual([true, true]);
      await same();
      sameRows();
      expect(system.failures).toEqual([]);
    }),
    { numRuns: 6 },
  );
});

test("an answer from memory says how far the inputs of its rows were processed, not how far others are committed", async () => {
  await using system = await ServedSystem.open({ partitions: 1 });
  const { log, view, topics, feed } = system;
  await system.startShift("d1");
  await system.advance(1_000);
  await feed.settled;
  await using reference = await dispatchServices({ log, view, topics, now: () => system.now, onFailure });
  // What is committed and was not told yet.
  const hear = feed.hear.bind(feed);
  const held: Parameters<typeof hear>[] = [];
  feed.hear = (...told) => void held.push(told);
  await system.startShift("d2");
  await system.advance(1_000);
  const query = { ...kitchen, radiusMetres: 1_000, limit: 10 };
  const ids = ({ value }: Awaited<ReturnType<typeof reference.queries.nearby>>): readonly string[] =>
    value.drivers.map((each) => each.driverId);
  const [old, fresh] = [await system.services.queries.nearby(query), await reference.queries.nearby(query)];
  expect([ids(old), ids(fresh)]).toEqual([["d1"], ["d1", "d2"]]);
  expect(old.freshness.positions[0]?.offset).toBeLessThan(fresh.freshness.positions[0]?.offset ?? 0);
  for (const told of held) hear(...told);
  expect(await system.services.queries.nearby(query)).toEqual(await reference.queries.nearby(query));
});

test("with more rows than may be kept, nothing is kept and the stores answer", async () => {
  await using system = await ServedSystem.open({ partitions: 1 });
  system.services.index?.close();
  const failures: unknown[] = [];
  const { feed, view } = system;
  const index = new DriverIndex({ feed, view, rowsMax: 5, onFailure: (error) => void failures.push(error) });
  for (let number = 0; number < 4; number++) {
    await system.startShift(`d${number}`);
    await system.advance(1_000);
    await feed.settled;
    const { present, located } = index.counts();
    expect(present + located).toBeLessThanOrEqual(5);
  }
  expect(index.positions(0)).toBeUndefined();
  expect(failures.map(String)).toEqual([expect.stringContaining("more than 5 rows")]);
  const [area] = areas;
  if (area !== undefined) expect(index.present(0, area, ROWS_MAX)).toEqual(storedDrivers(view).present(0, area, ROWS_MAX));
  expect(index.lastLocations(["d0", "d3"])).toEqual(storedDrivers(view).lastLocations(["d0", "d3"]));
  expect((await system.get(`/v1/nearby-drivers?latitude=${kitchen.latitude}&longitude=${kitchen.longitude}`)).body["drivers"]).toHaveLength(
    4,
  );
});
