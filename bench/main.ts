/** `npm run bench -- NAME [--runs N] [--seed N] [--flag value …]`: prints machine, versions, seed, raw runs and medians, and writes JSON. `--help` says which flags. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { thisMachine } from "./machine.ts";
import { catalogue, type CataloguedBench } from "./catalogue.ts";
import type { BenchResult } from "./result.ts";

const resultsFolder = join("bench", "results", "local");

const program = new Command("bench")
  .description("Measures, prints machine, raw runs and medians, and writes them as JSON.")
  .helpCommand(false);
for (const [name, bench] of Object.entries(catalogue)) program.addCommand(commandOf(name, bench));

function commandOf(name: string, { about, flags, load }: CataloguedBench): Command {
  const command = new Command(name).description(about);
  command.option("--runs <N>", "how often; default: what the bench says, else 3").option("--seed <N>", "default 42");
  for (const [flag, [value, meaning]] of Object.entries(flags)) command.option(`--${flag}${value === "" ? "" : ` <${value}>`}`, meaning);
  return command.action(() => measure(name, load, given(command)));
}

/** As text by the flag's own name; a flag without a value is "true". */
function given(command: Command): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (typeof value === "string") flags[option.name()] = value;
    else if (value === true) flags[option.name()] = "true";
  }
  return flags;
}

async function measure(name: string, load: CataloguedBench["load"], flags: Readonly<Record<string, string>>): Promise<void> {
  const seed = Number(flags["seed"] ?? 42);
  const runs = Number(flags["runs"] ?? 3);
  const machine = thisMachine();
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}, ${machine.platform}; seed ${seed}, ${runs} runs`,
  );
  const conclusions: string[] = [];
  const begun = performance.now();
  const results = await (await load())({ seed, runs, flags, conclude: (text) => conclusions.push(text) });
  const minutes = (performance.now() - begun) / 60_000;
  for (const result of results) print(result);
  mkdirSync(resultsFolder, { recursive: true });
  const file = join(resultsFolder, `${name}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, results }, null, 2)}\n`);
  for (const conclusion of conclusions) console.log(`\n${conclusion}`);
  console.log(`${minutes.toFixed(1)} minutes in all; raw results: ${file}`);
}

function show(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(4);
}

function print({ name, unit, runs, median, facts }: BenchResult): void {
  console.log(`\n${name}: median ${show(median)} ${unit}   runs ${runs.map(show).join("  ")}`);
  for (const [fact, value] of Object.entries(facts)) console.log(`  ${fact}: ${typeof value === "number" ? show(value) : value}`);
}

// Whatever it has started ends with it: that is done when the process exits.
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
await program.parseAsync();
