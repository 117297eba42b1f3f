/** `npm run sim -- --seeds A..B [--minutes N] [--faults a,b] [--workers N] [--planted [NAME]] [--application NAME] [--journal FILE] [--report FILE]` */
import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { FAULT_NAMES, optionsOf, type ApplicationName, type FaultName } from "./faults/fault-plan.ts";
import { Journal } from "./journal.ts";
import { catchLine, plantAll } from "./plant-all.ts";
import { failureLines, neverHit, progressLine, summary } from "./report.ts";
import { reportPage } from "./report-page.ts";
import { hitsOf, runMany, type SeedReport } from "./run-many.ts";
import { shrink } from "./shrink.ts";

interface Flags {
  readonly seeds: readonly number[];
  readonly minutes: number;
  readonly faults?: readonly FaultName[];
  readonly workers: number;
  readonly planted?: string | true;
  readonly hash: boolean;
  readonly application?: ApplicationName;
  readonly journal?: string;
  readonly report?: string;
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
  .addOption(new Option("--application <name>", "only this one; default: dispatch for each third seed").choices(["ledger", "dispatch"]))
  .option("--journal <file>", "keeps each seed as it ends: those that are in it are not run again, and a violation does not end the run")
  .option("--report <file>", "writes a page with machine, counts, faults, deaths by point and violations")
  .option("--hash", "prints the event hash of each seed", false);

const flags = command.parse().opts<Flags>();
process.exitCode = flags.planted === undefined ? await simulate(flags) : await plant(flags);

async function simulate(given: Flags): Promise<number> {
  const { seeds, minutes, faults, workers, hash, application } = given;
  const limits = { minutes, ...(faults === undefined ? {} : { only: faults }), ...(application === undefined ? {} : { application }) };
  const journal = given.journal === undefined ? undefined : new Journal(given.journal);
  const reports: SeedReport[] = journal?.earlier.filter(({ options: { seed } }) => seeds.includes(seed)) ?? [];
  const known = new Set(reports.map(({ options }) => options.seed));
  const left = seeds.filter((seed) => !known.has(seed));
  if (known.size > 0) say(`${known.size} seeds had ended before`);
  const began = performance.now();
  let told = began;
  const fresh: SeedReport[] = [];
  await runMany({
    jobs: left.map((seed) => ({ options: optionsOf(seed, limits) })),
    workers,
    ended: (report) => {
      fresh.push(report);
      reports.push(report);
      journal?.add(report);
      if (hash) say(`${report.options.seed} ${report.hash}`);
      if (performance.now() - told > PROGRESS_MS) {
        told = performance.now();
        say(progressLine(fresh, left.length, told - began));
      }
      if (journal !== undefined && report.violation !== undefined) for (const line of failureLines(report, undefined)) say(line);
      return journal === undefined && report.violation !== undefined;
    },
  });
  for (const line of summary(hitsOf(reports), reports)) say(line);
  if (given.report !== undefined) {
    writeFileSync(
      given.report,
      reportPage({ reports, seeds: seeds.length, date: Date.now(), command: commandOf(), missed: missedOf(given, reports) }),
    );
    say(`report: ${given.report}`);
  }
  return verdict(given, reports);
}

/** The exit code. */
async function verdict(given: Flags, reports: readonly SeedReport[]): Promise<number> {
  const [failed] = reports.filter(({ violation }) => violation !== undefined).toSorted((a, b) => a.options.seed - b.options.seed);
  if (failed !== undefined) {
    for (const line of failureLines(failed, undefined)) say(line);
    say("shrinking …");
    const shrunk = await shrink(failed.options);
    for (const line of failureLines({ ...shrunk, violation: shrunk.violation }, shrunk.options)) say(line);
    return 1;
  }
  const missed = missedOf(given, reports);
  if (missed.length > 0) say(`never died at: ${missed.join(", ")}`);
  return missed.length > 0 ? 1 : 0;
}

function missedOf({ seeds, faults }: Flags, reports: readonly SeedReport[]): readonly string[] {
  return faults === undefined && seeds.length >= POINTS_FROM_SEEDS ? neverHit(hitsOf(reports)) : [];
}

/** Without the files, which are elsewhere on another machine. */
function commandOf(): string {
  const files = ["--journal", "--report"];
  const words = process.argv.slice(2).filter((word, at, all) => !files.includes(word) && !files.includes(all[at - 1] ?? ""));
  return `npm run sim -- ${words.join(" ")}`;
}

async function plant({ seeds, minutes, workers, planted, application }: Flags): Promise<number> {
  say("| planted bug | caught by | seeds |\n| --- | --- | --- |");
  const name = { ...(typeof planted === "string" ? { name: planted } : {}), ...(application === undefined ? {} : { application }) };
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
