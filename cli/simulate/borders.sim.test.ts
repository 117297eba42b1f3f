/** A city split into dispatch cells loses nothing: drivers are present beyond their own cell, and no border hides them. */
import { cellGeometry } from "#geo";
import type { ZonePolicy } from "#schemas";
import { defaultPolicy } from "#topologies";
import { CITY_DEFAULTS, cityConfig } from "#world";
import { expect, test } from "vitest";
import { simulateCity } from "./simulate-city.ts";
import type { Simulation } from "./simulation.ts";

/** In the middle of one coarse cell, so that there the whole city is one. */
const coarse = 4;
const centre = cellGeometry.centreOf(cellGeometry.cellOf(CITY_DEFAULTS.centre, coarse));
const config = cityConfig({
  seed: 3,
  centre,
  radiusMetres: 4_000,
  drivers: 50,
  ordersPerMinute: 7,
  ridesPerMinute: 1,
  gpsEveryMs: 30_000,
});
/** Devices report seldom here: nobody is silent for it. */
const zone: Partial<ZonePolicy> = { locationTtlMs: 0, throttleMs: 0 };

function play(changes: Partial<ZonePolicy>, zones: readonly ZonePolicy[] = [], policy = "nearest"): Promise<Simulation> {
  return simulateCity({ config, policy, minutes: 5, partitions: 2, quantumMs: 1_000, zone: { ...zone, ...changes }, zones });
}

const clickToDoor = ({ figures }: Simulation): number => figures["clickToDoorMinutes"] ?? 0;
const broken = ({ verdicts }: Simulation): readonly string[] => verdicts.flatMap(({ violations }) => violations);

test(
  "in fifty cells or two kinds of cells the same orders take as long as in one, nobody is assigned twice, and without the halo they would not",
  { timeout: 300_000 },
  async () => {
    const whole = await play({ dispatchResolution: coarse, haloMetres: 0 });
    const split = await play({ dispatchResolution: 7, haloMetres: 3_000 });
    const hidden = await play({ dispatchResolution: 7, haloMetres: 0 });
    // One half of the city, by a coarser cell, has cells of its own size from the start.
    const half: ZonePolicy = {
      ...defaultPolicy,
      ...zone,
      policy: "nearest",
      version: 1,
      zone: cellGeometry.cellOf(centre, 6),
      dispatchResolution: 8,
    };
    const mixed = await play({ dispatchResolution: 6, haloMetres: 3_000 }, [half]);
    for (const day of [whole, split, hidden, mixed]) {
      expect(broken(day)).toEqual([]);
      expect(day.figures["failed"]).toBe(0);
      expect(day.cells.reduce((sum, { jobs }) => sum + jobs, 0)).toBe((whole.figures["orders"] ?? 0) + (whole.figures["rides"] ?? 0));
    }
    expect(whole.cells).toHaveLength(1);
    expect(split.cells.filter(({ jobs }) => jobs > 0).length).toBeGreaterThan(5);
    expect(new Set(mixed.cells.map(({ cell }) => cellGeometry.resolutionOf(cell)))).toEqual(new Set([6, 8]));
    const times = [whole, split, mixed, hidden].map(clickToDoor);
    expect(times[1], String(times)).toBeLessThan((times[0] ?? 0) * 1.01);
    expect(times[2], String(times)).toBeLessThan((times[0] ?? 0) * 1.01);
    expect(times[3], String(times)).toBeGreaterThan((times[0] ?? 0) * 1.01);
  },
);

test(
  "cells that plan for many drivers at once know their neighbours' jobs: none is refused a driver, and orders take as long as in one cell",
  { timeout: 300_000 },
  async () => {
    const whole = await play({ dispatchResolution: coarse, haloMetres: 0 }, [], "batch-matching");
    const split = await play({ dispatchResolution: 7, haloMetres: 3_000 }, [], "batch-matching");
    for (const day of [whole, split]) {
      expect(broken(day)).toEqual([]);
      expect(day.figures["failed"]).toBe(0);
    }
    expect(split.cells.filter(({ jobs }) => jobs > 0).length).toBeGreaterThan(5);
    expect(split.cells.reduce((sum, { refused }) => sum + refused, 0)).toBe(0);
    const times = [whole, split].map(clickToDoor);
    expect(times[1], String(times)).toBeLessThan((times[0] ?? 0) * 1.01);
  },
);
