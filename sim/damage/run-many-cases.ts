/** Many seeds of damages in child processes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInChildren } from "#cli";
import type { LogPath, RealKind } from "./damaged-state.ts";
import type { CaseReport, CasesJob } from "./run-cases.ts";

export interface SeedCases {
  readonly path: LogPath;
  readonly kind: RealKind;
  readonly seed: number;
  /** Names of damages and circumstances; default all. */
  readonly only?: readonly string[];
}

export interface ManyCases {
  readonly jobs: readonly SeedCases[];
  readonly processes: number;
  /** Of each seed as it ends. */
  readonly ended?: (job: SeedCases, reports: readonly CaseReport[]) => void;
}

/** What all of them came to. A process that ends of a damage is a wrong answer, under the name of what it was told last. */
export async function runManyCases({ jobs, processes, ended }: ManyCases): Promise<readonly (SeedCases & CaseReport)[]> {
  const directory = mkdtempSync(join(tmpdir(), "slackline-damage-"));
  const all: (SeedCases & CaseReport)[] = [];
  try {
    await runInChildren<CasesJob, readonly CaseReport[]>(
      {
        program: new URL("damage-child.ts", import.meta.url),
        jobs: jobs.map((job) => ({ ...job, directory: join(directory, `${job.path}-${job.kind}-${job.seed}`) })),
        processes,
        jobSecondsMax: 300,
      },
      ({ path, kind, seed }, outcome) => {
        const reports: readonly CaseReport[] = outcome.ok
          ? outcome.result
          : [{ name: "process", did: "", answer: { kind: "wrong", what: outcome.error } }];
        ended?.({ path, kind, seed }, reports);
        all.push(...reports.map((report) => ({ path, kind, seed, ...report })));
      },
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return all;
}
