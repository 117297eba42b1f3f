/** What each setting scored on each day, kept in a file: a run that was stopped goes on where it was. */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { mdrpParameters, runInChildren } from "#cli";
import type { Setting } from "./candidates.ts";
import type { QuickDay } from "./quick-day.ts";

export interface TuningJob {
  readonly data: string;
  readonly policy: string;
  readonly parameters: Setting;
  readonly seed: number;
  readonly noisy: boolean;
}

/** Minutes, percent and dollars in one number, the lower the better: what nobody delivers is dear, pay above the floor a little. */
export function scoreOf({ metrics: { excess, undeliveredPercent, costPerOrder, costFloor } }: QuickDay): number {
  return excess + 5 * undeliveredPercent + 0.5 * (costPerOrder - costFloor);
}

const policiesFolder = join("topologies", "matching", "policies");

/** Scores of another program say nothing of this one. */
export function programVersion(folder = policiesFolder): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  const sum = createHash("sha256");
  for (const name of files.sort()) sum.update(name).update(readFileSync(join(folder, name)));
  return sum.digest("hex").slice(0, 12);
}

export class Evaluations {
  readonly #file: string;
  readonly #processes: number;
  readonly #known = new Map<string, QuickDay>();
  readonly #version = programVersion();

  constructor(file: string, processes: number) {
    this.#file = file;
    this.#processes = processes;
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, "utf8").split("\n")) {
      // A line that a stopped run left unfinished is done again.
      if (!line.endsWith("}")) continue;
      const { key, day } = JSON.parse(line) as { readonly key: string; readonly day: QuickDay };
      this.#known.set(key, day);
    }
  }

  /** In the order of the jobs; `onDay` hears how many are left. */
  async days(jobs: readonly TuningJob[], onDay: (left: number) => void): Promise<readonly QuickDay[]> {
    const todo = new Map(jobs.filter((job) => !this.#known.has(this.#key(job))).map((job) => [this.#key(job), job]));
    let left = todo.size;
    const program = new URL("tune-child.ts", import.meta.url);
    await runInChildren<TuningJob, QuickDay>({ program, jobs: [...todo.values()], processes: this.#processes }, (job, outcome) => {
      if (!outcome.ok) throw new Error(`${job.data}: ${outcome.error}`);
      const key = this.#key(job);
      this.#known.set(key, outcome.result);
      appendFileSync(this.#file, `${JSON.stringify({ key, day: outcome.result })}\n`);
      onDay(--left);
    });
    return jobs.map((job) => this.#known.get(this.#key(job))!);
  }

  #key({ data, policy, parameters, seed, noisy }: TuningJob): string {
    const told = Object.entries({ ...mdrpParameters(policy, noisy), ...parameters }).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([this.#version, basename(data), policy, seed, noisy, told]);
  }
}
