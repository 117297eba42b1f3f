/** One side of the comparison in a process of its own, measured from outside and in the same way whoever it is. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { TopologyName } from "./position-topologies.ts";

export interface SideOptions {
  readonly topology: TopologyName;
  readonly brokers: readonly string[];
  readonly applicationId: string;
  /** For its state. */
  readonly directory: string;
  readonly input: string;
  readonly output: string;
  readonly threads: number;
  readonly sessionMs: number;
}

/** Linux counts in hundredths of a second. */
const TICKS_PER_SECOND = 100;
const STDERR_CHARACTERS_KEPT = 4_000;

export class SideProcess {
  readonly #child: ChildProcess;
  readonly #lines: { readonly text: string; readonly at: number }[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;
  #over = false;
  #stderr = "";

  constructor(command: readonly string[]) {
    const [program = "", ...words] = command;
    this.#child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
    const { stdout, stderr } = this.#child;
    if (stdout !== null)
      createInterface({ input: stdout }).on("line", (text) => {
        this.#lines.push({ text, at: performance.now() });
        this.#wake();
      });
    stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString("utf8")}`.slice(-STDERR_CHARACTERS_KEPT);
    });
    process.once("exit", this.#killQuietly);
    this.#ended = new Promise((resolve) => {
      this.#child.once("close", () => {
        this.#over = true;
        process.off("exit", this.#killQuietly);
        this.#wake();
        resolve();
      });
    });
  }

  /** CPU seconds of all its threads until now. */
  get cpuSeconds(): number {
    const text = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** The most memory it ever had, MB. */
  get rssMb(): number {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  }

  /** When it said a line that begins so, by this process' monotonic clock. Throws when it ends first, or is late. */
  async said(beginning: string, msMax = 120_000): Promise<{ readonly text: string; readonly at: number }> {
    const until = performance.now() + msMax;
    for (;;) {
      const line = this.#lines.find(({ text }) => text.startsWith(beginning));
      if (line !== undefined) return line;
      if (this.#over || performance.now() >= until)
        throw new Error(`no "${beginning}" from it${this.#over ? ", it ended" : ""}: ${this.#stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The newest line that begins so. */
  lastSaid(beginning: string): string | undefined {
    return this.#lines.findLast(({ text }) => text.startsWith(beginning))?.text;
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#ended;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  readonly #killQuietly = (): void => {
    this.#child.kill("SIGKILL");
  };
}
