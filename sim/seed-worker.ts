/** Runs the seeds that it is given, one after the other. */
import assert from "node:assert/strict";
import { parentPort } from "node:worker_threads";
import { plantedBugs } from "./planted/planted-bugs.ts";
import type { SeedJob, SeedReport } from "./run-many.ts";
import { runSeed } from "./run-seed.ts";

const port = parentPort;
assert(port, "this module is the program of a worker");
/** Promises of a seed that has ended: told with the next one. */
let late: string | undefined;
process.on("unhandledRejection", (reason) => {
  if (process.listenerCount("unhandledRejection") === 1) late = String(reason);
});
port.on("message", ({ options, bug }: SeedJob) => {
  const planted = bug === undefined ? undefined : plantedBugs.find(({ name }) => name === bug);
  const began = process.threadCpuUsage();
  void runSeed(options, planted).then(({ violation, atMs, records, hash, hits: { faults, crashes } }) => {
    const { user, system } = process.threadCpuUsage(began);
    const cpuMs = Math.round((user + system) / 1000);
    const rejected = late === undefined ? undefined : { invariant: "I11", message: `After the end of the seed before: ${late}` };
    const found = violation === undefined ? rejected : { invariant: violation.invariant, message: violation.message };
    late = undefined;
    port.postMessage({ options, violation: found, atMs, records, cpuMs, hash, faults, crashes } satisfies SeedReport);
  });
});
