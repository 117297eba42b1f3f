/** Every instance of a folder, a process per core: the table of averages per policy, beside what was published. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  averageMetrics,
  averagesTable,
  mdrpInstances,
  mdrpParameters,
  progress,
  runInChildren,
  table,
  type MdrpDay,
  type MdrpDayJob,
} from "#cli";
import { median, type Bench, type BenchResult } from "./result.ts";
import { ablate, ablationTable } from "./tuning/ablation.ts";
import { parseSetting } from "./tuning/tune.ts";

const local = join("bench", "results", "local");

/**
 * Flags: `data` (folder of instances), `policy` (comma-separated; nearest,batch-matching), `noisy` (only mean preparation times
 * are told), `parameters` (name=value,…), `match` (regular expression on the instances' names), `limit` (instances, 0: all),
 * `processes`, `out` (file of every day's figures), `ablate` (one policy, without each of its ingredients in turn), `quick` (one
 * policy, without log and topologies: nothing is proved of the invariants). The last two go on where they were stopped.
 */
export const mdrp: Bench = async (options) => {
  const { flags } = options;
  if (flags["ablate"] === "true" || flags["quick"] === "true") return takeApart(options);
  const policies = (flags["policy"] ?? "nearest,batch-matching").split(",");
  const noisy = flags["noisy"] === "true";
  const parameters = parseSetting(flags["parameters"] ?? "");
  const labelOf = (policy: string): string => (noisy ? `${policy}, noisy` : policy);
  const jobs = instancesOf(flags).flatMap((data) =>
    policies.map((policy): MdrpDayJob => ({ data, policy, noisy, parameters, label: labelOf(policy) })),
  );
  const days: MdrpDay[] = [];
  const lost: string[] = [];
  const bar = progress({ label: "mdrp", total: jobs.length, unit: "days" });
  const program = new URL("mdrp-child.ts", import.meta.url);
  await runInChildren<MdrpDayJob, MdrpDay>({ program, jobs, ...processesOf(flags) }, ({ data, policy }, outcome) => {
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
  const labels = policies.map(labelOf);
  const averages = Object.fromEntries(labels.map((label) => [label, averageMetrics(days.filter((day) => day.policy === label))]));
  const file = flags["out"] ?? join(local, "mdrp-days.jsonl");
  writeDays(file, { parameters, averages, days });
  return labels.flatMap((label) => resultsOf(label, days, options.seed, file));
};

function instancesOf(flags: Readonly<Record<string, string>>): readonly string[] {
  const pattern = new RegExp(flags["match"] ?? "");
  const all = mdrpInstances(flags["data"] ?? join("world", "fixtures", "tiny")).filter((folder) => pattern.test(basename(folder)));
  const limit = Number(flags["limit"] ?? 0);
  return limit > 0 ? all.slice(0, limit) : all;
}

function processesOf(flags: Readonly<Record<string, string>>): { readonly processes?: number } {
  return flags["processes"] === undefined ? {} : { processes: Number(flags["processes"]) };
}

/** JSON lines: the averages with what was set, then a line a day. */
function writeDays(file: string, { days, ...head }: { parameters: object; averages: object; days: readonly object[] }): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, [head, ...days].map((line) => `${JSON.stringify(line)}\n`).join(""));
}

async function takeApart({ seed, flags }: Parameters<Bench>[0]): Promise<readonly BenchResult[]> {
  const policy = flags["policy"] ?? "open-plan";
  const instances = instancesOf(flags);
  const bar = progress({ label: "ablation", total: 0, unit: "days" });
  const ledger = join(local, "tuning", `days-${policy}.jsonl`);
  const noisy = flags["noisy"] === "true";
  const quick = flags["quick"] === "true" ? { only: { ...mdrpParameters(policy, noisy), ...parseSetting(flags["parameters"] ?? "") } } : {};
  const onDay = (what: string, left: number): void => bar.update(instances.length - left, instances.length, what);
  const results = await ablate({ policy, noisy, ...quick, instances, seed, processes: Number(flags["processes"] ?? 1), ledger, onDay });
  bar.end("");
  console.log(`\n${instances.length} instances\n${ablationTable(results)}`);
  const file = flags["out"] ?? join(local, "mdrp-ablation.jsonl");
  const averages = Object.fromEntries(results.map(({ what, days }) => [what, averageMetrics(days)]));
  writeDays(file, { parameters: {}, averages, days: results.flatMap(({ what, days }) => days.map((day) => ({ without: what, ...day }))) });
  return results.map(({ what, days }) => {
    const runs = days.map(({ metrics }) => metrics.excess);
    const mean = averageMetrics(days).excess;
    return { name: `${what}: excess over the floor, by instance`, unit: "min", runs, median: median(runs), seed, facts: { mean, file } };
  });
}

function resultsOf(policy: string, all: readonly MdrpDay[], seed: number, file: string): readonly BenchResult[] {
  const days = all.filter((day) => day.policy === policy);
  if (days.length === 0) return [];
  const counts = {
    instances: days.length,
    feasible: days.filter(({ feasible }) => feasible).length,
    "invariants clean": days.filter(({ clean }) => clean).length,
  };
  const seconds = days.map((day) => day.seconds);
  const excess = days.map(({ metrics }) => metrics.excess);
  const facts = { ...counts, mean: averageMetrics(days).excess, "averages and days": file };
  return [
    { name: `${policy}: excess over the floor, by instance`, unit: "min", runs: excess, median: median(excess), seed, facts },
    { name: `${policy}: a day`, unit: "s", runs: seconds, median: median(seconds), seed, facts: counts },
  ];
}

function count(days: readonly MdrpDay[], lost: readonly string[]): number {
  return lost.length + days.filter(({ feasible, clean }) => !feasible || !clean).length;
}
