/** What a run of many seeds says, as lines. */
import { CRASH_POINTS, type Hits } from "./faults/hits.ts";
import type { SeedReport } from "./run-many.ts";
import type { SeedOptions } from "./faults/fault-plan.ts";

const HOUR_MS = 3_600_000;

export function progressLine(reports: readonly SeedReport[], total: number, wallMs: number): string {
  const done = reports.length;
  const rate = done / (wallMs / 1000);
  const left = rate === 0 ? 0 : Math.ceil((total - done) / rate);
  return `${done}/${total} seeds, ${rate.toFixed(1)}/s, ${left} s left, ${virtualHours(reports)} virtual hours, ${faultsOf(reports)} faults`;
}

export function virtualHours(reports: readonly SeedReport[]): string {
  return (reports.reduce((sum, { atMs }) => sum + atMs, 0) / HOUR_MS).toFixed(1);
}

export function summary(hits: Hits, reports: readonly SeedReport[]): readonly string[] {
  const faults = [...hits.faults].toSorted(([, one], [, other]) => other - one);
  const points = CRASH_POINTS.map((point) => `${point} ${hits.crashes.get(point) ?? 0}`);
  const records = reports.reduce((sum, report) => sum + report.records, 0);
  return [
    `${reports.length} seeds, ${virtualHours(reports)} virtual hours, ${records} records compared`,
    `faults: ${faults.map(([name, count]) => `${name} ${count}`).join(", ")}`,
    `deaths by point: ${points.join(", ")}`,
  ];
}

/** Named points at which nothing died. */
export function neverHit(hits: Hits): readonly string[] {
  return CRASH_POINTS.filter((point) => !hits.crashes.has(point));
}

export function failureLines(
  { options, atMs, violation }: Pick<SeedReport, "options" | "atMs" | "violation">,
  shrunk: SeedOptions | undefined,
): readonly string[] {
  return [
    `seed ${options.seed} violates ${violation?.invariant} at ${atMs} virtual ms: ${violation?.message}`,
    `  options: ${JSON.stringify(options)}`,
    ...(shrunk === undefined ? [] : [`  shrunk: ${JSON.stringify(shrunk)}`]),
  ];
}

function faultsOf(reports: readonly SeedReport[]): number {
  return reports.reduce((sum, { faults }) => sum + [...faults.values()].reduce((total, count) => total + count, 0), 0);
}
