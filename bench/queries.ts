/** Drivers around a point over HTTP while locations and orders go on: what one who asks waits for. */
import autocannon from "autocannon";
import { progress } from "#cli";
import { DriverTraffic } from "./locations/driver-traffic.ts";
import { inWorker, loadFacts, loadNow, withLiveSystem } from "./live/live-system.ts";
import { threadFacts, watchThread, type ThreadEffort } from "./live/main-thread.ts";
import type { QueryMessage, QueryOrder, QueryReport } from "./live/messages.ts";
import { latencyFacts } from "./live/percentiles.ts";
import { median, type Bench } from "./result.ts";

const WARM_SECONDS = 10;
const WARM_QUESTIONS_SECONDS = 10;
const FLOOD_SECONDS = 8;
const CONNECTIONS = 16;
const POINTS = 997;
/** Behind `seconds`, so that the last answers come while traffic goes on. */
const TAIL_SECONDS = 6;

/**
 * One run of a minute and a half unless `runs` is given. Flags: `drivers` (10000: 2,000 locations a second), `orders` (8.3 a second),
 * `rate` (100 questions a second), `seconds` (40), `radius` (5000), `limit` (20),
 * `index` (`no`: drivers are looked for in the stores).
 */
export const queries: Bench = async ({ seed, runs, flags }) => {
  const drivers = Number(flags["drivers"] ?? 10_000);
  const ordersPerSecond = Number(flags["orders"] ?? 8.3);
  const perSecond = Number(flags["rate"] ?? 100);
  const seconds = Number(flags["seconds"] ?? 40);
  const [radius, limit] = [Number(flags["radius"] ?? 5_000), Number(flags["limit"] ?? 20)];
  const traffic = new DriverTraffic({ seed, drivers, startAt: 0 });
  const paths = Array.from({ length: POINTS }, (_, index) => {
    const { latitude, longitude } = traffic.positionOf((index * 7_919) % drivers);
    return `/v1/nearby-drivers?latitude=${latitude.toFixed(6)}&longitude=${longitude.toFixed(6)}&radiusMetres=${radius}&limit=${limit}`;
  });
  const before = loadNow();
  const finished: { readonly report: QueryReport; readonly effort: ThreadEffort; readonly flood: number; readonly alone: number }[] = [];
  for (let run = 0; run < (flags["runs"] === undefined ? 1 : runs); run++) {
    const bar = progress({ label: "queries", total: 3, unit: "parts" });
    finished.push(
      await withLiveSystem({ seed, drivers, policy: "batch-matching", index: flags["index"] !== "no" }, async (system) => {
        const total = WARM_SECONDS + WARM_QUESTIONS_SECONDS + seconds + FLOOD_SECONDS + TAIL_SECONDS;
        const done = system.traffic([{ name: "traffic", seconds: total, ordersPerSecond }]);
        await new Promise((resolve) => setTimeout(resolve, WARM_SECONDS * 1_000));
        bar.update(1, 3, "at a fixed rate");
        const order: QueryOrder = {
          url: system.url,
          warmSeconds: WARM_QUESTIONS_SECONDS,
          seconds,
          perSecond,
          connections: CONNECTIONS,
          paths,
        };
        const { report, effort } = await askAll(order);
        bar.update(2, 3, "as many as it takes");
        const requests = paths.map((path) => ({ path }));
        const flood = await autocannon({ url: system.url, connections: 8, duration: FLOOD_SECONDS, requests, workers: 1 });
        const alone = await answerMs(system.queries.nearby.bind(system.queries), traffic, { drivers, radius, limit });
        await done;
        return { report, effort, flood: flood.requests.average, alone };
      }),
    );
    bar.end("measured");
  }
  const first = finished[0];
  const facts = {
    drivers,
    "locations a second": drivers / 5,
    "orders a second": ordersPerSecond,
    "questions a second": perSecond,
    radius,
    limit,
    ...loadFacts(before),
    ...(first === undefined
      ? {}
      : {
          ...latencyFacts("nearby over HTTP", first.report.latency),
          "the questions before, p99 ms": first.report.warming.p99,
          ...threadFacts(first.effort, "question", first.report.latency.count),
          "answers that were no 200": first.report.non2xx + first.report.errors,
          "the answer alone, without HTTP, median ms": first.alone,
          "answers a second, 8 connections at once": first.flood,
        }),
  };
  const p99 = finished.map(({ report }) => report.latency.p99);
  return [{ name: "nearby drivers, p99", unit: "ms", runs: p99, median: median(p99), seed, facts }];
};

/** The client in a worker, and what it costs this thread while it counts. */
async function askAll(order: QueryOrder): Promise<{ readonly report: QueryReport; readonly effort: ThreadEffort }> {
  let measured = watchThread();
  const program = new URL("live/query-client.ts", import.meta.url);
  const report = await inWorker<QueryMessage, QueryReport>(program, order, (message) => {
    if (message.kind === "done") return message;
    measured();
    measured = watchThread();
    return undefined;
  });
  return { report, effort: measured() };
}

type Nearby = (query: { latitude: number; longitude: number; radiusMetres: number; limit: number }) => Promise<unknown>;

async function answerMs(
  nearby: Nearby,
  traffic: DriverTraffic,
  { drivers, radius, limit }: { readonly drivers: number; readonly radius: number; readonly limit: number },
): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < 100; index++) {
    const begun = performance.now();
    await nearby({ ...traffic.positionOf((index * 101) % drivers), radiusMetres: radius, limit });
    times.push(performance.now() - begun);
  }
  return median(times);
}
