/** `npm run sim -- --seeds A..B [--minutes N] [--faults a,b] [--workers N] [--planted [NAME]]` */
import { Command, InvalidArgumentError } from "commander";
import { FAULT_NAMES, optionsOf, type FaultName } from "./faults/fault-plan.ts";
import { catchLine, plantAll } from "./plant-all.ts";
import { failureLines, neverHit, progressLine, summary } from "./report.ts";
import { hitsOf, runMany, type SeedReport } from "./run-many.ts";
import { shrink } from "./shrink.ts";

interface Flags {
  readonly seeds: readonly number[];
  readonly minutes: number;
  readonly faults?: readonly FaultName[];
  readonly workers: number;
  readonly planted?: string | true;
  readonly hash: boolean;
}

const PROGRESS_MS = 2_000;
/** From so many seeds on, each named point has to have been died at. */
const POINTS_FROM_SEEDS = 200;

const command = new Command("sim")
  .description("The application on simulated brokers, in virtual time, under every fault that a seed chooses.")
  .option("--seeds <A..B>", "first and last seed, or one", seedsOf, seedsOf("1..60"))
  .option("--minutes <N>", "virtual minutes of each seed with faults", positive, 2)
  .option("--faults <names>", `only these: ${FAULT_NAMES.join(", ")}`, faultsOf)
  .option("--workers <N>", "threads", positive, 2)
  .option("--planted [name]", "plants each known bug, or those of that name, and says which invariant catches it")
  .option("--hash", "prints the event hash of each seed", false);

const flags = command.parse().opts<Flags>();
process.exitCode = flags.planted === undefined ? await simulate(flags) : await plant(flags);

async function simulate({ seeds, minutes, faults, workers, hash }: Flags): Promise<number> {
  const limits = { minutes, ...(faults === undefined ? {} : { only: faults }) };
  const began = performance.now();
  let told = began;
  const reports: SeedReport[] = [];
  await runMany({
    jobs: seeds.map((seed) => ({ options: optionsOf(seed, limits) })),
    workers,
    ended: (report) => {
      reports.push(report);
      if (hash) say(`${report.options.seed} ${report.hash}`);
      if (performance.now() - told > PROGRESS_MS) {
        told = performance.now();
        say(progressLine(reports, seeds.length, told - began));
      }
      return report.violation !== undefined;
    },
  });
  const hits = hitsOf(reports);
  for (const line of summary(hits, reports)) say(line);
  const [failed] = reports.filter(({ violation }) => violation !== undefined).toSorted((a, b) => a.options.seed - b.options.seed);
  if (failed !== undefined) {
    for (const line of failureLines(failed, undefined)) say(line);
    say("shrinking …");
    const shrunk = await shrink(failed.options);
    for (const line of failureLines({ ...shrunk, violation: shrunk.violation }, shrunk.options)) say(line);
    return 1;
  }
  const missed = faults === undefined && seeds.length >= POINTS_FROM_SEEDS ? neverHit(hits) : [];
  if (missed.length > 0) say(`never died at: ${missed.join(", ")}`);
  return missed.length > 0 ? 1 : 0;
}

async function plant({ seeds, minutes, workers, planted }: Flags): Promise<number> {
  say("| planted bug | caught by | seeds |\n| --- | --- | --- |");
  const name = typeof planted === "string" ? { name: planted } : {};
  const all = await plantAll({ seeds, minutes, workers, caught: (found) => say(catchLine(found)), ...name });
  return all.every(({ by }) => by !== undefined) ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seedsOf(text: string): readonly number[] {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Give them as A..B.");
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  if (last < first) throw new InvalidArgumentError("The last seed is below the first.");
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("Give a number above 0.");
  return value;
}

function faultsOf(text: string): readonly FaultName[] {
  const names = text.split(",").filter((each) => each !== "");
  const unknown = names.find((each) => !FAULT_NAMES.includes(each as FaultName));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no fault ${unknown}.`);
  return names as FaultName[]; // each is in the list
}
