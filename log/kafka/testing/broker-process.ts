/** One broker from Kafka's jars in a process of its own, which a test may end in any way and start again on its data. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import type { WriteStream } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { endWithParent } from "./end-with-parent.ts";
import { JAVA_LOGGING } from "./kafka-jars.ts";

export interface BrokerProcessOptions {
  readonly nodeId: number;
  readonly classPath: string;
  /** Holds `server.properties`, and takes the output. */
  readonly directory: string;
  /** Of its first listener. */
  readonly port: number;
  readonly heapMb: number;
}

const START_MS_MAX = 150_000;
const STOP_MS_MAX = 20_000;
const LOOK_MS = 100;
const LOG_CHARACTERS_TOLD = 2_000;

export class BrokerProcess {
  readonly nodeId: number;
  /** HOST:PORT of its first listener. */
  readonly address: string;
  readonly #options: BrokerProcessOptions;
  readonly #output: WriteStream;
  #child: ChildProcess | undefined;

  constructor(options: BrokerProcessOptions) {
    this.nodeId = options.nodeId;
    this.address = `127.0.0.1:${options.port}`;
    this.#options = options;
    this.#output = createWriteStream(this.#logFile, { flags: "a" });
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves as soon as it takes connections. Throws with the end of its output if it does not come up. */
  async start(): Promise<void> {
    this.launch();
    await this.untilUp();
  }

  /** Does not wait: brokers of one cluster come up together. */
  launch(): void {
    if (this.running) throw new Error(`broker ${this.nodeId} runs already`);
    const { classPath, directory, heapMb } = this.#options;
    const memory = [`-Xmx${heapMb}m`, "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4"];
    const words = [...memory, "-cp", classPath, JAVA_LOGGING, "kafka.Kafka", join(directory, "server.properties")];
    this.#child = spawn("java", words, { stdio: ["ignore", "pipe", "pipe"] });
    endWithParent(this.#child);
    this.#child.stdout?.pipe(this.#output, { end: false });
    this.#child.stderr?.pipe(this.#output, { end: false });
  }

  async untilUp(): Promise<void> {
    const until = Date.now() + START_MS_MAX;
    while (Date.now() < until) {
      if (!this.running) throw new Error(`broker ${this.nodeId} ended: ${this.#lastOutput()}`);
      if (await connects(this.#options.port)) return;
      await sleep(LOOK_MS);
    }
    throw new Error(`broker ${this.nodeId} is not up after ${START_MS_MAX} ms: ${this.#lastOutput()}`);
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** SIGTERM: it hands its partitions over first. Killed if that takes too long. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** SIGSTOP and SIGCONT: it holds its connections and says nothing. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** For good: lets go of its output. */
  close(): void {
    this.#output.end();
  }

  get #logFile(): string {
    return join(this.#options.directory, "broker.log");
  }

  #lastOutput(): string {
    return readFileSync(this.#logFile, "utf8").slice(-LOG_CHARACTERS_TOLD);
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      child.once("exit", () => {
        clearTimeout(patience);
        resolve();
      });
      child.kill(signal);
    });
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
