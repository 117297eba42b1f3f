/** Location in → customer's stream out, with many customers who follow jobs that are under way. */
import { setTimeout as sleep } from "node:timers/promises";
import { followersBound } from "#api";
import { progress } from "#cli";
import { follow } from "./live/follow.ts";
import { loadFacts, loadNow, withLiveSystem, type LiveSystem } from "./live/live-system.ts";
import { threadFacts, watchThread, type ThreadEffort } from "./live/main-thread.ts";
import type { FollowReport } from "./live/messages.ts";
import { Latencies, latencyFacts } from "./live/percentiles.ts";
import { median, type Bench } from "./result.ts";

/** Orders a second while the followed jobs come about. */
const PLACING_RATE = 60;
const SETTLE_SECONDS_MAX = 300;
/** Streams are open and warm so long before it counts. */
const WARM_SECONDS = 5;
/** Beyond what is measured, streams have so long to open. */
const OPEN_SECONDS_MAX = 300;
const CLIENTS_PER_PROCESS = 5_000;
const MEBIBYTE = 2 ** 20;

interface Followed {
  readonly report: FollowReport;
  readonly effort: ThreadEffort;
  /** The same while the streams were opened. */
  readonly opening: ThreadEffort;
  /** Of the process that serves: before the streams were opened, with all of them open, and at most while it counted. */
  readonly residentMb: readonly [before: number, open: number, most: number];
}

/**
 * One run of about two minutes unless `runs` is given: jobs are placed until each has its driver, then followed. Flags: `clients`
 * (1000; 10000 from two processes), `jobs` followed (1000), `drivers` (10000: 2,000 locations a second), `seconds` (60).
 */
export const tracking: Bench = async ({ seed, runs, flags }) => {
  const clients = Number(flags["clients"] ?? 1_000);
  const jobs = Number(flags["jobs"] ?? 1_000);
  const drivers = Number(flags["drivers"] ?? 10_000);
  const seconds = Number(flags["seconds"] ?? 60);
  const { most, why } = followersBound(clients);
  if (most < clients) throw new RangeError(`--clients ${clients}: ${why}; with a hard limit of ${clients + 1_000} they may`);
  const before = loadNow();
  const finished: Followed[] = [];
  for (let run = 0; run < (flags["runs"] === undefined ? 1 : runs); run++) {
    const bar = progress({ label: "tracking", total: 4, unit: "parts" });
    finished.push(
      await withLiveSystem({ seed: seed + run, drivers, policy: "batch-matching" }, (system) =>
        followJobs(system, { clients, jobs, seconds }, (part, name) => bar.update(part, 4, name)),
      ),
    );
    bar.end("measured");
  }
  const [first] = finished;
  const facts = {
    clients,
    "jobs followed": jobs,
    drivers,
    "locations a second": drivers / 5,
    ...loadFacts(before),
    ...(first === undefined ? {} : factsOf(first)),
  };
  const p99 = finished.map(({ report }) => latenciesOf(report).at(0.99));
  return [{ name: `location in → stream out, ${clients} clients, p99`, unit: "ms", runs: p99, median: median(p99), seed, facts }];
};

async function followJobs(
  system: LiveSystem,
  { clients, jobs, seconds }: { readonly clients: number; readonly jobs: number; readonly seconds: number },
  stage: (part: number, name: string) => void,
): Promise<Followed> {
  const over = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const begun = Promise.withResolvers<void>();
  const phases = [
    { name: "placing", seconds: Math.ceil(jobs / PLACING_RATE) + 1, ordersPerSecond: PLACING_RATE },
    { name: "assigning", seconds: SETTLE_SECONDS_MAX, ordersPerSecond: 0, untilAssigned: true },
    { name: "following", seconds: seconds + OPEN_SECONDS_MAX, ordersPerSecond: 8.3, over },
  ];
  const traffic = system.traffic(phases, (name) => {
    stage(
      phases.findIndex((phase) => phase.name === name),
      name,
    );
    if (name === "following") begun.resolve();
  });
  try {
    await Promise.race([begun.promise, traffic]);
    const resident = (): number => process.memoryUsage.rss() / MEBIBYTE;
    const start = resident();
    let [open, most] = [start, start];
    let measured = watchThread();
    let opening: ThreadEffort | undefined;
    const look = setInterval(() => (most = Math.max(most, resident())), 250);
    const processes = Math.ceil(clients / CLIENTS_PER_PROCESS);
    const orders = Array.from({ length: processes }, (_, process) => ({
      url: system.url,
      seconds,
      jobs: Array.from({ length: clients }, (__, client) => `order-${client % jobs}`).filter(
        (___, client) => client % processes === process,
      ),
    }));
    const opened = async (): Promise<void> => {
      opening = measured();
      await sleep(WARM_SECONDS * 1_000);
      open = resident();
      measured = watchThread();
      stage(3, "counting");
    };
    try {
      const report = await follow(orders, { opened });
      const effort = measured();
      return { report, effort, opening: opening ?? effort, residentMb: [start, open, most] };
    } finally {
      clearInterval(look);
    }
  } finally {
    Atomics.store(new Int32Array(over), 0, 1);
    await traffic;
  }
}

function factsOf({ report, effort, opening, residentMb: [before, open, most] }: Followed): Readonly<Record<string, number>> {
  return {
    ...latencyFacts("location → stream", latenciesOf(report).summary()),
    "streams opened": report.opened,
    "seconds to open them": opening.wallMs / 1_000,
    "CPU of the main thread a stream opened, ms": opening.cpuMs / report.opened,
    "streams broken": report.broken,
    ...threadFacts(effort, "event sent", report.ages.length),
    "resident before the streams, MiB": before,
    "with all streams open, MiB": open,
    "at most, MiB": most,
    "a stream, KiB": ((open - before) * 1_024) / report.opened,
  };
}

function latenciesOf({ ages }: FollowReport): Latencies {
  const latencies = new Latencies();
  for (const age of ages) latencies.add(age);
  return latencies;
}
