import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contains, filterOf, hashId, mayContain, NEWEST_MAX, NO_HASHES, withNewest, withOlder } from "./recent-locations.ts";

/** As the drivers task does it: newest in a ring, and each full ring to the older ones. */
function rememberAll(ids: readonly string[]): { newest: Buffer; older: Buffer } {
  let newest: Buffer = NO_HASHES;
  let older: Buffer = NO_HASHES;
  ids.forEach((id, index) => {
    newest = withNewest(newest, index % NEWEST_MAX, hashId(id));
    if ((index + 1) % NEWEST_MAX === 0) older = withOlder(older, newest);
  });
  return { newest, older };
}

describe("event ids of locations", () => {
  test("the last 64 are known, at any number of them, and those before the last 80 are not", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), (count) => {
        const ids = Array.from({ length: count }, (_, index) => `event-${index}`);
        const { newest, older } = rememberAll(ids);
        const filter = older.length === 0 ? NO_HASHES : filterOf(older);
        const known = ids.map((id) => contains(newest, hashId(id)) || (mayContain(filter, hashId(id)) && contains(older, hashId(id))));
        expect(known.slice(-64).every(Boolean)).toBe(true);
        expect(known.slice(0, Math.max(0, count - 80)).some(Boolean)).toBe(false);
        expect(older.length).toBeLessThanOrEqual(256);
      }),
    );
  });
  test("a driver who goes home keeps no more memory than a small block", () => {
    const drivers = Array.from({ length: 100 }, (_, driver) => {
      // What else is allocated meanwhile lies in the blocks that all buffers share.
      Buffer.allocUnsafe(30_000);
      return rememberAll(Array.from({ length: 40 }, (_, index) => `driver-${driver}/event-${index}`));
    });
    const kept = new Set(drivers.flatMap(({ newest, older }) => [newest.buffer, older.buffer]));
    const bytes = [...kept].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes).toBeLessThanOrEqual(drivers.length * (4_096 + 256));
  });
  test("the filter sends few unknown ids to the older ones", () => {
    const { older } = rememberAll(Array.from({ length: 64 }, (_, index) => `event-${index}`));
    const filter = filterOf(older);
    let alike = 0;
    for (let index = 0; index < 10_000; index++) if (mayContain(filter, hashId(`other-${index}`))) alike++;
    expect(alike).toBeLessThan(500);
  });
});
