/** Instances of an application in processes of their own, to be joined, stopped, killed and put to sleep. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { MemberLife, MemberSays, MemberStatus } from "./member-process.ts";

const program = new URL("member-process.ts", import.meta.url);

export class MemberProcess {
  readonly instanceId: string;
  running: readonly string[] = [];
  following: readonly string[] = [];
  generation = -1;
  readonly history: MemberStatus[] = [];
  readonly warnings: string[] = [];
  readonly ended: Promise<number | string | null>;
  readonly #child: ChildProcess;

  constructor(life: MemberLife) {
    this.instanceId = life.instanceId;
    this.#child = spawn(process.execPath, [program.pathname, JSON.stringify(life)], { stdio: ["ignore", "pipe", "inherit"] });
    this.ended = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        this.running = [];
        resolve(code ?? signal);
      });
    });
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on("line", (line) => this.#hear(JSON.parse(line) as MemberSays));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Cleanly; resolves with its exit code. */
  stop(): Promise<number | string | null> {
    this.signal("SIGTERM");
    return this.ended;
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  #hear(said: MemberSays): void {
    if (said.kind === "status") {
      ({ running: this.running, following: this.following, generation: this.generation } = said);
      this.history.push(said);
    } else this.warnings.push(said.message);
  }
}
