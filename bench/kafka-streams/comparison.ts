/** Two sides measured by turns: raw runs, medians and their ratio, as results and as a table. */
import Table from "cli-table3";
import { progress } from "#cli";
import { median, type BenchResult } from "../result.ts";
import type { Side } from "./side-run.ts";

export interface Metric<R> {
  readonly name: string;
  readonly unit: string;
  readonly of: (run: R) => number;
  /** Of ours to theirs, e.g. "≥ 1.5". */
  readonly wanted?: string;
}

export interface Comparison {
  readonly measure: string;
  readonly metrics: readonly ComparedMetric[];
  readonly facts: Readonly<Record<string, string | number>>;
}

export interface ComparedMetric {
  readonly name: string;
  readonly unit: string;
  readonly wanted: string | undefined;
  readonly sides: readonly { readonly side: string; readonly runs: readonly number[]; readonly median: number }[];
  /** Of the last side's median to the first's; undefined with one side. */
  readonly ratio: number | undefined;
}

/** As many runs of each, one after the other, each round the other way round: what else the machine does hits all of them. */
export async function alternating<R>(
  sides: readonly Side[],
  { runs, label }: { readonly runs: number; readonly label: string },
  measure: (side: Side, round: number) => Promise<R>,
): Promise<ReadonlyMap<string, readonly R[]>> {
  const all = new Map<string, R[]>(sides.map(({ name }) => [name, []]));
  const bar = progress({ label, total: runs * sides.length, unit: "runs" });
  let done = 0;
  for (let round = 0; round < runs; round++)
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      all.get(side.name)?.push(await measure(side, round));
      bar.update(++done, runs * sides.length);
    }
  bar.end();
  return all;
}

export function compare<R>(
  measure: string,
  all: ReadonlyMap<string, readonly R[]>,
  metrics: readonly Metric<R>[],
  facts: Readonly<Record<string, string | number>>,
): Comparison {
  const compared = metrics.map(({ name, unit, of, wanted }): ComparedMetric => {
    const sides = [...all].map(([side, each]) => {
      const runs = each.map(of);
      return { side, runs, median: median(runs) };
    });
    const [first, last] = [sides[0], sides.at(-1)];
    const ratio = sides.length < 2 ? undefined : (last?.median ?? Number.NaN) / (first?.median ?? Number.NaN);
    return { name, unit, wanted, sides, ratio };
  });
  return { measure, metrics: compared, facts };
}

/** One result a metric and side. */
export function resultsOf({ measure, metrics, facts }: Comparison, seed: number): BenchResult[] {
  return metrics.flatMap(({ name, unit, sides, ratio }, index) =>
    sides.map(({ side, runs, median: middle }, place) => ({
      name: `${measure}: ${name}, ${side}`,
      unit,
      runs,
      median: middle,
      seed,
      facts: {
        ...(index === 0 && place === 0 ? facts : {}),
        ...(ratio === undefined || place === 0 ? {} : { [`ratio to ${sides[0]?.side ?? ""}`]: ratio }),
      },
    })),
  );
}

/** Medians side by side. */
export function tableOf(comparisons: readonly Comparison[]): string {
  const names = comparisons[0]?.metrics[0]?.sides.map(({ side }) => side) ?? [];
  const table = new Table({ head: ["measure", "unit", ...names, "ratio", "wanted"], style: { head: [], border: [] } });
  for (const { measure, metrics } of comparisons)
    for (const { name, unit, sides, ratio, wanted } of metrics)
      table.push([
        `${measure}: ${name}`,
        unit,
        ...sides.map(({ median: middle }) => shown(middle)),
        ratio === undefined || Number.isNaN(ratio) ? "" : ratio.toFixed(2),
        wanted ?? "",
      ]);
  return table.toString();
}

function shown(value: number): string {
  if (Number.isNaN(value)) return "none";
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}
