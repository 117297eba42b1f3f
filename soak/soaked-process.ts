/** A process of the application over all its lives: started, asked, killed, stopped, made to stand still. */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { livingProcess } from "#cli";
import { endWithParent } from "#log/kafka/testing";

export interface SoakedProcessOptions {
  readonly name: string;
  /** Of the command. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where it leaves its address; undefined for one that does not serve. */
  readonly directory: string | undefined;
  /** Takes what it says. */
  readonly logs: string;
}

export interface ProcessEnd {
  readonly status: number | null;
  readonly signal: string | null;
}

const PROGRAM = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
/** What is kept of what it says, in all its lives. */
const LOG_BYTES_MAX = 20 * 1024 * 1024;
const LAST_WORDS = 2_000;

export class SoakedProcess {
  readonly name: string;
  /** How often it was started. */
  lives = 0;
  paused = false;
  readonly #options: SoakedProcessOptions;
  readonly #log: WriteStream;
  #logged = 0;
  #child: ChildProcess | undefined;
  #ended: Promise<ProcessEnd> = Promise.resolve({ status: null, signal: null });
  #over = true;
  #lastWords = "";
  #out = "";

  constructor(options: SoakedProcessOptions) {
    this.name = options.name;
    this.#options = options;
    mkdirSync(options.logs, { recursive: true });
    this.#log = createWriteStream(join(options.logs, `${options.name}.log`));
  }

  get over(): boolean {
    return this.#over;
  }

  get ended(): Promise<ProcessEnd> {
    return this.#ended;
  }

  /** Of its standard error, the newest. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** Of its standard output, the newest. */
  get out(): string {
    return this.#out;
  }

  /** Where it answers in this life, once it does. */
  get url(): string | undefined {
    const { directory } = this.#options;
    const address = directory === undefined || this.#over ? undefined : livingProcess(directory);
    return address?.pid === this.#child?.pid ? address?.url : undefined;
  }

  start(): void {
    if (!this.#over) return;
    this.#over = false;
    this.lives += 1;
    const { PATH = "", HOME = "" } = process.env;
    const env = { PATH, HOME, NO_COLOR: "1", ...this.#options.environment };
    const child = spawn(process.execPath, [PROGRAM, ...this.#options.words], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => {
      this.#out = `${this.#out}${chunk.toString("utf8")}`.slice(-LAST_WORDS);
      this.#write(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#lastWords = `${this.#lastWords}${chunk.toString("utf8")}`.slice(-LAST_WORDS);
      this.#write(chunk);
    });
    endWithParent(child);
    this.#ended = new Promise((resolve) => {
      child.once("close", (status, signal) => {
        this.#over = true;
        this.paused = false;
        resolve({ status, signal });
      });
    });
  }

  signal(name: "SIGKILL" | "SIGTERM"): Promise<ProcessEnd> {
    this.resume();
    if (!this.#over) this.#child?.kill(name);
    return this.#ended;
  }

  pause(): void {
    if (this.#over) return;
    this.paused = true;
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#child?.kill("SIGCONT");
  }

  close(): void {
    this.#log.end();
  }

  #write(chunk: Buffer): void {
    this.#logged += chunk.length;
    if (this.#logged < LOG_BYTES_MAX) this.#log.write(chunk);
  }
}
