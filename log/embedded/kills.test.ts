/** Exactly once under kills: threads and processes die inside commits, and nothing acknowledged is lost, doubled or torn. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { openDisk } from "#disk";
import type { Disk } from "#disk";
import { afterEach, expect, test, vi } from "vitest";
import type { Log } from "../log.ts";
import { openEmbeddedLog } from "./embedded-log.ts";
import { ACKNOWLEDGED, END, STOPPED, STOP_AFTER_WRITE, STOP_AT, STOP_BEFORE_WRITE, WORDS } from "./fixtures/counting-worker.ts";
import { CountingReader, TOPIC, prepare } from "./fixtures/counting-writer.ts";

const THREADS = 4;
const processKills = Number(process.env["SLACKLINE_KILLS"] ?? 10);
const directories: string[] = [];

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), "slackline-kills-"));
  directories.push(made);
  return made;
}

afterEach(() => {
  for (const made of directories.splice(0)) rmSync(made, { recursive: true, force: true });
});

/** Log, committed offset and store row of each writer are of the same commit, which is not older than the acknowledged one. */
async function verify(log: Log, disk: Disk, acknowledged: ReadonlyMap<string, number>): Promise<number> {
  const reader = new CountingReader(log);
  const total = reader.read();
  expect(total).toBe(await log.offsets.bound({ topic: TOPIC, partition: 0 }, "stable"));
  for (const name of new Set([...acknowledged.keys(), ...reader.counts.keys()])) {
    const seen = reader.counts.get(name) ?? 0;
    expect(seen).toBeGreaterThanOrEqual(acknowledged.get(name) ?? 0);
    const [committed] = await log.offsets.committed(name, [{ topic: TOPIC, partition: 0 }]);
    expect(committed?.offset ?? 0).toBe(seen);
    expect(Number(String(disk.get("rows", Buffer.from(name)) ?? "0"))).toBe(seen);
  }
  return total;
}

class Thread {
  readonly name: string;
  readonly control = new SharedArrayBuffer(WORDS * 4);
  readonly words = new Int32Array(this.control);
  readonly worker: Worker;
  readonly exited: Promise<void>;

  constructor(name: string, log: Log, disk: Disk) {
    this.name = name;
    const workerData = { disk: disk.share(), log: log.share(), name, control: this.control };
    this.worker = new Worker(new URL("fixtures/counting-worker.ts", import.meta.url), { workerData });
    this.exited = new Promise((resolve, reject) => {
      this.worker.once("error", reject);
      this.worker.once("exit", () => resolve());
    });
  }

  get acknowledged(): number {
    return Atomics.load(this.words, ACKNOWLEDGED);
  }

  /** Resolves when the thread has committed again. */
  async goesOn(): Promise<void> {
    const before = this.acknowledged;
    await vi.waitFor(() => expect(this.acknowledged).toBeGreaterThan(before), { timeout: 10_000, interval: 1 });
  }
}

test.each(["auto", "classic-level"] as const)(
  "four threads append to one partition of %s while threads are terminated inside the commit: no hole, no loss, no double",
  async (kind) => {
    const disk = await openDisk({ location: directory(), kind });
    const log = await openEmbeddedLog({ disk, durability: "process" });
    await prepare(log);
    const threads = Array.from({ length: THREADS }, (_, index) => new Thread(`thread ${index}`, log, disk));
    await Promise.all(threads.map((thread) => thread.goesOn()));
    // A commit in one thread wakes another that waits.
    await log.changed(log.version());
    const reader = new CountingReader(log);
    const acknowledged = new Map<string, number>();
    for (const [round, place] of [STOP_AFTER_WRITE, STOP_BEFORE_WRITE, 0, STOP_AFTER_WRITE, 0, STOP_BEFORE_WRITE].entries()) {
      const victim = threads[round % THREADS] as Thread;
      Atomics.store(victim.words, STOP_AT, place);
      if (place !== 0) await vi.waitFor(() => expect(Atomics.load(victim.words, STOPPED)).toBe(1), { timeout: 10_000, interval: 1 });
      await victim.worker.terminate();
      acknowledged.set(victim.name, victim.acknowledged);
      // The lock was taken back: all others go on, and so does the one that comes in its place.
      const successor = new Thread(victim.name, log, disk);
      threads[round % THREADS] = successor;
      await Promise.all(threads.map((thread) => thread.goesOn()));
      reader.read();
    }
    for (const thread of threads) Atomics.store(thread.words, END, 1);
    await Promise.all(threads.map((thread) => thread.exited));
    for (const thread of threads) acknowledged.set(thread.name, thread.acknowledged);
    expect(await verify(log, disk, acknowledged)).toBe(reader.read());
    await log.close();
    await disk.close();
  },
);

test(
  `a process with four writing threads is killed ${processKills} times: data, offsets and log are always of the same commit`,
  async () => {
    const location = directory();
    const acknowledged = new Map<string, number>();
    let before = 0;
    for (let kill = 0; kill < processKills; kill++) {
      await runAndKill(location, kill % 2 === 0, acknowledged);
      const disk = await openDisk({ location });
      const log = await openEmbeddedLog({ disk, durability: "process" });
      const total = await verify(log, disk, acknowledged);
      expect(total).toBeGreaterThan(before);
      before = total;
      await log.close();
      await disk.close();
    }
  },
  20_000 + processKills * 5_000,
);

/** Half of the processes kill themselves inside a commit, the others are killed from outside at a random moment. */
async function runAndKill(location: string, itself: boolean, acknowledged: Map<string, number>): Promise<void> {
  const program = new URL("fixtures/counting-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, location, itself ? "commit" : ""], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (output === "" && !itself) setTimeout(() => child.kill("SIGKILL"), Math.random() * 200);
    output += chunk.toString();
  });
  await new Promise((resolve) => child.once("close", resolve));
  expect(child.signalCode).toBe("SIGKILL");
  // The last line may be cut in the middle of its number.
  for (const line of output.slice(0, output.lastIndexOf("\n")).split("\n")) {
    const [name, count] = line.split("=");
    if (name !== undefined && count !== undefined) acknowledged.set(name, Number(count));
  }
}
