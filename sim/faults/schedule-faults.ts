/** Faults that come by themselves, each kind at its own pace: moves of leaders and coordinators, brokers and processes that stop, clocks that jump. */
import { between } from "#log/kafka/simulated";
import type { Random, SimulatedCluster, VirtualScheduler } from "#log/kafka/simulated";
import type { SimulatedApplication } from "../application.ts";
import type { FaultName, SeedOptions } from "./fault-plan.ts";
import type { Hits } from "./hits.ts";
import type { SimulatedProcess } from "../simulated-process.ts";
import type { ProcessFleet } from "../process-fleet.ts";

export interface FaultSchedule {
  readonly options: SeedOptions;
  readonly scheduler: VirtualScheduler;
  readonly cluster: SimulatedCluster;
  readonly fleet: ProcessFleet;
  readonly application: SimulatedApplication;
  readonly hits: Hits;
  readonly random: Random;
  readonly active: () => boolean;
  readonly beforeCompaction: () => void;
  /** Nobody sends work for so long. */
  readonly quiet: (ms: number) => void;
  /** Heartbeats of the client take long, for so long. */
  readonly lateHeartbeats: (client: string, ms: number) => void;
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
  storm: 120_000,
  lull: 25_000,
};

const STORM_SECONDS = 60;
/** A lull begins so long before the process stands still, and goes on so long after it has gone on. */
const LULL_BEFORE_MS = 3_000;
const LULL_AFTER_MS = 3_000;

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
  if (name === "move-leader") moveLeader(schedule);
  else if (name === "move-coordinator") moveCoordinator(schedule);
  else if (name === "stop-broker") stopBroker(schedule);
  else if (name === "guest") return fleet.invite(between(random, 500, 20_000));
  else if (name === "storm") return storm(schedule);
  else if (name === "lull") return target !== undefined && lull(schedule, target.process);
  else if (name === "compaction") {
    beforeCompaction();
    cluster.upkeep(() => random() < 0.5);
  } else return target !== undefined && befalls(schedule, name, target);
  return true;
}

/** For a minute somebody joins each second, and leaves or dies seconds later. */
function storm({ fleet, options, scheduler, random, active }: FaultSchedule): boolean {
  for (let second = 0; second < STORM_SECONDS; second++)
    scheduler.after(second * 1_000 + between(random, 0, 900), () => {
      if (active()) fleet.invite(between(random, 200, 3_000));
    });
  return options.group !== undefined;
}

/**
 * Nothing comes in, so that only timers have anything to do, and a process that still has some stands still until others have its tasks.
 * When it goes on, it is late to hear of it: nothing but the brokers keeps it from doing again what the others have done.
 */
function lull({ fleet, scheduler, random, quiet, lateHeartbeats, active }: FaultSchedule, process: SimulatedProcess): boolean {
  const stillMs = between(random, 7_000, 10_000);
  quiet(LULL_BEFORE_MS + stillMs + LULL_AFTER_MS);
  scheduler.after(between(random, 500, LULL_BEFORE_MS), () => {
    if (!active() || process.time.still) return;
    fleet.pause(process, stillMs);
    lateHeartbeats(process.client, stillMs + LULL_AFTER_MS);
  });
  return true;
}

function moveLeader({ cluster, application: { topics }, random }: FaultSchedule): void {
  const { name = "", partitions = 1 } = topics[between(random, 0, topics.length - 1)] ?? {};
  cluster.moveLeader(name, between(random, 0, partitions - 1));
}

function moveCoordinator({ cluster, options, application, random }: FaultSchedule): void {
  const id = `${application.id}-instance-${between(random, 0, options.instances - 1)}-0`;
  if (random() < 0.5) cluster.moveCoordinator("group", application.id, between(random, 0, 3000));
  else cluster.moveCoordinator("transaction", id, between(random, 0, 3000));
}

function befalls(
  { fleet, application: { clocks }, random }: FaultSchedule,
  name: FaultName,
  { instance, process }: NonNullable<ReturnType<ProcessFleet["any"]>>,
): boolean {
  if (process.time.still) return false;
  if (name === "pause") fleet.pause(process, between(random, 500, 15_000));
  else if (name === "twin") fleet.replace(instance, process, between(random, 1000, 20_000));
  else if (name === "wipe") fleet.loseRows(instance);
  else if (name === "restart") fleet.restart(process);
  else process.time.skewMs += random() < clocks.jumps ? clocks.jumpMs : between(random, -clocks.stepMs, clocks.stepMs);
  return true;
}

function stopBroker({ cluster, options, random, scheduler }: FaultSchedule): void {
  const node = between(random, 1, options.brokers);
  cluster.stopBroker(node, between(random, 50, 2000), between(random, 0, 2000));
  scheduler.after(between(random, 500, 10_000), () => cluster.startBroker(node));
}
