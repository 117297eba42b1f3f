/** Lets a system live for so long, does things to its processes as the plan says, and measures it meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { BROKER, type PlannedDeed } from "./chaos-plan.ts";
import type { Mark } from "./chart.ts";
import { diskBytes } from "./disk-bytes.ts";
import type { Measurement, Recording } from "./recording.ts";
import { sampleOf } from "./sample.ts";
import type { SoakedProcess } from "./soaked-process.ts";
import type { SoakedSystem } from "./soaked-system.ts";

export interface SoakOptions {
  readonly system: SoakedSystem;
  readonly plan: readonly PlannedDeed[];
  readonly seconds: number;
  readonly directory: string;
  readonly diskBytesMax: number;
  /** Every few seconds. */
  readonly onProgress: (line: string) => void;
  readonly stopped: () => boolean;
}

const SAMPLE_MS = 3_000;
const DISK_EVERY = 4;
const STEP_MS = 100;
const PROGRESS_MS = 10_000;
const SURPRISE_AGAIN_SECONDS = 2;
const MIB = 2 ** 20;

export class Soak {
  readonly #options: SoakOptions;
  readonly #begun = performance.now();
  readonly #processes = new Map<string, Measurement[]>();
  readonly #disk: (readonly [number, number])[] = [];
  readonly #marks: Mark[] = [];
  readonly #deeds: string[] = [];
  readonly #returns: number[] = [];
  readonly #surprises: string[] = [];
  /** Those that something is being done to: nothing else is done to them meanwhile. */
  readonly #busy = new Set<string>();
  readonly #doing = new Set<Promise<void>>();

  constructor(options: SoakOptions) {
    this.#options = options;
    for (const { name } of options.system.instances) this.#processes.set(name, []);
  }

  /** Rejects when the disk is used up, or something could not be done. */
  async live(): Promise<void> {
    const { plan, seconds, stopped } = this.#options;
    const waiting = [...plan];
    let sampleAt = 0;
    let progressAt = 0;
    while (this.#seconds() < seconds && !stopped()) {
      const now = performance.now();
      for (let next = waiting[0]; next !== undefined && next.atSeconds <= this.#seconds(); next = waiting[0]) {
        waiting.shift();
        this.#begin(next);
      }
      this.#startAgain();
      if (now >= sampleAt) {
        sampleAt = now + SAMPLE_MS;
        await this.#measure();
      }
      if (now >= progressAt) {
        progressAt = now + PROGRESS_MS;
        this.#options.onProgress(this.#progress());
      }
      await sleep(STEP_MS);
    }
    await Promise.all(this.#doing);
  }

  recording(): Recording {
    const { seconds } = { seconds: this.#seconds() };
    return {
      processes: this.#processes,
      disk: this.#disk,
      marks: this.#marks,
      deeds: this.#deeds,
      returns: this.#returns,
      surprises: this.#surprises,
      seconds,
    };
  }

  #seconds(): number {
    return (performance.now() - this.#begun) / 1_000;
  }

  #begin(deed: PlannedDeed): void {
    const { system } = this.#options;
    const target = deed.target === BROKER ? undefined : system.instances[deed.target];
    const name = target?.name ?? "broker";
    if (this.#busy.has(name) || (target !== undefined && target.url === undefined)) return;
    this.#busy.add(name);
    const doing = (target === undefined ? this.#doToBroker(deed) : this.#doTo(target, deed)).finally(() => {
      this.#busy.delete(name);
      this.#doing.delete(doing);
    });
    this.#doing.add(doing);
    doing.catch((error: unknown) => this.#surprises.push(`${name}: ${error instanceof Error ? error.message : String(error)}`));
  }

  async #doTo(process: SoakedProcess, { deed, awaySeconds }: PlannedDeed): Promise<void> {
    this.#note(deed, `${process.name}: ${words[deed]}, back after ${awaySeconds} s`);
    if (deed === "pause") {
      process.pause();
      await sleep(awaySeconds * 1_000);
      process.resume();
      return;
    }
    const { status, signal } = await process.signal(deed === "kill" ? "SIGKILL" : "SIGTERM");
    if (deed === "stop" && status !== 0)
      this.#surprises.push(`${process.name} was asked to stop and ended with ${signal ?? `status ${status}`}: ${tail(process.lastWords)}`);
    await sleep(awaySeconds * 1_000);
    process.start();
    const started = this.#seconds();
    while (process.url === undefined && !process.over) await sleep(STEP_MS);
    if (!process.over) this.#returns.push(this.#seconds() - started);
  }

  async #doToBroker({ deed, awaySeconds }: PlannedDeed): Promise<void> {
    const { broker } = this.#options.system;
    if (broker === undefined) return;
    this.#note("broker", `broker: ${words[deed]}, back after ${awaySeconds} s`);
    if (deed === "pause") broker.pause();
    else if (deed === "kill") await broker.kill();
    else await broker.stop();
    await sleep(awaySeconds * 1_000);
    if (deed === "pause") broker.resume();
    else await broker.start();
  }

  /** Whoever has ended and was not asked to. */
  #startAgain(): void {
    const { system } = this.#options;
    for (const process of [...system.instances, ...system.helpers]) {
      if (!process.over || this.#busy.has(process.name)) continue;
      this.#busy.add(process.name);
      const doing = this.#again(process).finally(() => {
        this.#busy.delete(process.name);
        this.#doing.delete(doing);
      });
      this.#doing.add(doing);
    }
  }

  async #again(process: SoakedProcess): Promise<void> {
    const { status, signal } = await process.ended;
    this.#surprises.push(
      `${process.name} ended of itself after ${this.#seconds().toFixed(0)} s with ${signal ?? `status ${status}`}: ${tail(process.lastWords)}`,
    );
    await sleep(SURPRISE_AGAIN_SECONDS * 1_000);
    process.start();
  }

  async #measure(): Promise<void> {
    const { system, directory, diskBytesMax } = this.#options;
    const seconds = this.#seconds();
    await Promise.all(
      system.instances.map(async (process) => {
        const { url, lives: life } = process;
        const sample = url === undefined || process.paused ? undefined : await sampleOf(url);
        this.#processes.get(process.name)?.push({ seconds, life, sample });
      }),
    );
    if ((this.#processes.get(system.instances[0]?.name ?? "")?.length ?? 0) % DISK_EVERY !== 1) return;
    const bytes = diskBytes(directory);
    this.#disk.push([seconds, bytes]);
    if (bytes > diskBytesMax)
      throw new Error(`${directory} has ${Math.round(bytes / MIB)} MiB, at most ${Math.round(diskBytesMax / MIB)} are allowed: --disk-mb`);
  }

  #note(kind: Mark["kind"], what: string): void {
    const seconds = this.#seconds();
    this.#marks.push({ seconds, kind });
    this.#deeds.push(`${seconds.toFixed(0)} s: ${what}`);
  }

  #progress(): string {
    const { seconds, system } = this.#options;
    const left = Math.max(0, seconds - this.#seconds());
    const newest = system.instances.map(({ name }) => this.#processes.get(name)?.at(-1)?.sample);
    const rss = newest.map((sample) => (sample === undefined ? "-" : (sample.rssBytes / MIB).toFixed(0))).join("/");
    const lag = newest.reduce((sum, sample) => sum + (sample?.lagRecords ?? 0), 0);
    const disk = (this.#disk.at(-1)?.[1] ?? 0) / MIB;
    const minutes = `${Math.floor(left / 60)}:${String(Math.floor(left % 60)).padStart(2, "0")}`;
    return `${minutes} left  RSS ${rss} MiB  lag ${lag}  disk ${disk.toFixed(0)} MiB  ${this.#deeds.length} deeds  ${this.#surprises.length} surprises  last: ${this.#deeds.at(-1) ?? "-"}`;
  }
}

const words = { kill: "kill -9", stop: "SIGTERM", pause: "SIGSTOP" } as const;

function tail(text: string): string {
  return text.trim().slice(-500).replaceAll("\n", " ⏎ ");
}
