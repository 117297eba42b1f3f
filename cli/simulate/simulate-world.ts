/** Any world by latitude and longitude in virtual time: its day, the verdict on every invariant, and what it came to. */
import type { ZonePolicy } from "#schemas";
import { topicConfigs } from "#streams";
import type { World } from "#world";
import { prove } from "../proof/prove.ts";
import { APPLICATION_ID } from "../system/dispatch-topology.ts";
import { openSystem, type System } from "../system/open-system.ts";
import { cellLoads } from "./cell-loads.ts";
import { dispatchFigures } from "./dispatch-figures.ts";
import { lastOrders } from "./last-orders.ts";
import type { Simulation } from "./simulation.ts";
import { runVirtualDay } from "./virtual-day.ts";

export interface WorldSimulationOptions {
  readonly world: World;
  readonly worldId: string;
  /** In force where no zone has its own. */
  readonly policy: ZonePolicy;
  /** Published before anything else happens: zones with rules of their own, such as another resolution. */
  readonly zones?: readonly ZonePolicy[];
  readonly startsAt: number;
  /** Nobody asks for anything after it; the day ends with the last job. */
  readonly asksUntil: number;
  /** Default 4. */
  readonly partitions?: number;
  /** Default 250: devices report at any millisecond, and a virtual step for each would cost a commit for each. */
  readonly quantumMs?: number;
  readonly onProgress?: (minute: number, minutes: number) => void;
  /** Days whose log is too large for memory lie in this folder, which is not removed. Default: in memory. */
  readonly directory?: string;
  /** Sees the system while it is still open. */
  readonly inspect?: (system: System) => Promise<void>;
}

const minuteMs = 60_000;

export async function simulateWorld(options: WorldSimulationOptions): Promise<Simulation> {
  const {
    world,
    worldId,
    policy,
    zones = [],
    startsAt,
    asksUntil,
    partitions = 4,
    quantumMs = 250,
    onProgress,
    directory = "",
    inspect,
  } = options;
  const begun = performance.now();
  const minutes = Math.ceil((asksUntil - startsAt) / minuteMs);
  await using system = await openSystem({
    directory,
    kind: directory === "" ? "memory" : "auto",
    durability: "process",
    partitions,
    policy,
  });
  await publish(system, zones, startsAt);
  const day = await runVirtualDay({
    system,
    worldId,
    world: lastOrders(world, asksUntil),
    startsAt,
    asksUntil,
    quantumMs,
    endsAt: asksUntil + policy.deadlineMs + minuteMs,
    onProgress: (now) => onProgress?.(Math.min(minutes, Math.floor((now - startsAt) / minuteMs)), minutes),
  });
  const daySeconds = (performance.now() - begun) / 1000;
  // Zones of their own may have other rules.
  const rules = zones.length === 0 ? { locationRules: policy } : {};
  const verdicts = await prove(system.log, system.topics, { quiescent: day.quiescent, ...rules });
  const { figures, refusals } = await dispatchFigures(system);
  const cells = await cellLoads(system);
  await inspect?.(system);
  return {
    name: worldId,
    policy: policy.policy,
    verdicts,
    evaluation: undefined,
    solution: {},
    figures,
    refusals,
    cells,
    day,
    daySeconds,
    wallSeconds: (performance.now() - begun) / 1000,
  };
}

async function publish({ log, topology, topics }: System, zones: readonly ZonePolicy[], at: number): Promise<void> {
  if (zones.length === 0) return;
  await log.topics.ensure(topicConfigs(topology, APPLICATION_ID));
  const producer = log.producer();
  for (const zone of zones) {
    const bytes = Buffer.alloc(4_096);
    const end = topics.policies.value.encode(zone, bytes, 0);
    producer.append(topics.policies.name, 0, at, Buffer.from(zone.zone), bytes.subarray(0, end));
  }
  await producer.flush();
  await producer.close();
}
