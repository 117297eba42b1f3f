/** Work for every core: child processes that take one job after another, replaced now and then, and whenever one dies. */
import { fork, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import type { Answer } from "./answer-jobs.ts";

export interface ChildrenOptions<Job> {
  /** A program that calls `answerJobs`. */
  readonly program: URL;
  /** Plain JSON. */
  readonly jobs: readonly Job[];
  /** Default: one a core. */
  readonly processes?: number;
  /** A process makes room for a fresh one after so many; default 20. */
  readonly jobsPerProcess?: number;
  /** A job that takes longer is a failed one, and its process is killed; default 600. */
  readonly jobSecondsMax?: number;
}

/** `error`: what the job threw, or how its process ended. */
export type JobOutcome<Result> =
  | { readonly ok: true; readonly result: Result; readonly seconds: number }
  | { readonly ok: false; readonly error: string; readonly seconds: number };

const stderrCharactersKept = 4_000;

/**
 * Resolves when each job has its outcome; `onOutcome` hears them as they come. `Result` is what the program answers with:
 * the caller's word for it.
 */
export async function runInChildren<Job, Result>(
  options: ChildrenOptions<Job>,
  onOutcome: (job: Job, outcome: JobOutcome<Result>) => void,
): Promise<void> {
  const { jobs, processes = availableParallelism() } = options;
  const waiting = jobs.values();
  const lane = async (): Promise<void> => {
    const child = new Child(options);
    try {
      for (const job of waiting) {
        const begun = performance.now();
        const answer = await child.ask(job);
        const seconds = (performance.now() - begun) / 1000;
        // Written by the program that the caller named.
        onOutcome(job, answer.ok ? { ok: true, result: answer.result as Result, seconds } : { ...answer, seconds });
      }
    } finally {
      child.release();
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, lane));
}

/** One process at a time. */
class Child {
  readonly #program: URL;
  readonly #jobsPerProcess: number;
  readonly #jobSecondsMax: number;
  #process: ChildProcess | undefined;
  #asked = 0;
  #stderr = "";

  constructor({ program, jobsPerProcess = 20, jobSecondsMax = 600 }: Omit<ChildrenOptions<never>, "jobs">) {
    this.#program = program;
    this.#jobsPerProcess = jobsPerProcess;
    this.#jobSecondsMax = jobSecondsMax;
  }

  ask(job: unknown): Promise<Answer> {
    if (this.#asked >= this.#jobsPerProcess) this.release();
    const child = (this.#process ??= this.#start());
    this.#asked++;
    return new Promise((resolve) => {
      const finish = (answer: Answer): void => {
        clearTimeout(limit);
        child.off("message", heard).off("exit", exited).off("error", failed);
        resolve(answer);
      };
      const heard = (answer: unknown): void => finish(answer as Answer); // of answer-jobs.ts
      const lost = (error: string): void => {
        this.release();
        finish({ ok: false, error });
      };
      const exited = (code: number | null, signal: string | null): void =>
        lost(`the process ended with ${signal ?? `status ${code}`}: ${this.#stderr}`);
      const failed = (error: Error): void => lost(`the process cannot be reached: ${error.message}`);
      const limit = setTimeout(() => {
        child.kill("SIGKILL");
        lost(`no answer within ${this.#jobSecondsMax} s`);
      }, this.#jobSecondsMax * 1000);
      child.on("message", heard).on("exit", exited).on("error", failed);
      child.send(job as object, (error) => {
        if (error !== null) failed(error);
      });
    });
  }

  release(): void {
    const child = this.#process;
    this.#process = undefined;
    this.#asked = 0;
    if (child?.connected === true) child.disconnect();
  }

  #start(): ChildProcess {
    const child = fork(this.#program, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#stderr = "";
    // Between two jobs nobody listens, and an error without a listener would end this process.
    child.on("error", () => {});
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString("utf8")}`.slice(-stderrCharactersKept);
    });
    return child;
  }
}
