/** The `slackline` command as an operating system sees it: started with words and an environment, heard, signalled, killed. */
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { endWithParent } from "#log/kafka/testing";

export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

const PROGRAM = fileURLToPath(new URL("../main.ts", import.meta.url));
const LOOK_MS = 50;
const SAID_MS_MAX = 120_000;
/** Of what it says, the newest. */
const CHARACTERS_KEPT = 4_000_000;

export class CommandProcess {
  readonly ended: Promise<CommandEnd>;
  readonly #child: ChildProcess;
  readonly #words: readonly string[];
  #out = "";
  #err = "";
  #over = false;

  /**
   * Starts at once, and does not outlive its caller. Of the caller's environment it has the path and the home only, and what is given.
   * `heard` is told whatever it says, as it comes.
   */
  constructor(words: readonly string[], environment: Readonly<Record<string, string>> = {}, heard?: (text: string) => void) {
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(process.execPath, [PROGRAM, ...words], {
      env: { PATH, HOME, NO_COLOR: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#words = words;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#out = `${this.#out}${text}`.slice(-CHARACTERS_KEPT);
      heard?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#err = `${this.#err}${text}`.slice(-CHARACTERS_KEPT);
      heard?.(text);
    });
    endWithParent(child);
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        this.#over = true;
        resolve({ code, signal, out: this.#out, err: this.#err });
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get over(): boolean {
    return this.#over;
  }

  /** What it said on its standard error so far. */
  get err(): string {
    return this.#err;
  }

  /** The first match in what it says on its standard error. Throws with its last words when it ends first, or is late. */
  async said(pattern: RegExp, msMax = SAID_MS_MAX): Promise<RegExpExecArray> {
    for (const until = performance.now() + msMax; ;) {
      const match = pattern.exec(this.#err);
      if (match !== null) return match;
      if (this.#over || performance.now() > until)
        throw new Error(`slackline ${this.#words.join(" ")} did not say ${String(pattern)}: ${this.#err.slice(-2_000)}`);
      await new Promise((resolve) => {
        setTimeout(resolve, LOOK_MS);
      });
    }
  }

  /** Where an instance of `run` answers, once it does. */
  async url(): Promise<string> {
    const [, url = ""] = await this.said(/"http":"([^"]+)"/);
    return url;
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#over) this.#child.kill(name);
  }

  /** kill -9. */
  kill(): Promise<CommandEnd> {
    this.signal("SIGKILL");
    return this.ended;
  }

  /** SIGTERM. */
  stop(): Promise<CommandEnd> {
    this.signal("SIGTERM");
    return this.ended;
  }
}
