/** Every instance of a folder, a process per core: the table of averages per policy, beside what was published. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { averageMetrics, averagesTable, mdrpInstances, progress, runInChildren, table, type MdrpDay, type MdrpDayJob } from "#cli";
import { median, type Bench, type BenchResult } from "./result.ts";

const daysFile = join("bench", "results", "local", "mdrp-days.json");

/** Flags: `data` (folder of instances), `policy` (comma-separated; nearest,batch-matching), `limit` (instances, 0: all), `processes`. */
export const mdrp: Bench = async ({ seed, flags }) => {
  const policies = (flags["policy"] ?? "nearest,batch-matching").split(",");
  const limit = Number(flags["limit"] ?? 0);
  const all = mdrpInstances(flags["data"] ?? join("world", "fixtures", "tiny"));
  const instances = limit > 0 ? all.slice(0, limit) : all;
  const jobs = instances.flatMap((data) => policies.map((policy): MdrpDayJob => ({ data, policy })));
  const days: MdrpDay[] = [];
  const lost: string[] = [];
  const bar = progress({ label: "mdrp", total: jobs.length, unit: "days" });
  const program = new URL("mdrp-child.ts", import.meta.url);
  const processes = flags["processes"] === undefined ? {} : { processes: Number(flags["processes"]) };
  await runInChildren<MdrpDayJob, MdrpDay>({ program, jobs, ...processes }, ({ data, policy }, outcome) => {
    if (outcome.ok) days.push(outcome.result);
    else lost.push(`${data} with ${policy}: ${outcome.error}`);
    bar.update(days.length + lost.length, jobs.length, `${count(days, lost)} unsound`);
  });
  bar.end(`${count(days, lost)} unsound`);
  days.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.policy < b.policy ? -1 : 1));
  for (const sentence of lost) console.error(sentence);
  for (const day of days) for (const sentence of day.broken) console.error(`${day.name} with ${day.policy}: ${sentence}`);
  if (days.length === 0) return [];
  const { head, rows } = averagesTable(days);
  console.log(`\n${table(head, rows)}`);
  const averages = Object.fromEntries(policies.map((policy) => [policy, averageMetrics(days.filter((day) => day.policy === policy))]));
  mkdirSync(join("bench", "results", "local"), { recursive: true });
  writeFileSync(daysFile, `${JSON.stringify({ averages, days }, null, 2)}\n`);
  return policies.flatMap((policy) => resultsOf(policy, days, seed));
};

function resultsOf(policy: string, all: readonly MdrpDay[], seed: number): readonly BenchResult[] {
  const days = all.filter((day) => day.policy === policy);
  if (days.length === 0) return [];
  const counts = {
    instances: days.length,
    feasible: days.filter(({ feasible }) => feasible).length,
    "invariants clean": days.filter(({ clean }) => clean).length,
  };
  const seconds = days.map((day) => day.seconds);
  const excess = days.map(({ metrics }) => metrics.excess);
  const facts = { ...counts, mean: averageMetrics(days).excess, "averages and days": daysFile };
  return [
    { name: `${policy}: excess over the floor, by instance`, unit: "min", runs: excess, median: median(excess), seed, facts },
    { name: `${policy}: a day`, unit: "s", runs: seconds, median: median(seconds), seed, facts: counts },
  ];
}

function count(days: readonly MdrpDay[], lost: readonly string[]): number {
  return lost.length + days.filter(({ feasible, clean }) => !feasible || !clean).length;
}
