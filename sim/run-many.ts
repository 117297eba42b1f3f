/** Many seeds on several threads, and what they say together. */
import { Worker } from "node:worker_threads";
import type { SeedOptions } from "./faults/fault-plan.ts";
import { Hits } from "./faults/hits.ts";

export interface SeedJob {
  readonly options: SeedOptions;
  /** Of a planted bug. */
  readonly bug?: string;
}

/** An outcome as it goes from thread to thread. */
export interface SeedReport {
  readonly options: SeedOptions;
  readonly violation: { readonly invariant: string; readonly message: string } | undefined;
  readonly atMs: number;
  readonly records: number;
  /** Of the thread that ran it. */
  readonly cpuMs: number;
  readonly hash: string;
  readonly faults: ReadonlyMap<string, number>;
  readonly crashes: ReadonlyMap<string, number>;
}

export interface ManyOptions {
  readonly jobs: readonly SeedJob[];
  readonly workers: number;
  /** Of each seed as it ends; true: no more is begun. */
  readonly ended: (report: SeedReport, done: number) => boolean;
}

/** Then another one takes its place: whatever a run of many hours leaves behind goes with it. */
const SEEDS_A_THREAD = 400;

/** In the order in which they end. */
export async function runMany({ jobs, workers, ended }: ManyOptions): Promise<readonly SeedReport[]> {
  const reports: SeedReport[] = [];
  let next = 0;
  let enough = false;
  /** False when there are no more. */
  const some = async (): Promise<boolean> => {
    const worker = new Worker(new URL("seed-worker.ts", import.meta.url));
    try {
      for (let run = 0; run < SEEDS_A_THREAD && next < jobs.length && !enough; run++) {
        const report = await answer(worker, jobs[next++] as SeedJob); // in bounds
        reports.push(report);
        enough = ended(report, reports.length) || enough;
      }
      return next < jobs.length && !enough;
    } finally {
      await worker.terminate();
    }
  };
  const one = async (): Promise<void> => {
    for (let more = true; more;) more = await some();
  };
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, one));
  return reports;
}

export function hitsOf(reports: readonly SeedReport[]): Hits {
  const hits = new Hits();
  for (const { faults, crashes } of reports) hits.add({ faults, crashes });
  return hits;
}

function answer(worker: Worker, job: SeedJob): Promise<SeedReport> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => {
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    worker.once("error", failed);
    worker.once("message", (report: SeedReport) => {
      worker.off("error", failed);
      resolve(report);
    });
    worker.postMessage(job);
  });
}
