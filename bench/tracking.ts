/** Location in → customer's stream out, with every customer following a job of his own. */
import { progress } from "#cli";
import { inWorker, loadFacts, loadNow, withLiveSystem } from "./live/live-system.ts";
import type { FollowOrder, FollowReport } from "./live/messages.ts";
import { latencyFacts } from "./live/percentiles.ts";
import { median, type Bench } from "./result.ts";

/** Orders a second while the followed jobs come about. */
const PLACING_RATE = 60;
const SETTLE_SECONDS = 20;
/** For opening the streams, and behind them. */
const OPEN_SECONDS = 20;

/**
 * One run of about two minutes unless `runs` is given. Flags: `clients` (1000; 10000 needs `ulimit -n 32768`), `jobs` followed
 * (1000), `drivers` (10000: 2,000 locations a second), `seconds` (40).
 */
export const tracking: Bench = async ({ seed, runs, flags }) => {
  const clients = Number(flags["clients"] ?? 1_000);
  const jobs = Number(flags["jobs"] ?? 1_000);
  const drivers = Number(flags["drivers"] ?? 10_000);
  const seconds = Number(flags["seconds"] ?? 40);
  const before = loadNow();
  const reports: FollowReport[] = [];
  for (let run = 0; run < (flags["runs"] === undefined ? 1 : runs); run++) {
    const bar = progress({ label: "tracking", total: 3, unit: "parts" });
    reports.push(
      await withLiveSystem({ seed: seed + run, drivers, policy: "batch-matching" }, async (system) => {
        const following = Promise.withResolvers<FollowReport>();
        const follow = (): void => {
          const order: FollowOrder = {
            url: system.url,
            jobs: Array.from({ length: clients }, (_, index) => `order-${index % jobs}`),
            seconds,
          };
          inWorker<FollowReport, FollowReport>(new URL("live/follower-client.ts", import.meta.url), order, (message) => message).then(
            following.resolve,
            following.reject,
          );
        };
        const placing = { name: "placing", seconds: Math.ceil(jobs / PLACING_RATE) + 1, ordersPerSecond: PLACING_RATE };
        const settling = { name: "settling", seconds: SETTLE_SECONDS, ordersPerSecond: 0 };
        const followed = { name: "following", seconds: seconds + OPEN_SECONDS, ordersPerSecond: 8.3 };
        let part = 0;
        const traffic = system.traffic([placing, settling, followed], (name) => {
          bar.update(part++, 3, name);
          if (name === followed.name) follow();
        });
        const [report] = await Promise.all([following.promise, traffic]);
        return report;
      }),
    );
    bar.end("measured");
  }
  const [first] = reports;
  const p99 = reports.map(({ latency }) => latency.p99);
  const facts = {
    clients,
    "jobs followed": jobs,
    drivers,
    "locations a second": drivers / 5,
    ...loadFacts(before),
    ...(first === undefined
      ? {}
      : {
          ...latencyFacts("location → stream", first.latency),
          "streams opened": first.opened,
          "streams broken": first.broken,
          positions: first.positions,
        }),
  };
  return [{ name: `location in → stream out, ${clients} clients, p99`, unit: "ms", runs: p99, median: median(p99), seed, facts }];
};
