/** The report of a soak: verdict, figures, pictures. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { chart, type Series } from "./chart.ts";
import { livesOfMemory, type LifeOfMemory } from "./memory.ts";
import type { Measurement, Recording } from "./recording.ts";
import type { Sample } from "./sample.ts";
import type { ProofOfSoak } from "./soaked-system.ts";
import { median } from "./theil-sen.ts";

export interface SoakReport {
  readonly name: string;
  readonly title: string;
  readonly commit: string;
  readonly seed: number;
  readonly recording: Recording;
  readonly proof: ProofOfSoak | undefined;
  /** What broke, a sentence each; nothing: it held. */
  readonly broken: readonly string[];
}

const MIB = 2 ** 20;

interface Picture {
  readonly file: string;
  readonly title: string;
  readonly unit: string;
  readonly of: (sample: Sample) => number;
}

const pictures: readonly Picture[] = [
  { file: "memory", title: "Resident memory", unit: "MiB", of: ({ rssBytes }) => rssBytes / MIB },
  { file: "heap", title: "JavaScript heap in use", unit: "MiB", of: ({ heapBytes }) => heapBytes / MIB },
  { file: "lag", title: "Records that wait to be processed", unit: "records", of: ({ lagRecords }) => lagRecords },
  { file: "loop", title: "Delay of the event loop, 99 %", unit: "ms", of: ({ loopDelayMs }) => loopDelayMs },
  { file: "files", title: "Open files and sockets", unit: "descriptors", of: ({ openFiles }) => openFiles },
];

/** Writes report and pictures; answers the report's path. */
export function writeReport(folder: string, report: SoakReport): string {
  const { name, recording } = report;
  const assets = join(folder, name);
  mkdirSync(assets, { recursive: true });
  const { seconds, marks } = recording;
  for (const { file, title, unit, of } of pictures) {
    const series = [...recording.processes].map(([process, measurements]) => seriesOf(process, measurements, of));
    writeFileSync(join(assets, `${file}.svg`), chart({ title, unit, seconds, series, marks }));
  }
  const disk = recording.disk.map(([at, bytes]) => [at, bytes / MIB] as const);
  writeFileSync(
    join(assets, "disk.svg"),
    chart({ title: "Everything on the disk", unit: "MiB", seconds, series: [{ name: "disk", points: disk }], marks }),
  );
  const path = join(folder, `${name}.md`);
  writeFileSync(path, `${reportLines(report).join("\n")}\n`);
  return path;
}

export function reportLines({ name, title, commit, seed, recording, proof, broken }: SoakReport): readonly string[] {
  const lives = livesOfMemory(recording.processes);
  const picture = (file: string, text: string): string => `![${text}](${name}/${file}.svg)`;
  return [
    `# Soak of ${minutes(recording.seconds)}: ${broken.length === 0 ? "held" : "FAILED"}`,
    "",
    `${title}; seed ${seed}, commit ${commit}. ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}; load at the end ${(loadavg()[0] ?? 0).toFixed(1)}. Made by \`npm run soak\`.`,
    ...(broken.length === 0 ? [] : ["", "**What broke:**", "", ...broken.map((sentence) => `- ${sentence}`)]),
    "",
    "## Figures",
    "",
    ...figures(recording),
    "",
    "## Invariants, from the committed topics",
    "",
    ...invariants(proof),
    "",
    "## Memory",
    "",
    ...memory(lives),
    "",
    ...pictures.flatMap(({ file, title: text }) => [picture(file, text), ""]),
    picture("disk", "Everything on the disk"),
    "",
    "## What was done",
    "",
    ...recording.deeds.map((deed) => `- ${deed}`),
    ...(recording.surprises.length === 0
      ? ["", "Nobody ended who was not asked to."]
      : ["", "## Ends that nobody asked for", "", ...recording.surprises.map((surprise) => `- ${surprise}`)]),
  ];
}

function figures({ processes, marks, returns, disk, seconds, surprises }: Recording): readonly string[] {
  const count = (kind: string): number => marks.filter((mark) => mark.kind === kind).length;
  const all = [...processes.values()].flat();
  const samples = all.flatMap(({ sample }) => sample ?? []);
  const processed = [...processes.values()].reduce((sum, measurements) => sum + processedBy(measurements), 0);
  const worst = (of: (sample: Sample) => number): number => Math.max(0, ...samples.map(of));
  const rows: readonly (readonly [string, string])[] = [
    ["records processed", `${processed.toLocaleString("en")} (${Math.round(processed / seconds)}/s)`],
    [
      "kill -9 / SIGTERM / SIGSTOP of instances, deeds to the broker",
      `${count("kill")} / ${count("stop")} / ${count("pause")}, ${count("broker")}`,
    ],
    [
      "from a start after a death to the first answer",
      returns.length === 0 ? "-" : `median ${median(returns).toFixed(1)} s, at most ${Math.max(...returns).toFixed(1)} s`,
    ],
    [
      "lag, median and most",
      samples.length === 0
        ? "-"
        : `${median(samples.map(({ lagRecords }) => lagRecords))} and ${worst(({ lagRecords }) => lagRecords)} records`,
    ],
    [
      "delay of the event loop, 99 %: median and most",
      samples.length === 0
        ? "-"
        : `${median(samples.map(({ loopDelayMs }) => loopDelayMs)).toFixed(0)} and ${worst(({ loopDelayMs }) => loopDelayMs).toFixed(0)} ms`,
    ],
    ["open files, at most", String(worst(({ openFiles }) => openFiles))],
    ["dead letters of any life, at most", String(worst(({ deadLetters }) => deadLetters))],
    ["on the disk at the end", `${((disk.at(-1)?.[1] ?? 0) / MIB).toFixed(0)} MiB`],
    ["ends that nobody asked for", String(surprises.length)],
    ["looks at a process, without an answer", `${all.length}, ${all.length - samples.length}`],
  ];
  return table(["", ""], rows);
}

/** Counters begin anew with each life. */
function processedBy(measurements: readonly Measurement[]): number {
  let sum = 0;
  for (const life of Map.groupBy(measurements, ({ life: each }) => each).values())
    sum += Math.max(0, ...life.map(({ sample }) => sample?.processed ?? 0));
  return sum;
}

function invariants(proof: ProofOfSoak | undefined): readonly string[] {
  if (proof === undefined) return ["Not looked at: the soak did not come to its end."];
  const rows = proof.verdicts.map(
    ({ invariant, checked, violationCount }) => [invariant, String(checked), String(violationCount)] as const,
  );
  return [
    ...table(["invariant", "facts checked", "violated"], rows),
    "",
    `${proof.inputRecords.toLocaleString("en")} input records, ${proof.saidAgain} of them said again by a world that had died: each event was done at most once${proof.violations.length === 0 ? "" : ` — **no: ${proof.violations.length} violations**`}.`,
  ];
}

function memory(lives: readonly LifeOfMemory[]): readonly string[] {
  if (lives.length === 0) return ["No process lived long enough to tell."];
  const rows = lives.map(({ process, life, seconds, rss, heap, openFiles, grows }) => [
    `${process}, life ${life}`,
    minutes(seconds),
    (rss.intercept + rss.slope * seconds).toFixed(0),
    perHour(rss),
    rss.noise.toFixed(1),
    perHour(heap),
    heap.noise.toFixed(1),
    (openFiles.slope * 3_600).toFixed(1),
    grows === undefined ? "too short to judge" : grows ? "**grows**" : "within noise",
  ]);
  return [
    "Slopes by Theil and Sen, without the first 90 s of a life, with their 95 % interval. Memory grows if the interval of both RSS and heap is above zero and both grew by more than twice their noise.",
    "",
    ...table(
      ["life", "time", "RSS, MiB", "RSS, MiB/h", "noise, MiB", "heap, MiB/h", "noise, MiB", "files/h", ""],
      rows.map((row) => row),
    ),
  ];
}

function seriesOf(name: string, measurements: readonly Measurement[], of: (sample: Sample) => number): Series {
  return { name, points: measurements.map(({ seconds, sample }) => [seconds, sample === undefined ? undefined : of(sample)] as const) };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)];
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function perHour({ slope, low, high }: LifeOfMemory["rss"]): string {
  return `${(slope * 3_600).toFixed(1)} (${(low * 3_600).toFixed(1)} to ${(high * 3_600).toFixed(1)})`;
}

function minutes(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`;
}
