/** Runs the seeds that it is given, one after the other. */
import assert from "node:assert/strict";
import { parentPort } from "node:worker_threads";
import { plantedBugs } from "./planted/planted-bugs.ts";
import type { SeedJob, SeedReport } from "./run-many.ts";
import { runSeed } from "./run-seed.ts";

const port = parentPort;
assert(port, "this module is the program of a worker");
port.on("message", ({ options, bug }: SeedJob) => {
  const planted = bug === undefined ? undefined : plantedBugs.find(({ name }) => name === bug);
  const began = process.threadCpuUsage();
  void runSeed(options, planted).then(({ violation, atMs, records, hash, hits: { faults, crashes } }) => {
    const { user, system } = process.threadCpuUsage(began);
    const cpuMs = Math.round((user + system) / 1000);
    const found = violation === undefined ? undefined : { invariant: violation.invariant, message: violation.message };
    port.postMessage({ options, violation: found, atMs, records, cpuMs, hash, faults, crashes } satisfies SeedReport);
  });
});
