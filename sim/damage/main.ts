/**
 * `node sim/damage/main.ts --seeds A..B [--processes N] [--json]`: directories of both databases on both paths, damaged in every way there
 * is, once a seed. Exit 1 if anything was answered wrongly. With `--json` one object at the end, for whoever runs it.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { LogPath, RealKind } from "./damaged-state.ts";
import { runManyCases, type SeedCases } from "./run-many-cases.ts";
import { answerRows, countAnswers } from "./count-answers.ts";

const { values: flags } = parseArgs({
  options: { seeds: { type: "string", default: "1..10" }, processes: { type: "string" }, json: { type: "boolean", default: false } },
});

const paths: readonly LogPath[] = ["embedded", "kafka"];
const kinds: readonly RealKind[] = ["rocksdb", "classic-level"];

process.exitCode = await main();

async function main(): Promise<number> {
  const [from = NaN, to = from] = flags.seeds.split("..").map(Number);
  if (!Number.isInteger(from) || !Number.isInteger(to) || from > to) {
    process.stderr.write(`USAGE --seeds A..B, not "${flags.seeds}"\n`);
    return 2;
  }
  const seeds = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const jobs = seeds.flatMap((seed) => paths.flatMap((path) => kinds.map((kind): SeedCases => ({ path, kind, seed }))));
  const begun = performance.now();
  let done = 0;
  const cases = await runManyCases({
    jobs,
    processes: Math.min(Number(flags.processes ?? availableParallelism()), jobs.length),
    ended: () => {
      done += 1;
      const secondsLeft = (((performance.now() - begun) / done) * (jobs.length - done)) / 1_000;
      process.stderr.write(`${done}/${jobs.length} directories, ${Math.ceil(secondsLeft)} s left\n`);
    },
  });
  const wrong = cases.flatMap(({ name, path, kind, seed, did, answer }) =>
    answer.kind === "wrong" ? [`${name} (${did}), ${path}, ${kind}, seed ${seed}: ${answer.what}`] : [],
  );
  const counts = countAnswers(cases);
  if (flags.json) process.stdout.write(`${JSON.stringify({ cases: cases.length, wrong, rows: answerRows(counts) })}\n`);
  else {
    for (const [what, answers] of answerRows(counts)) process.stdout.write(`| ${what} | ${answers} |\n`);
    process.stdout.write(`${cases.length} damages, ${wrong.length} answered wrongly\n`);
  }
  for (const sentence of wrong) process.stderr.write(`${sentence}\n`);
  return wrong.length === 0 ? 0 : 1;
}
