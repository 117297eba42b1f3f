import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { grids, neighbour } from "./candidates.ts";
import { hash, isReported, trainingDays } from "./training-days.ts";

test("every variant of seeds 0 to 4 is reported on, none of seeds 5 to 9", () => {
  for (const name of ["0o100t100s1p100", "4r50t75s2p125"]) expect(isReported(join("data", name))).toBe(true);
  for (const name of ["5o100t100s1p100", "9r50t75s2p125", "tiny"]) expect(isReported(join("data", name))).toBe(false);
});

test("who has no training instances gets invented ones, the same for the same seed", () => {
  const scratch = mkdtempSync(join(tmpdir(), "slackline-training-"));
  try {
    const days = (seed: number) => trainingDays({ data: undefined, ordersMax: 1_000, seed, scratch }).map((day) => basename(day));
    expect(days(3)).toHaveLength(12);
    expect(days(3)).toEqual(days(3));
    expect(days(3)).not.toEqual(days(4));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

test("a neighbour differs in one or two parameters, each a value of the grid", () => {
  const grid = grids["open-plan"]!;
  let drawn = 0;
  const draw = (): number => hash(`neighbours ${drawn++}`) / 2 ** 32;
  const from = Object.fromEntries(Object.entries(grid).map(([name, values]) => [name, values[0]!]));
  for (let round = 0; round < 200; round++) {
    const next = neighbour(from, grid, draw);
    const changed = Object.keys(from).filter((name) => next[name] !== from[name]);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.length).toBeLessThanOrEqual(2);
    for (const name of changed) expect(grid[name]).toContain(next[name]);
  }
});
