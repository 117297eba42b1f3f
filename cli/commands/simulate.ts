/** `simulate`: a whole day in virtual time through the real topologies and the log. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import type { ZonePolicy } from "#schemas";
import { policies } from "#topologies";
import { CITY_DEFAULTS, cityConfig, HABIT_PARAMETERS, parseCity, type CityConfig, type CityHabits } from "#world";
import { CliError } from "../errors.ts";
import { verdictLines } from "../proof/prove.ts";
import { cellTable } from "../simulate/cell-loads.ts";
import { metricsTable } from "../simulate/metrics-table.ts";
import { simulateCity } from "../simulate/simulate-city.ts";
import { simulateMdrp } from "../simulate/simulate-mdrp.ts";
import { realDataKind, simulateRappi, simulateTdrive } from "../simulate/simulate-real.ts";
import type { Simulation } from "../simulate/simulation.ts";
import { writeTopics } from "../simulate/write-topics.ts";
import type { System } from "../system/open-system.ts";
import { progress } from "../terminal/progress.ts";
import { wholeNumber } from "./common-flags.ts";

/** Shares of people and devices that differ from the ideal. */
interface HabitFlags {
  readonly decline?: number;
  readonly miss?: number;
  readonly silent?: number;
  readonly endEarly?: number;
  readonly cancel?: number;
  readonly lies?: number;
}

interface SimulateFlags extends HabitFlags {
  readonly minutes: number;
  readonly data: string;
  readonly policy: string;
  readonly seed: number;
  readonly from: number;
  readonly drivers?: number;
  readonly orders?: number;
  readonly rides?: number;
  readonly offers?: number;
  readonly resolution?: number;
  readonly halo?: number;
  readonly partitions?: number;
  readonly noisy?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

/** Time to answer an offer, in a city whose drivers do not always say yes. */
const offerSecondsOfHabits = 30;
const cellRowsMax = 12;
const refusalRowsMax = 20;

export function simulateCommand(program: Command): void {
  program
    .command("simulate")
    .description("a whole day in virtual time: metrics, published references, and the verdict on every invariant")
    .requiredOption("--data <dir|city:SEED>", "folder of an MDRP instance, of a Rappi or a T-Drive day, or a seeded city")
    .option("--policy <name>", `matching algorithm: ${Object.keys(policies).sort().join(", ")}`, "batch-matching")
    .option("--seed <n>", "seed of a city's day", wholeNumber, 42)
    .option("--minutes <n>", "how long a city's customers order, virtual minutes", wholeNumber, 60)
    .option("--from <n>", "minute of a real day at which the part of it begins that is played", wholeNumber, 0)
    .option("--drivers <n>", "a city's drivers at work", wholeNumber)
    .option("--orders <n>", "about so many orders over all these minutes", wholeNumber)
    .option("--rides <n>", "about so many rides over all these minutes", wholeNumber)
    .option("--decline <share>", "a driver says no to an offer", share)
    .option("--miss <share>", "a driver does not answer an offer", share)
    .option("--silent <share>", "a driver is not heard of for five minutes of an hour", share)
    .option("--end-early <share>", "a shift ends before its time", share)
    .option("--cancel <share>", "a customer takes back what he asked for", share)
    .option("--lies <share>", "a report of a device comes with a false one", share)
    .option(
      "--offers <seconds>",
      "time to answer an offer; 0: a proposal is an assignment (default 30 where drivers decline or miss)",
      wholeNumber,
    )
    .option("--resolution <n>", "H3 resolution of dispatch cells", wholeNumber)
    .option("--halo <metres>", "how far beyond its own cell a driver is present", wholeNumber)
    .option("--partitions <n>", "partitions of each topic", wholeNumber)
    .option("--noisy", "of an instance's orders only their restaurant's mean preparation is told")
    .option("--out <dir>", "write solution files, and assignments, trips and bills as JSON lines")
    .option("--json", "one JSON object with the metrics")
    .action(simulate);
}

function share(text: string): number {
  const value = Number(text);
  if (text === "" || !(value >= 0 && value <= 1)) throw new InvalidArgumentError("Not a number from 0 to 1.");
  return value;
}

async function simulate(flags: SimulateFlags): Promise<void> {
  const { data, policy, seed, out, json, partitions } = flags;
  if (policies[policy] === undefined)
    throw new CliError("USAGE", `there is no policy "${policy}"; there are: ${Object.keys(policies).sort().join(", ")}`);
  const bar = progress({ label: basename(data), total: 0, unit: "min" });
  const city = parseCity(data === "city" ? `city:${seed}` : data);
  const common = {
    policy,
    ...(partitions === undefined ? {} : { partitions }),
    onProgress: bar.update,
    inspect: async ({ log, topics }: System): Promise<void> => {
      if (out !== undefined) await writeTopics(out, log, topics);
    },
  };
  const result = city === undefined ? await simulateFolder(flags, common) : await simulateSeeded(city, flags, common);
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

interface CommonOptions {
  readonly policy: string;
  readonly onProgress: (done: number, total: number) => void;
  readonly inspect: (system: System) => Promise<void>;
}

function simulateFolder(flags: SimulateFlags, common: CommonOptions): Promise<Simulation> {
  const kind = realDataKind(flags.data);
  if (kind === undefined) return simulateInstance(flags, common);
  const options = {
    ...common,
    data: flags.data,
    fromMinute: flags.from,
    minutes: flags.minutes,
    zone: zoneWithOffers(habitsOf(flags), flags),
  };
  return kind === "tdrive" ? simulateTdrive(options) : simulateRappi({ ...options, habits: habitsOf(flags) });
}

function simulateInstance(flags: SimulateFlags, common: CommonOptions): Promise<Simulation> {
  return simulateMdrp({ ...common, data: flags.data, zone: zoneOf(flags), noisy: flags.noisy === true });
}

function simulateSeeded(named: CityConfig, flags: SimulateFlags, common: CommonOptions): Promise<Simulation> {
  const { minutes, drivers, orders, rides } = flags;
  const perMinute = (count: number): number => count / Math.max(1, minutes);
  const habits = habitsOf(flags, named.habits);
  const config = cityConfig({
    ...named,
    habits,
    ...(drivers === undefined ? {} : { drivers }),
    ...(orders === undefined ? {} : { ordersPerMinute: perMinute(orders) }),
    ...(rides === undefined ? {} : { ridesPerMinute: perMinute(rides) }),
  });
  return simulateCity({ ...common, config, minutes, zone: zoneWithOffers(habits, flags) });
}

function habitsOf(flags: SimulateFlags, habits: CityHabits = CITY_DEFAULTS.habits): CityHabits {
  const given = Object.entries(HABIT_PARAMETERS).map(([name, habit]) => [
    habit,
    flags[camelCase(name) as keyof HabitFlags] ?? habits[habit],
  ]);
  // The same names with other numbers.
  return Object.fromEntries(given) as CityHabits;
}

function zoneWithOffers({ declineProbability, missProbability }: CityHabits, flags: SimulateFlags): Partial<ZonePolicy> {
  const asked = declineProbability > 0 || missProbability > 0;
  return { ...(asked ? { offerSeconds: offerSecondsOfHabits } : {}), ...zoneOf(flags) };
}

function camelCase(name: string): string {
  return name.replace(/-(.)/gu, (_, letter: string) => letter.toUpperCase());
}

function zoneOf({ offers, resolution, halo }: SimulateFlags): Partial<ZonePolicy> {
  return {
    ...(offers === undefined ? {} : { offerSeconds: offers }),
    ...(resolution === undefined ? {} : { dispatchResolution: resolution }),
    ...(halo === undefined ? {} : { haloMetres: halo }),
  };
}

function summary(result: Simulation, sound: boolean): object {
  const { name, policy, verdicts, evaluation, figures, refusals, cells, day, daySeconds, wallSeconds } = result;
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
    refusals,
    cells,
    invariants: Object.fromEntries(verdicts.map(({ invariant, ok, checked, violations }) => [invariant, { ok, checked, violations }])),
    day,
    daySeconds,
    wallSeconds,
  };
}

function print({ name, policy, evaluation, figures, refusals, cells, verdicts, wallSeconds }: Simulation): void {
  console.log(`${name} with ${policy}, ${wallSeconds.toFixed(1)} s\n`);
  if (evaluation !== undefined) {
    console.log(metricsTable(policy, evaluation.metrics));
    console.log(
      `\n${evaluation.feasible ? "feasible by every rule" : `NOT FEASIBLE: ${evaluation.violationCount} violations`}, ${evaluation.warningCount} warnings`,
    );
    for (const violation of evaluation.violations.slice(0, 10)) console.log(`    ${JSON.stringify(violation)}`);
  }
  for (const [figure, value] of Object.entries(figures)) console.log(`${figure.padEnd(32)} ${Math.round(value * 1000) / 1000}`);
  const refused = Object.entries(refusals).slice(0, refusalRowsMax);
  if (refused.length > 0) console.log("\nrefused inputs");
  for (const [kind, count] of refused) console.log(`${kind.padEnd(32)} ${count}`);
  if (cells.length > 1) console.log(`\n${cellTable(cells, cellRowsMax)}`);
  console.log(`\n${verdictLines(verdicts).join("\n")}`);
}
