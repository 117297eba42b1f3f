/** A process of the application over all its lives: started, asked, killed, stopped, made to stand still. */
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { livingProcess } from "#cli";
import { CommandProcess } from "#cli/testing";

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
  #life: CommandProcess | undefined;
  #ended: Promise<ProcessEnd> = Promise.resolve({ status: null, signal: null });

  constructor(options: SoakedProcessOptions) {
    this.name = options.name;
    this.#options = options;
    mkdirSync(options.logs, { recursive: true });
    this.#log = createWriteStream(join(options.logs, `${options.name}.log`));
  }

  get over(): boolean {
    return this.#life?.over ?? true;
  }

  get ended(): Promise<ProcessEnd> {
    return this.#ended;
  }

  /** Of its standard error in this life, the newest. */
  get lastWords(): string {
    return this.#life?.err.slice(-LAST_WORDS) ?? "";
  }

  /** Where it answers in this life, once it does. */
  get url(): string | undefined {
    const { directory } = this.#options;
    const address = directory === undefined || this.over ? undefined : livingProcess(directory);
    return address?.pid === this.#life?.pid ? address?.url : undefined;
  }

  start(): void {
    if (!this.over) return;
    this.lives += 1;
    const { words, environment } = this.#options;
    const life = new CommandProcess(words, environment, (text) => this.#write(text));
    this.#life = life;
    this.#ended = life.ended.then(({ code, signal }) => {
      this.paused = false;
      return { status: code, signal };
    });
  }

  signal(name: "SIGKILL" | "SIGTERM"): Promise<ProcessEnd> {
    this.resume();
    this.#life?.signal(name);
    return this.#ended;
  }

  pause(): void {
    if (this.over) return;
    this.paused = true;
    this.#life?.signal("SIGSTOP");
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#life?.signal("SIGCONT");
  }

  close(): void {
    this.#log.end();
  }

  #write(text: string): void {
    this.#logged += Buffer.byteLength(text);
    if (this.#logged < LOG_BYTES_MAX) this.#log.write(text);
  }
}
