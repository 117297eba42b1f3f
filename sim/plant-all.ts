/** The test of the test: for each planted bug, which invariant catches it, after how many seeds. */
import { optionsOf, type ApplicationName } from "./faults/fault-plan.ts";
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
  /** Default: that of the bug, or that of the seed. */
  readonly application?: ApplicationName;
}

export async function plantAll({ seeds, minutes, workers, caught, name = "", application }: PlantOptions): Promise<readonly Catch[]> {
  const all: Catch[] = [];
  for (const { name: bug, needs } of plantedBugs.filter((each) => each.name.includes(name))) {
    const limits = { minutes, ...of(application ?? needs) };
    const jobs = seeds.map((seed) => ({ options: optionsOf(seed, limits), bug }));
    const reports = await runMany({ jobs, workers, ended: ({ violation }) => violation !== undefined });
    const failing = reports.filter(({ violation }) => violation !== undefined).toSorted((a, b) => a.options.seed - b.options.seed);
    const [by] = failing;
    const found: Catch = { bug, seeds: by === undefined ? reports.length : seeds.indexOf(by.options.seed) + 1, by };
    all.push(found);
    caught(found);
  }
  return all;
}

function of(application: ApplicationName | undefined): { readonly application?: ApplicationName } {
  return application === undefined ? {} : { application };
}

/** A row of the table in the documentation. */
export function catchLine({ bug, seeds, by }: Catch): string {
  return `| ${bug} | ${by?.violation?.invariant ?? "NOT CAUGHT"} | ${seeds} |`;
}
