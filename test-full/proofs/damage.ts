/** State directories that are damaged, hundreds of times: the simulation's own command, asked for more. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { markdownTable } from "../markdown.ts";
import type { Proof } from "../proof.ts";

const SEEDS_PER_ITEM = 10;
const ITEMS = 10;
const program = fileURLToPath(new URL("../../sim/damage/main.ts", import.meta.url));

interface DamageResult {
  readonly cases: number;
  readonly wrong: readonly string[];
  readonly rows: readonly (readonly [string, string])[];
}

export const damage: Proof<{ readonly seeds: string }> = {
  name: "damage",
  claim:
    "a damaged state directory, under RocksDB and LevelDB, on the embedded log and beside brokers, is refused by name or goes on from an earlier moment to the right state",
  needs: "nothing",
  processes: 1,
  itemSecondsMax: 3_600,
  items: () =>
    Array.from({ length: ITEMS }, (_, index) => {
      const seeds = `${index * SEEDS_PER_ITEM + 1}..${(index + 1) * SEEDS_PER_ITEM}`;
      return { name: `seeds ${seeds}`, job: { seeds } };
    }),
  async prove({ seeds }) {
    const output = await run([program, "--seeds", seeds, "--json"]);
    const { cases, wrong, rows } = JSON.parse(output) as DamageResult; // of that command
    return { ok: wrong.length === 0 && cases > 0, facts: { cases, broken: wrong.join("\n"), rows: JSON.stringify(rows) } };
  },
  tell: (entries) => {
    const rows = entries.flatMap(({ facts }) => JSON.parse(String(facts["rows"] ?? "[]")) as DamageResult["rows"]);
    return markdownTable(["what was done", "what was answered"], sumOf(rows));
  },
};

/** Answers read "this (3), that (1)": added up. */
function sumOf(rows: DamageResult["rows"]): string[][] {
  const sums = new Map<string, Map<string, number>>();
  for (const [what, answers] of rows) {
    const sum = sums.get(what) ?? new Map<string, number>();
    sums.set(what, sum);
    for (const [, answer = "", count] of answers.matchAll(/([^,(]+) \((\d+)\)/g))
      sum.set(answer.trim(), (sum.get(answer.trim()) ?? 0) + Number(count));
  }
  return [...sums].map(([what, sum]) => [what, [...sum].map(([answer, count]) => `${answer} (${count})`).join(", ")]);
}

function run(words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
