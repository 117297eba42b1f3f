import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { registerCellLoad } from "./cell-load-metrics.ts";

const row = (cell: string, jobId: string) => ({ key: `${cell}/${jobId}`, partition: 0, value: { value: { cell, jobId } } });

test("a scrape tells how many cells have waiting jobs, and how many the busiest one has, and names no cell", async () => {
  let rows = [row("c1", "a"), row("c1", "b"), row("c1", "c"), row("c2", "d"), row("c3", "e")];
  const registry = new Registry();
  registerCellLoad(registry, { range: (store) => (store === "matching-queue" ? rows : []) });
  const text = await registry.metrics();
  for (const line of ["cells_with_jobs 3", "cell_jobs 5", "cell_jobs_max 3", "cell_jobs_median 1"])
    expect(text).toContain(`slackline_${line}\n`);
  expect(text).not.toContain("{");
  rows = [];
  expect(await registry.metrics()).toContain("slackline_cell_jobs_max 0\n");
});
