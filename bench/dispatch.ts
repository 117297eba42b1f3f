/** Order placed → driver assigned, as a consumer sees it, at steady load and in a burst of ten times as many orders. */
import { progress } from "#cli";
import { latencyFacts } from "./live/percentiles.ts";
import { effortFacts, loadFacts, loadNow, withLiveSystem, type Effort } from "./live/live-system.ts";
import { logKinds } from "./live/ground.ts";
import type { Phase, PhaseReport } from "./live/messages.ts";
import { median, type Bench, type BenchResult } from "./result.ts";

/** One run of two and a half minutes unless `runs` is given. */
export const dispatch: Bench = async ({ seed, runs, flags }) => {
  const drivers = Number(flags["drivers"] ?? 10_000);
  const orders = Number(flags["orders"] ?? 8.3);
  const burst = Number(flags["burst"] ?? 83);
  const seconds = Number(flags["seconds"] ?? 40);
  const burstSeconds = Number(flags["burst-seconds"] ?? 60);
  const policy = flags["policy"] ?? "batch-matching";
  const log = logKinds.find((kind) => kind === (flags["log"] ?? "embedded"));
  if (log === undefined) throw new RangeError(`--log: "${flags["log"]}" is not one of ${logKinds.join(", ")}`);
  const phases: readonly Phase[] = [
    { name: "warm up", seconds: 15, ordersPerSecond: orders },
    { name: "steady", seconds, ordersPerSecond: orders },
    { name: "burst", seconds: burstSeconds, ordersPerSecond: burst },
    // Orders of the burst may still be assigned here; they count where they were placed.
    { name: "after", seconds: 20, ordersPerSecond: orders },
  ];
  const finished: (readonly PhaseReport[])[] = [];
  const efforts = new Map<string, Promise<Effort>>();
  const before = loadNow();
  for (let run = 0; run < (flags["runs"] === undefined ? 1 : runs); run++) {
    const bar = progress({ label: "dispatch", total: phases.length, unit: "phases" });
    let done = 0;
    finished.push(
      await withLiveSystem({ seed: seed + run, drivers, policy, log }, (system) =>
        system.traffic(phases, (name) => {
          efforts.set(name, system.effort());
          bar.update(done++, phases.length, name);
        }),
      ),
    );
    bar.end("measured");
  }
  const starts = new Map(await Promise.all([...efforts].map(async ([name, effort]) => [name, await effort] as const)));
  return [
    ["steady", "burst"],
    ["burst", "after"],
  ].map(([name = "", next = ""]) => {
    const [from, to] = [starts.get(name), starts.get(next)];
    const effort = from === undefined || to === undefined ? {} : effortFacts(from, to);
    return resultOf(name, finished, { seed, log, drivers, policy, ...loadFacts(before), ...effort });
  });
};

function resultOf(
  name: string,
  finished: readonly (readonly PhaseReport[])[],
  facts: Readonly<Record<string, string | number>>,
): BenchResult {
  const reports = finished.flatMap((phases) => phases.filter((phase) => phase.name === name));
  const runs = reports.map(({ assigned }) => assigned.p99);
  const [first] = reports;
  return {
    name: `order → assigned, ${name}, ${facts["log"]}, p99`,
    unit: "ms",
    runs,
    median: median(runs),
    seed: Number(facts["seed"]),
    facts: {
      ...facts,
      ...(first === undefined
        ? {}
        : { placed: first.placed, locations: first.locations, ...latencyFacts("order → assigned", first.assigned) }),
      "never assigned": reports.reduce((sum, { placed, assigned }) => sum + placed - assigned.count, 0),
    },
  };
}
