import { describe, expect, test } from "vitest";
import { h3Geography } from "./h3-geography.ts";
import { point, policySample as anySample } from "./testing/samples.ts";
import { Zones } from "./zones.ts";

const policySample: typeof anySample = (changes) => anySample({ dispatchResolution: 6, ...changes });
const geography = h3Geography();
const berlin = point(52.52, 13.405);
const zonesWith = (...policies: Parameters<typeof policySample>[0][]): Zones => {
  const zones = new Zones(geography, policySample());
  for (const policy of policies) zones.set(zones.entryFor(policySample(policy), 1_000));
  return zones;
};
const coarse = geography.cellOf(berlin, 6);
const fine = geography.cellOf(berlin, 7);

describe("policies", () => {
  test("the cell's own, else the default", () => {
    const zones = zonesWith({ zone: coarse, policy: "batch-matching" });
    expect(zones.policyOf(coarse).policy).toBe("batch-matching");
    expect(zones.policyOf(geography.cellOf(point(48.1, 11.6), 6)).policy).toBe("nearest");
  });
  test("of a larger cell hold in the smaller cells that it asks for", () => {
    const zones = zonesWith({ zone: coarse, policy: "batch-matching", dispatchResolution: 7 });
    expect(zones.zoneOf(berlin)).toMatchObject({ cell: fine, policy: { policy: "batch-matching" } });
    expect(zones.zoneOf(point(48.1, 11.6)).cell).toBe(geography.cellOf(point(48.1, 11.6), 6));
  });
  test("a published default takes the place of the built-in one, and each change has its epoch", () => {
    const zones = zonesWith({ zone: "default", tickMs: 5_000 }, { zone: "default", tickMs: 7_000 });
    expect(zones.policies.map((policy) => policy.tickMs)).toEqual([7_000]);
    expect(zones.epoch).toBe(2);
  });
});

describe("cells that a driver reaches", () => {
  test("are his own first, then neighbours within the halo", () => {
    const inside = geography.centreOf(coarse);
    const zones = zonesWith({ zone: "default", haloMetres: 300 });
    expect(zones.cellsReached(geography.fineCellOf(inside), 0)).toEqual([coarse]);
    const [first, ...others] = zonesWith({ zone: "default", haloMetres: 5_000 }).cellsReached(geography.fineCellOf(inside), 0);
    expect(first).toBe(coarse);
    expect(others.length).toBe(6);
  });
  test("no driver within the halo of a cell is hidden from it", () => {
    const zones = zonesWith({ zone: "default", haloMetres: 2_000 });
    for (let i = 0; i < 200; i++) {
      const driver = point(52.3 + (i % 20) * 0.02, 13.2 + Math.floor(i / 20) * 0.04);
      const job = point(driver.latitude + ((i % 7) - 3) * 0.005, driver.longitude + ((i % 5) - 2) * 0.006);
      if (geography.metresBetween(driver, job) > 2_000) continue;
      expect(zones.cellsReached(geography.fineCellOf(driver), 0)).toContain(zones.zoneOf(job).cell);
    }
  });
  test("of a former resolution stay until the last deadline of its jobs", () => {
    const zones = zonesWith({ zone: "default", dispatchResolution: 7, deadlineMs: 60_000 });
    const here = geography.fineCellOf(berlin);
    const until = 1_000 + policySample().deadlineMs;
    expect(zones.cellsReached(here, until - 1)).toEqual(expect.arrayContaining([fine, coarse]));
    expect(zones.cellsReached(here, until)).not.toContain(coarse);
    expect(zones.zoneOf(berlin).cell).toBe(fine);
  });
});
