/** An instance as its operating system sees it: started, killed, paused, stopped. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { KafkaLogOptions } from "#log";
import { endWithParent } from "#log/kafka/testing";

export interface InstanceOptions {
  readonly applicationId: string;
  readonly instanceId: string;
  readonly brokers: readonly string[];
  readonly directory: string;
  readonly sessionMs: number;
  readonly transactionMs: number;
  /** The stream thread in a worker, as in production; else on the process' own event loop. */
  readonly workers: boolean;
  /** Room on the volume of the rows that is left alone; default the engine's. */
  readonly reserveBytes?: number;
  /** More for the log. */
  readonly kafka?: Partial<KafkaLogOptions>;
}

export interface InstanceEnd {
  readonly status: number | null;
  readonly signal: string | null;
}

const LINES_KEPT = 400;
const HISTORY_LINES_KEPT = 20_000;
const SAID_MS_MAX = 120_000;

export class InstanceProcess {
  readonly options: InstanceOptions;
  readonly #lines: string[] = [];
  readonly #lineMs: number[] = [];
  readonly #history: string[] = [];
  #child: ChildProcess | undefined;
  #ended: Promise<InstanceEnd> = Promise.resolve({ status: null, signal: null });
  #over = true;

  constructor(options: InstanceOptions) {
    this.options = options;
  }

  get over(): boolean {
    return this.#over;
  }

  /** What it said in all its lives, the newest last. */
  get history(): readonly string[] {
    return this.#history;
  }

  /** What it said in this life, the newest last. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  start(): void {
    if (!this.#over) throw new Error(`instance ${this.options.instanceId} runs already`);
    this.#over = false;
    this.#lines.length = 0;
    this.#lineMs.length = 0;
    const startedAt = performance.now();
    const program = fileURLToPath(new URL("instance.ts", import.meta.url));
    const child = spawn(process.execPath, [program, JSON.stringify(this.options)], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => {
        this.#lines.push(line);
        this.#lineMs.push(performance.now() - startedAt);
        if (this.#lines.length > LINES_KEPT) {
          this.#lines.shift();
          this.#lineMs.shift();
        }
        if (this.#history.length < HISTORY_LINES_KEPT) this.#history.push(line);
      });
    endWithParent(child);
    this.#ended = new Promise((resolve) => {
      child.once("close", (status, signal) => {
        this.#over = true;
        resolve({ status, signal });
      });
    });
  }

  /** Throws with what it said when it ends first, or is late. */
  async said(pattern: RegExp, msMax = SAID_MS_MAX): Promise<string> {
    const until = Date.now() + msMax;
    for (;;) {
      const line = this.#lines.find((each) => pattern.test(each));
      if (line !== undefined) return line;
      if (this.#over || Date.now() > until)
        throw new Error(`instance ${this.options.instanceId} did not say ${String(pattern)}: ${this.#lines.slice(-15).join("\n")}`);
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
  }

  /** From its start until it said that for the first time; undefined while it has not. */
  msTo(pattern: RegExp): number | undefined {
    return this.#lineMs[this.#lines.findIndex((each) => pattern.test(each))];
  }

  ended(): Promise<InstanceEnd> {
    return this.#ended;
  }

  /** kill -9. */
  kill(): Promise<InstanceEnd> {
    return this.#end("SIGKILL");
  }

  /** SIGTERM. */
  stop(): Promise<InstanceEnd> {
    return this.#end("SIGTERM");
  }

  /** SIGSTOP and SIGCONT: a process that the machine forgot for a while. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  #end(signal: "SIGKILL" | "SIGTERM"): Promise<InstanceEnd> {
    if (!this.#over) this.#child?.kill(signal);
    return this.#ended;
  }
}
