/** The page that a long run leaves: what was run, of which state of the code, on which machine, and what it found. */
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { CRASH_POINTS } from "./faults/hits.ts";
import { hitsOf, type SeedReport } from "./run-many.ts";
import { virtualHours } from "./report.ts";

export interface PageOptions {
  readonly reports: readonly SeedReport[];
  /** How many were asked for. */
  readonly seeds: number;
  /** Milliseconds since the epoch. */
  readonly date: number;
  readonly command: string;
  /** Named points at which nothing died, where there were enough seeds for each. */
  readonly missed: readonly string[];
}

const APPLICATIONS = ["ledger", "dispatch"] as const;

export function reportPage({ reports, seeds, date, command, missed }: PageOptions): string {
  const failed = reports.filter(({ violation }) => violation !== undefined);
  const hits = hitsOf(reports);
  const verdict =
    failed.length > 0
      ? "FAILED"
      : reports.length < seeds
        ? "unfinished"
        : missed.length > 0
          ? `nothing died at ${missed.join(", ")}`
          : "held";
  const lines = [
    `# Simulation of ${new Date(date).toISOString().slice(0, 10)}, commit ${commit()}`,
    "",
    `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}, Node ${process.versions.node}. Made by \`${command}\`.`,
    "",
    `**${verdict}**: ${reports.length} of ${seeds} seeds, ${failed.length} violations, ${virtualHours(reports)} virtual hours, ${sum([...hits.faults.values()])} faults.`,
    "",
    "| application | seeds | violations | virtual hours | records compared | CPU, s a virtual minute |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...APPLICATIONS.map((name) => row(name, reports)),
    "",
    "| fault | times |",
    "| --- | ---: |",
    ...[...hits.faults].toSorted(([, one], [, other]) => other - one).map(([name, count]) => `| \`${name}\` | ${count} |`),
    "",
    "| death at | times |",
    "| --- | ---: |",
    ...CRASH_POINTS.map((point) => `| \`${point}\` | ${hits.crashes.get(point) ?? 0} |`),
    ...(failed.length === 0 ? [] : ["", "## Violations", ""]),
    ...failed
      .toSorted((one, other) => one.options.seed - other.options.seed)
      .map(({ options: { seed, application }, atMs, violation }) => {
        const told = (violation?.message ?? "").replaceAll(/\s+/g, " ").slice(0, 400);
        return `- seed ${seed}, ${application}, ${violation?.invariant} at ${atMs} ms: ${told}`;
      }),
  ];
  return `${lines.join("\n")}\n`;
}

function row(application: string, all: readonly SeedReport[]): string {
  const reports = all.filter(({ options }) => options.application === application);
  const minutes = sum(reports.map(({ atMs }) => atMs)) / 60_000;
  const cost = minutes === 0 ? 0 : sum(reports.map(({ cpuMs }) => cpuMs)) / 1000 / minutes;
  const failed = reports.filter(({ violation }) => violation !== undefined).length;
  const records = sum(reports.map((report) => report.records));
  return `| ${application} | ${reports.length} | ${failed} | ${virtualHours(reports)} | ${records} | ${cost.toFixed(2)} |`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** With a mark where the tree is not as it was committed. */
function commit(): string {
  try {
    return `${git("rev-parse", "--short=8", "HEAD")}${git("status", "--porcelain", "--", "*.ts") === "" ? "" : ", with changes"}`;
  } catch {
    return "unknown";
  }
}

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
