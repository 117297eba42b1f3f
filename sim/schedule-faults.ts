/** Faults that come by themselves, each kind at its own pace: moves of leaders and coordinators, brokers and processes that stop, clocks that jump. */
import { between } from "#log/kafka/simulated";
import type { Random, SimulatedCluster, VirtualScheduler } from "#log/kafka/simulated";
import type { FaultName, SeedOptions } from "./fault-plan.ts";
import type { Hits } from "./hits.ts";
import { PARTITIONS } from "./ledger/ledger-topology.ts";
import type { ProcessFleet } from "./process-fleet.ts";
import { APPLICATION_ID } from "./simulated-process.ts";

export interface FaultSchedule {
  readonly options: SeedOptions;
  readonly scheduler: VirtualScheduler;
  readonly cluster: SimulatedCluster;
  readonly fleet: ProcessFleet;
  readonly hits: Hits;
  readonly random: Random;
  readonly active: () => boolean;
  readonly beforeCompaction: () => void;
}

/** Mean time between two of a kind, at its most often. */
const EVERY_MS: Partial<Record<FaultName, number>> = {
  "move-leader": 8_000,
  "move-coordinator": 10_000,
  "stop-broker": 30_000,
  pause: 20_000,
  twin: 40_000,
  wipe: 30_000,
  clock: 20_000,
  restart: 25_000,
  guest: 15_000,
  compaction: 6_000,
};
const TOPICS = [
  "moves",
  "receipts",
  "statements",
  "audits",
  "transfers",
  "totals",
  "ledger-accounts-changelog",
  "ledger-statement-timers-changelog",
  "ledger-audit-timers-changelog",
  "ledger-buckets-changelog",
];

export function scheduleFaults(schedule: FaultSchedule): void {
  for (const name of Object.keys(EVERY_MS) as FaultName[]) again(schedule, name);
}

function again(schedule: FaultSchedule, name: FaultName): void {
  const { options, scheduler, random, active, hits } = schedule;
  const often = options.faults[name];
  if (often === 0) return;
  const waitMs = Math.ceil((-Math.log(1 - random()) * (EVERY_MS[name] ?? 10_000)) / often);
  scheduler.after(Math.max(50, waitMs), () => {
    if (!active()) return;
    if (act(schedule, name)) {
      hits.fault(name);
      hits.event(`${scheduler.now()} ${name}\n`);
    }
    again(schedule, name);
  });
}

/** False when there was nobody to whom it could happen. */
function act(schedule: FaultSchedule, name: FaultName): boolean {
  const { cluster, fleet, random, beforeCompaction } = schedule;
  const target = fleet.any();
  if (name === "move-leader")
    cluster.moveLeader(TOPICS[between(random, 0, TOPICS.length - 1)] ?? "moves", between(random, 0, PARTITIONS - 1));
  else if (name === "move-coordinator") moveCoordinator(schedule);
  else if (name === "stop-broker") stopBroker(schedule);
  else if (name === "guest") return fleet.invite(between(random, 500, 20_000));
  else if (name === "compaction") {
    beforeCompaction();
    cluster.upkeep(() => random() < 0.5);
  } else return target !== undefined && befalls(schedule, name, target);
  return true;
}

function moveCoordinator({ cluster, options, random }: FaultSchedule): void {
  const id = `${APPLICATION_ID}-instance-${between(random, 0, options.instances - 1)}-0`;
  if (random() < 0.5) cluster.moveCoordinator("group", APPLICATION_ID, between(random, 0, 3000));
  else cluster.moveCoordinator("transaction", id, between(random, 0, 3000));
}

function befalls(
  { fleet, random }: FaultSchedule,
  name: FaultName,
  { instance, process }: NonNullable<ReturnType<ProcessFleet["any"]>>,
): boolean {
  if (process.time.still) return false;
  if (name === "pause") fleet.pause(process, between(random, 500, 15_000));
  else if (name === "twin") fleet.replace(instance, process, between(random, 1000, 20_000));
  else if (name === "wipe") fleet.loseRows(instance);
  else if (name === "restart") fleet.restart(process);
  else process.time.skewMs += random() < 0.1 ? 2 * 24 * 3_600_000 : between(random, -20_000, 20_000);
  return true;
}

function stopBroker({ cluster, options, random, scheduler }: FaultSchedule): void {
  const node = between(random, 1, options.brokers);
  cluster.stopBroker(node, between(random, 50, 2000), between(random, 0, 2000));
  scheduler.after(between(random, 500, 10_000), () => cluster.startBroker(node));
}
