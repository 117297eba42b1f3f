/** The test of the test: for each planted bug, which invariant catches it, after how many seeds. */
import { optionsOf } from "./faults/fault-plan.ts";
import { plantedBugs } from "./planted/planted-bugs.ts";
import { runMany, type SeedReport } from "./run-many.ts";

export interface Catch {
  readonly bug: string;
  /** Seeds that were run, the catching one included. */
  readonly seeds: number;
  readonly by: SeedReport | undefined;
}

export interface PlantOptions {
  readonly seeds: readonly number[];
  readonly minutes: number;
  readonly workers: number;
  readonly caught: (found: Catch) => void;
  /** A part of the names of those that are wanted. */
  readonly name?: string;
}

export async function plantAll({ seeds, minutes, workers, caught, name = "" }: PlantOptions): Promise<readonly Catch[]> {
  const all: Catch[] = [];
  for (const { name: bug } of plantedBugs.filter((each) => each.name.includes(name))) {
    const jobs = seeds.map((seed) => ({ options: optionsOf(seed, { minutes }), bug }));
    const reports = await runMany({ jobs, workers, ended: ({ violation }) => violation !== undefined });
    const failing = reports.filter(({ violation }) => violation !== undefined).toSorted((a, b) => a.options.seed - b.options.seed);
    const [by] = failing;
    const found: Catch = { bug, seeds: by === undefined ? reports.length : seeds.indexOf(by.options.seed) + 1, by };
    all.push(found);
    caught(found);
  }
  return all;
}

/** A row of the table in the documentation. */
export function catchLine({ bug, seeds, by }: Catch): string {
  return `| ${bug} | ${by?.violation?.invariant ?? "NOT CAUGHT"} | ${seeds} |`;
}
