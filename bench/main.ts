/** `npm run bench -- NAME [--runs N] [--seed N] [--flag value …]`: prints machine, versions, seed, raw runs and medians, and writes JSON. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { thisMachine } from "./machine.ts";
import type { Bench, BenchResult } from "./result.ts";

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  dispatch: async () => (await import("./dispatch.ts")).dispatch,
  "kafka-streams": async () => (await import("./kafka-streams.ts")).kafkaStreams,
  locations: async () => (await import("./locations.ts")).locations,
  matching: async () => (await import("./matching.ts")).matching,
  mdrp: async () => (await import("./mdrp.ts")).mdrp,
  queries: async () => (await import("./queries.ts")).queries,
  tracking: async () => (await import("./tracking.ts")).tracking,
  tune: async () => (await import("./tuning/tune.ts")).tune,
};

const resultsFolder = join("bench", "results", "local");

async function main(words: readonly string[]): Promise<number> {
  const [name = "", ...rest] = words;
  const load = benches[name];
  if (load === undefined) {
    process.stderr.write(
      `USAGE there is no bench "${name}"; there are: ${Object.keys(benches).join(", ")}\nType: npm run bench -- locations\n`,
    );
    return 2;
  }
  const flags = parse(rest);
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
  return 0;
}

function parse(words: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {};
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!word.startsWith("--")) continue;
    const next = words[index + 1];
    const hasValue = next !== undefined && !next.startsWith("--");
    flags[word.slice(2)] = hasValue ? next : "true";
    if (hasValue) index++;
  }
  return flags;
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
process.exitCode = await main(process.argv.slice(2));
