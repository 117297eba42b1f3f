/** `npm run bench -- NAME [--runs N] [--seed N] [--flag value …]`: prints machine, versions, seed, raw runs and medians, and writes JSON. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
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
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
  };
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}, ${machine.platform}; seed ${seed}, ${runs} runs`,
  );
  const results = await (await load())({ seed, runs, flags });
  for (const result of results) print(result);
  mkdirSync(resultsFolder, { recursive: true });
  const file = join(resultsFolder, `${name}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, results }, null, 2)}\n`);
  console.log(`raw results: ${file}`);
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

process.exitCode = await main(process.argv.slice(2));
