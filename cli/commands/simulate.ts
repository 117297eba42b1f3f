/** `simulate`: a whole day in virtual time through the real topologies and the log. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { policies } from "#topologies";
import { parseCity } from "#world";
import { CliError } from "../errors.ts";
import { verdictLines } from "../proof/prove.ts";
import { metricsTable } from "../simulate/metrics-table.ts";
import { simulateCity } from "../simulate/simulate-city.ts";
import { simulateMdrp } from "../simulate/simulate-mdrp.ts";
import type { Simulation } from "../simulate/simulation.ts";
import { writeTopics } from "../simulate/write-topics.ts";
import type { System } from "../system/open-system.ts";
import { progress } from "../terminal/progress.ts";
import { wholeNumber } from "./common-flags.ts";

interface SimulateFlags {
  readonly minutes: number;
  readonly data: string;
  readonly policy: string;
  readonly seed: number;
  readonly out?: string;
  readonly json?: boolean;
}

export function simulateCommand(program: Command): void {
  program
    .command("simulate")
    .description("a whole day in virtual time: metrics, published references, and the verdict on every invariant")
    .requiredOption("--data <dir|city:SEED>", "folder of an MDRP instance, or a seeded city")
    .option("--policy <name>", `matching algorithm: ${Object.keys(policies).sort().join(", ")}`, "batch-matching")
    .option("--seed <n>", "seed of a city's day", wholeNumber, 42)
    .option("--minutes <n>", "how long a city's customers order, virtual minutes", wholeNumber, 60)
    .option("--out <dir>", "write solution files, and assignments, trips and bills as JSON lines")
    .option("--json", "one JSON object with the metrics")
    .action(simulate);
}

async function simulate({ data, policy, seed, minutes, out, json }: SimulateFlags): Promise<void> {
  if (policies[policy] === undefined)
    throw new CliError("USAGE", `there is no policy "${policy}"; there are: ${Object.keys(policies).sort().join(", ")}`);
  const bar = progress({ label: basename(data), total: 0, unit: "min" });
  const city = parseCity(data === "city" ? `city:${seed}` : data);
  const common = {
    policy,
    onProgress: bar.update,
    inspect: async ({ log, topics }: System): Promise<void> => {
      if (out !== undefined) await writeTopics(out, log, topics);
    },
  };
  const result = city === undefined ? await simulateMdrp({ ...common, data }) : await simulateCity({ ...common, config: city, minutes });
  bar.end(`${result.day.recordsProcessed} records, ${result.day.commits} commits`);
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    for (const [name, text] of Object.entries(result.solution)) writeFileSync(join(out, name), text);
  }
  const sound = result.verdicts.every(({ ok }) => ok) && result.evaluation?.feasible !== false;
  if (json === true) console.log(JSON.stringify(summary(result, sound)));
  else print(result);
  if (!sound) throw new CliError("THRESHOLD_MISSED", "the day broke a rule or an invariant; see above");
}

function summary({ name, policy, verdicts, evaluation, figures, day, wallSeconds }: Simulation, sound: boolean): object {
  return {
    instance: name,
    policy,
    ok: sound,
    ...(evaluation === undefined
      ? {}
      : {
          feasible: evaluation.feasible,
          violations: evaluation.violations,
          warnings: evaluation.warningCount,
          metrics: evaluation.metrics,
        }),
    figures,
    invariants: Object.fromEntries(verdicts.map(({ invariant, ok, checked, violations }) => [invariant, { ok, checked, violations }])),
    day,
    wallSeconds,
  };
}

function print({ name, policy, evaluation, figures, verdicts, wallSeconds }: Simulation): void {
  console.log(`${name} with ${policy}, ${wallSeconds.toFixed(1)} s\n`);
  if (evaluation !== undefined) {
    console.log(metricsTable(policy, evaluation.metrics));
    console.log(
      `\n${evaluation.feasible ? "feasible by every rule" : `NOT FEASIBLE: ${evaluation.violationCount} violations`}, ${evaluation.warningCount} warnings`,
    );
    for (const violation of evaluation.violations.slice(0, 10)) console.log(`    ${JSON.stringify(violation)}`);
  }
  for (const [figure, value] of Object.entries(figures)) console.log(`${figure.padEnd(24)} ${value}`);
  console.log(`\n${verdictLines(verdicts).join("\n")}`);
}
