/** What may be tried for each parameter of a policy, and seeded steps from one setting to another. */

export type Setting = Readonly<Record<string, number>>;

/** By policy; parameters that are not here are facts of a zone or bounds of a tick, and are not tuned. */
export const grids: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  "open-plan": {
    marginMs: [180_000, 240_000, 300_000, 420_000, 600_000, 720_000, 900_000],
    readySpreadMs: [0, 60_000, 120_000, 180_000],
    horizonMs: [1_800_000, 2_700_000, 3_600_000],
    planMax: [2, 4, 8],
    bundleMax: [3, 4],
    drivingWeight: [0, 0.05, 0.1, 0.2, 0.3],
    endingWeight: [0, 0.1, 0.2, 0.4, 0.6],
    tries: [50, 100, 200],
    ruined: [4, 6, 9],
    blink: [0.01, 0.02, 0.05],
    payWeightMs: [0, 30_000, 60_000, 120_000],
    keptPerMinute: [0.97, 0.985, 0.993],
    movesMax: [3, 5, 10],
    moveReachMs: [180_000, 240_000, 360_000, 540_000],
    moveWithinMs: [600_000, 900_000, 1_500_000],
    moveGain: [1.1, 1.5, 2, 3],
    moveShiftMs: [900_000, 1_800_000, 3_600_000],
  },
  "batch-matching": {
    marginMs: [180_000, 300_000, 600_000, 720_000],
    drivingWeight: [0.02, 0.05, 0.1, 0.2],
    aloneMs: [2_700_000, 4_500_000],
    laterWeight: [1, 2],
  },
};

/** One or two parameters of the grid changed, never to what they are; a function of the draws alone, each in [0, 1). */
export function neighbour(setting: Setting, grid: Readonly<Record<string, readonly number[]>>, draw: () => number): Setting {
  const names = Object.keys(grid);
  const changes: Record<string, number> = {};
  const count = draw() < 0.5 ? 1 : 2;
  for (let change = 0; change < count; change++) {
    const name = names[Math.floor(draw() * names.length)] ?? "";
    const others = (grid[name] ?? []).filter((value) => value !== setting[name]);
    const value = others[Math.floor(draw() * others.length)];
    if (value !== undefined) changes[name] = value;
  }
  return { ...setting, ...changes };
}
