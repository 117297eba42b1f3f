/** Downstream as others read it: Kafka's own consumer in a JVM, while things break. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endWithParent, JAVA_LOGGING, kafkaClassPath } from "#log/kafka/testing";

/** By "TOPIC PARTITION": "RECORDS DIGEST". */
export type Reading = ReadonlyMap<string, string>;

const READING_MS_MAX = 180_000;

export class ForeignReader {
  readonly #child: ChildProcess;
  readonly #seen = new Map<string, string>();
  readonly #reading: Promise<void>;
  readonly #ended: Promise<number | null>;
  #stderr = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    endWithParent(child);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reading = promise;
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => {
        const [kind, topic, partition, records, digest] = line.split(" ");
        if (kind === "reading") resolve();
        if (kind === "seen") this.#seen.set(`${topic} ${partition}`, `${records} ${digest}`);
      });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString("utf8")}`.slice(-2_000);
    });
    this.#ended = new Promise((ended) => {
      child.once("close", (status) => {
        resolve();
        ended(status);
      });
    });
  }

  /** Resolves when it reads. The topics must be there. */
  static async start(brokers: readonly string[], topics: readonly string[]): Promise<ForeignReader> {
    const source = fileURLToPath(new URL("java/CommittedReader.java", import.meta.url));
    const words = ["-Xmx128m", "-XX:+UseSerialGC", JAVA_LOGGING, "-cp", await kafkaClassPath(), source, brokers.join(","), ...topics];
    const reader = new ForeignReader(spawn("java", words, { stdio: ["pipe", "pipe", "pipe"] }));
    await reader.#reading;
    return reader;
  }

  /** Reads up to the end of what is committed now, and ends. */
  async finish(): Promise<Reading> {
    this.#child.stdin?.write("\n");
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), READING_MS_MAX);
    const status = await this.#ended;
    clearTimeout(patience);
    if (status !== 0) throw new Error(`the foreign reader ended with ${status}: ${this.#stderr}`);
    return this.#seen;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
