/** The demo as a user starts it, in a folder, to be killed. */
import { spawn, type ChildProcess } from "node:child_process";
import { livingProcess } from "#cli";

export interface DemoProcessOptions {
  readonly directory: string;
  readonly data: string;
  readonly speed: number;
  readonly seconds: number;
}

export interface DemoEnd {
  readonly status: number | null;
  readonly signal: string | null;
  /** What `--json` printed; undefined for one that was killed. */
  readonly answer: unknown;
  readonly stderr: string;
}

const stderrCharactersKept = 4_000;

export class DemoProcess {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #ended: Promise<DemoEnd>;
  #over = false;
  #stdout = "";
  #stderr = "";

  constructor({ directory, data, speed, seconds }: DemoProcessOptions) {
    this.#directory = directory;
    const flags = ["--dir", directory, "--data", data, "--speed", String(speed), "--seconds", String(seconds), "--port", "0", "--json"];
    this.#child = spawn(process.execPath, ["cli/main.ts", "demo", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString("utf8");
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString("utf8")}`.slice(-stderrCharactersKept);
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (status, signal) => {
        this.#over = true;
        resolve({ status, signal, answer: parsed(this.#stdout), stderr: this.#stderr });
      });
    });
    process.once("exit", this.#killQuietly);
    void this.#ended.finally(() => process.off("exit", this.#killQuietly)).catch(() => {});
  }

  get over(): boolean {
    return this.#over;
  }

  /** Where it answers, once it does. */
  get url(): string | undefined {
    const address = livingProcess(this.#directory);
    return address?.pid === this.#child.pid ? address?.url : undefined;
  }

  /** Resolves when it has ended, by itself or killed. */
  ended(): Promise<DemoEnd> {
    return this.#ended;
  }

  /** kill -9. */
  kill(): Promise<DemoEnd> {
    this.#child.kill("SIGKILL");
    return this.#ended;
  }

  readonly #killQuietly = (): void => {
    this.#child.kill("SIGKILL");
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.trim().split("\n").at(-1) ?? "");
  } catch {
    return undefined;
  }
}
