/**
 * `npm run soak -- --minutes N [--log embedded|kafka] [--instances N] [--seed N] [--dir D] [--disk-mb N] [--name NAME]`: the dispatch
 * application under a seeded city, while its processes are killed, stopped and paused. Exit 1 if an invariant broke or memory grew.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { whyNoCluster } from "#log/kafka/testing";
import { chaosPlan } from "./chaos-plan.ts";
import { embeddedSystem } from "./embedded-system.ts";
import { kafkaSystem } from "./kafka-system.ts";
import { livesOfMemory } from "./memory.ts";
import { writeReport } from "./report.ts";
import { Soak } from "./soak.ts";
import type { ProofOfSoak, SoakedSystem } from "./soaked-system.ts";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    log: { type: "string", default: "embedded" },
    instances: { type: "string", default: "3" },
    seed: { type: "string", default: "42" },
    dir: { type: "string" },
    "disk-mb": { type: "string", default: "8192" },
    name: { type: "string" },
    reports: { type: "string", default: join("docs", "reports") },
  },
});

const MIB = 2 ** 20;
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

process.exitCode = await main();
// What is left of a broker or a fetch does not hold the command.
setTimeout(() => process.exit(), 2_000).unref();

async function main(): Promise<number> {
  const { log } = flags;
  const [seconds, seed, instances] = [Number(flags.minutes) * 60, Number(flags.seed), Number(flags.instances)];
  const numbers = [seconds > 0, Number.isInteger(seed), Number.isInteger(instances) && instances > 0, Number(flags["disk-mb"]) > 0];
  if ((log !== "embedded" && log !== "kafka") || numbers.includes(false)) {
    say("USAGE npm run soak -- --minutes N [--log embedded|kafka] [--instances N] [--seed N] [--dir D] [--disk-mb N] [--name NAME]");
    return 2;
  }
  const why = log === "kafka" ? whyNoCluster() : undefined;
  if (why !== undefined) {
    say(`USAGE ${why}`);
    return 2;
  }
  if (flags.dir !== undefined) mkdirSync(flags.dir, { recursive: true });
  const directory = mkdtempSync(join(flags.dir ?? tmpdir(), "soak-"));
  try {
    return await soak({ directory, seconds, seed, instances, log });
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Chosen {
  readonly directory: string;
  readonly seconds: number;
  readonly seed: number;
  readonly instances: number;
  readonly log: "embedded" | "kafka";
}

async function soak({ directory, seconds, seed, instances, log }: Chosen): Promise<number> {
  const told = { stop: false };
  process.once("SIGINT", () => (told.stop = true)).once("SIGTERM", () => (told.stop = true));
  await using system = await (log === "kafka"
    ? kafkaSystem({ directory, instances, seed })
    : Promise.resolve(embeddedSystem({ directory, instances: 1, seed })));
  say(system.title);
  await system.start();
  const plan = chaosPlan({ seed, seconds, instances: system.instances.length, broker: system.broker !== undefined });
  const running = new Soak({
    system,
    plan,
    seconds,
    directory,
    diskBytesMax: Number(flags["disk-mb"]) * MIB,
    onProgress: say,
    stopped: () => told.stop,
  });
  const broken: string[] = [];
  await running.live().catch((error: unknown) => broken.push(error instanceof Error ? error.message : String(error)));
  const recording = running.recording();
  say("nothing comes in any more; draining, then reading what is committed");
  const proof = await provedEnd(system, broken);
  for (const { process: name, life, grows } of livesOfMemory(recording.processes))
    if (grows === true) broken.push(`The memory of ${name} grew in its life ${life}, see below.`);
  const name = flags.name ?? `${new Date().toISOString().slice(0, 10)}-soak-${log}`;
  const path = writeReport(flags.reports, { name, title: system.title, commit: commit(), seed, recording, proof, broken });
  for (const sentence of broken) say(sentence);
  say(`${broken.length === 0 ? "held" : "FAILED"}: ${path}`);
  return broken.length === 0 ? 0 : 1;
}

async function provedEnd(system: SoakedSystem, broken: string[]): Promise<ProofOfSoak | undefined> {
  try {
    broken.push(...(await system.finish()));
    const proof = await system.prove();
    for (const { invariant, violations } of proof.verdicts) broken.push(...violations.map((sentence) => `${invariant} ${sentence}`));
    broken.push(...proof.violations);
    if (proof.verdicts.every(({ checked }) => checked === 0)) broken.push("There was nothing to be checked.");
    return proof;
  } catch (error) {
    broken.push(`The end could not be proved: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short=8", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}
