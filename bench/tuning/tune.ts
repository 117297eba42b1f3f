/** Seeded search for a policy's parameters over training days: neighbours of the best setting so far, by successive halving. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { averageMetrics, mdrpParameters, progress } from "#cli";
import { policies } from "#topologies";
import type { Bench, BenchResult } from "../result.ts";
import { grids, neighbour, type Setting } from "./candidates.ts";
import { Evaluations, programVersion, scoreOf, type TuningJob } from "./evaluations.ts";
import type { QuickDay } from "./quick-day.ts";
import { successiveHalving, type Ranked } from "./successive-halving.ts";
import { hash, trainingDays } from "./training-days.ts";

/** Share of candidates that reach the next rung. */
const keep = 0.34;
const local = join("bench", "results", "local");

/**
 * Flags: `policy` (open-plan), `data` (folder of training instances; those reported are left out), `candidates` (8 a round),
 * `rounds` (2), `rungs` (3,8,20 days), `orders` (1,000: larger instances are left out), `noisy`, `processes` (1), `from`
 * (name=value,…: where to begin instead of the defaults), `out` (result file). Stopped and started again, it goes on.
 */
export const tune: Bench = async ({ seed, flags }) => {
  const policy = flags["policy"] ?? "open-plan";
  const grid = grids[policy];
  const declared = policies[policy]?.parameters;
  if (grid === undefined || declared === undefined) throw new RangeError(`nothing is known of the parameters of ${policy}; try open-plan`);
  const noisy = flags["noisy"] === "true";
  const name = `${policy}${noisy ? "-noisy" : ""}-seed-${seed}`;
  const folder = join(local, "tuning");
  const days = trainingDays({ data: flags["data"], ordersMax: Number(flags["orders"] ?? 1_000), seed, scratch: join(folder, "invented") });
  const rungs = (flags["rungs"] ?? "3,8,20").split(",").map((count) => Math.min(Number(count), days.length));
  const evaluations = new Evaluations(join(folder, `${name}.jsonl`), Number(flags["processes"] ?? 1));
  const onInstances = mdrpParameters(policy, noisy);
  const defaults = Object.fromEntries(Object.keys(grid).map((one) => [one, onInstances[one] ?? declared[one]?.default ?? 0]));
  let best: Setting = { ...defaults, ...parseSetting(flags["from"] ?? "") };
  const rounds: Ranked<Setting>[][] = [];
  for (let round = 0; round < Number(flags["rounds"] ?? 2); round++) {
    const candidates = neighbours(best, grid, Number(flags["candidates"] ?? 8), `${seed} ${name} ${round}`);
    const jobsOf = (some: readonly Setting[], count: number): TuningJob[] =>
      some.flatMap((parameters) => days.slice(0, count).map((data) => ({ data, policy, parameters, seed, noisy })));
    const score = async (some: readonly Setting[], count: number): Promise<readonly number[]> => {
      const jobs = jobsOf(some, count);
      const bar = progress({ label: `round ${round + 1}, ${count} days`, total: jobs.length, unit: "days" });
      const played = await evaluations.days(jobs, (left) => bar.update(jobs.length - left, jobs.length, ""));
      bar.end("");
      return some.map((_, index) => mean(played.slice(index * count, (index + 1) * count).map(scoreOf)));
    };
    const ranked = await successiveHalving({ candidates, rungs, keep, score });
    rounds.push([...ranked]);
    best = ranked[0]?.candidate ?? best;
    console.log(`round ${round + 1}: ${ranked[0]?.score.toFixed(4)} with ${differences(best, defaults)}`);
  }
  const count = rungs.at(-1) ?? 0;
  const jobs = [defaults, best].flatMap((parameters) => days.slice(0, count).map((data) => ({ data, policy, parameters, seed, noisy })));
  const played = await evaluations.days(jobs, () => undefined);
  const [before, after] = [played.slice(0, count), played.slice(count)];
  const file = flags["out"] ?? join(folder, `${name}.json`);
  mkdirSync(folder, { recursive: true });
  const told = { policy, seed, noisy, program: programVersion(), days: days.slice(0, count).map((day) => basename(day)) };
  const summary = { ...told, defaults: summaryOf(before), chosen: { parameters: best, ...summaryOf(after) } };
  const tried = rounds.map((round) => round.map((one) => ({ ...one, candidate: differences(one.candidate, defaults) })));
  writeFileSync(file, `${JSON.stringify({ ...summary, rounds: tried }, null, 1)}\n`);
  return [
    resultOf("the defaults", before, seed, { settings: "as declared" }),
    resultOf("chosen", after, seed, { settings: differences(best, defaults), file }),
  ];
};

/** The setting itself first, then its neighbours, no two alike. */
function neighbours(best: Setting, grid: Readonly<Record<string, readonly number[]>>, count: number, lot: string): Setting[] {
  let drawn = 0;
  const draw = (): number => hash(`${lot} ${drawn++}`) / 2 ** 32;
  const found = new Map([[JSON.stringify(best), best]]);
  for (let attempt = 0; attempt < 50 * count && found.size <= count; attempt++) {
    const next = neighbour(best, grid, draw);
    found.set(JSON.stringify(next), next);
  }
  return [...found.values()];
}

/** `name=value,name=value`. Throws RangeError for what is no number. */
export function parseSetting(text: string): Setting {
  const parts = text.split(",").filter((part) => part !== "");
  return Object.fromEntries(
    parts.map((part) => {
      const [name = "", value = ""] = part.split("=");
      if (value === "" || !Number.isFinite(Number(value))) throw new RangeError(`${part} is not name=number`);
      return [name, Number(value)];
    }),
  );
}

function differences(setting: Setting, from: Setting): string {
  const changed = Object.entries(setting).filter(([name, value]) => from[name] !== value);
  return changed.length === 0 ? "the defaults" : changed.map(([name, value]) => `${name}=${value}`).join(",");
}

function summaryOf(days: readonly QuickDay[]) {
  const { excess, undeliveredPercent, costPerOrder, clickToDoor } = averageMetrics(days);
  return { score: mean(days.map(scoreOf)), excess, undeliveredPercent, costPerOrder, clickToDoor };
}

function resultOf(name: string, days: readonly QuickDay[], seed: number, facts: Readonly<Record<string, string>>): BenchResult {
  const runs = days.map(scoreOf);
  return { name: `${name}: score, by day`, unit: "min", runs, median: mean(runs), seed, facts: { ...facts, ...summaryOf(days) } };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
