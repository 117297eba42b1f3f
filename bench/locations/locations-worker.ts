/** One stream thread with every task of `drivers`, until it has committed so many records. */
import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import { attachDisk } from "#disk";
import { attachEmbeddedLog, openKafkaLog } from "#log";
import { topicSchemas } from "#schemas";
import {
  createStreamThread,
  EMBEDDED_COMMIT_INTERVAL_MS,
  silentLogger,
  STREAM_THREAD_DEFAULTS,
  tasksOf,
  type StreamThread,
  type Topology,
} from "#streams";
import { buildDispatchFromJson } from "#topologies";
import { startCpuProfile } from "./cpu-profile.ts";
import { APPLICATION_ID, type WorkerOrder, type WorkerReport } from "./worker-messages.ts";

const order = workerData as WorkerOrder; // `locations` starts this program
const disk = attachDisk(order.disk);
const log = order.log.kind === "shared" ? attachEmbeddedLog(order.log.share, disk) : await openKafkaLog(order.log.options);
try {
  parentPort?.postMessage(await work());
} finally {
  await log.close();
  await disk.close();
}

async function work(): Promise<WorkerReport> {
  const topology = buildDispatchFromJson(order.topology);
  const subtopology = driversOf(topology);
  const thread = createStreamThread({
    config: {
      ...STREAM_THREAD_DEFAULTS,
      ...(log.capabilities.atomicRows ? { commitIntervalMs: EMBEDDED_COMMIT_INTERVAL_MS } : {}),
      applicationId: APPLICATION_ID,
      instanceId: "0",
      thread: 0,
    },
    dependencies: { topology, log, disk, stepClock: () => performance.now(), logger: silentLogger },
    assignment: { generation: 0, tasks: tasksOf(topology).filter((task) => task.subtopology === subtopology) },
  });
  while (thread.state === "created" || thread.state === "starting") {
    thread.step(Date.now());
    await thread.settled();
  }
  const profiling = order.profile === undefined ? undefined : await startCpuProfile();
  const cpuBefore = process.threadCpuUsage();
  const processCpuBefore = process.cpuUsage();
  const begun = performance.now();
  let half: { readonly at: number; readonly records: number } | undefined;
  let tenth = { at: begun, records: 0 };
  let bestRate = 0;
  for (;;) {
    // A commit that a busy broker has not answered in time is done again by the thread itself.
    assert(isAtWork(thread), thread.error ?? `the thread is ${thread.state}`);
    const now = Date.now();
    const { worked, nextDueAt } = thread.step(now);
    const records = thread.metrics().recordsProcessed;
    if (records >= order.records) break;
    if (records - tenth.records >= order.records / 10) {
      const at = performance.now();
      bestRate = Math.max(bestRate, ((records - tenth.records) / (at - tenth.at)) * 1_000);
      tenth = { at, records };
    }
    if (half === undefined && records >= order.records / 2) half = { at: performance.now(), records };
    await (worked || nextDueAt <= now ? turn() : pause(Math.min(nextDueAt - now, 50)));
  }
  const ended = performance.now();
  const cpu = process.threadCpuUsage(cpuBefore);
  const processCpu = process.cpuUsage(processCpuBefore);
  const profile = order.profile === undefined ? undefined : await profiling?.stop(order.profile);
  const { commits, aborts, recordsForwarded, commitLatency, recordsProcessed } = thread.metrics();
  await thread.stop();
  return {
    ms: ended - begun,
    laterRate: half === undefined ? 0 : ((recordsProcessed - half.records) / (ended - half.at)) * 1_000,
    bestRate,
    commits,
    aborts,
    sent: recordsForwarded,
    cpuMs: (cpu.user + cpu.system) / 1_000,
    processCpuMs: (processCpu.user + processCpu.system) / 1_000,
    commitMs: (commitLatency?.sumMs ?? 0) / Math.max(1, commits),
    profile,
  };
}

function isAtWork({ state }: StreamThread): boolean {
  return state === "running" || state === "starting";
}

function driversOf({ subtopologies }: Topology): number {
  const index = subtopologies.findIndex(({ sources }) => sources.some(({ topic }) => topic.name === topicSchemas.driverLocations.topic));
  assert(index >= 0, "no subtopology reads locations");
  return index;
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
