/** What became of each seed of a long run, a line each, so that a run that was broken off goes on where it was. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { SeedReport } from "./run-many.ts";

type Line = Omit<SeedReport, "faults" | "crashes"> & {
  readonly faults: Readonly<Record<string, number>>;
  readonly crashes: Readonly<Record<string, number>>;
};

export class Journal {
  /** Those that had ended before. */
  readonly earlier: readonly SeedReport[];
  readonly #file: string;

  /** Lines that a kill cut short are left out; a seed that is there twice counts once, as it ended last. */
  constructor(file: string) {
    this.#file = file;
    const bySeed = new Map<number, SeedReport>();
    for (const text of existsSync(file) ? readFileSync(file, "utf8").split("\n") : []) {
      const report = parse(text);
      if (report !== undefined) bySeed.set(report.options.seed, report);
    }
    this.earlier = [...bySeed.values()];
  }

  add(report: SeedReport): void {
    const line: Line = { ...report, faults: Object.fromEntries(report.faults), crashes: Object.fromEntries(report.crashes) };
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

function parse(text: string): SeedReport | undefined {
  if (!text.endsWith("}")) return undefined;
  const line = JSON.parse(text) as Line;
  return {
    ...line,
    violation: line.violation,
    faults: new Map(Object.entries(line.faults)),
    crashes: new Map(Object.entries(line.crashes)),
  };
}
