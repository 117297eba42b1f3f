/** How unevenly the work lies on the dispatch cells of this process, without naming one: cells are as many as a country has. */
import { Gauge, type Registry } from "prom-client";
import type { CommittedView } from "#streams";
import type { CellJob } from "#topologies";

/** Waiting jobs looked at by one scrape; beyond it the figures are of these. */
const JOBS_MAX = 50_000;

const GAUGES = {
  cells: ["slackline_cells_with_jobs", "Dispatch cells in which a job waits for a driver."],
  jobs: ["slackline_cell_jobs", "Jobs that wait for a driver, over all cells."],
  max: ["slackline_cell_jobs_max", "Jobs that wait in the busiest cell."],
  median: ["slackline_cell_jobs_median", "Jobs that wait in the median of the cells in which one waits."],
} as const;

type GaugeName = keyof typeof GAUGES;

/** Counted from committed rows when somebody scrapes. */
export function registerCellLoad(registry: Registry, view: Pick<CommittedView, "range">): void {
  const made = new Map<GaugeName, Gauge>();
  for (const [name, [metric, help]] of Object.entries(GAUGES) as [GaugeName, readonly [string, string]][]) {
    // One reading fills all: whichever is asked first.
    const collect = name === "cells" ? () => fill(made, view) : undefined;
    made.set(name, new Gauge({ name: metric, help, registers: [registry], ...(collect === undefined ? {} : { collect }) }));
  }
}

function fill(gauges: ReadonlyMap<GaugeName, Gauge>, view: Pick<CommittedView, "range">): void {
  const { cells, jobs, max, median } = cellLoadOf(view);
  gauges.get("cells")?.set(cells);
  gauges.get("jobs")?.set(jobs);
  gauges.get("max")?.set(max);
  gauges.get("median")?.set(median);
}

export interface CellLoadFigures {
  readonly cells: number;
  readonly jobs: number;
  readonly max: number;
  readonly median: number;
}

export function cellLoadOf(view: Pick<CommittedView, "range">): CellLoadFigures {
  const waiting = new Map<string, number>();
  let jobs = 0;
  for (const { value } of view.range("matching-queue", { limit: JOBS_MAX })) {
    // A queue's row is its entry; its value is the topology's own.
    const { cell } = (value as { readonly value: CellJob }).value;
    waiting.set(cell, (waiting.get(cell) ?? 0) + 1);
    jobs++;
  }
  const counts = [...waiting.values()].sort((a, b) => a - b);
  return { cells: counts.length, jobs, max: counts.at(-1) ?? 0, median: counts[counts.length >> 1] ?? 0 };
}
