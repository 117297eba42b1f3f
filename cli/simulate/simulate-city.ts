/** A seeded city in virtual time: hours of drivers, orders and rides by latitude and longitude. */
import { defaultPolicy } from "#topologies";
import { cityWorldId, createCityWorld, WORLD_DEFAULTS, type CityConfig } from "#world";
import { Tally } from "../demo/tally.ts";
import { prove } from "../proof/prove.ts";
import { readTopic } from "../proof/read-topic.ts";
import { openSystem, type System } from "../system/open-system.ts";
import type { Simulation } from "./simulation.ts";
import { lastOrders } from "./last-orders.ts";
import { runVirtualDay } from "./virtual-day.ts";

export interface CitySimulationOptions {
  readonly config: CityConfig;
  readonly policy: string;
  /** How long people order, virtual minutes. */
  readonly minutes: number;
  readonly onProgress?: (minute: number, minutes: number) => void;
  readonly inspect?: (system: System) => Promise<void>;
}

const minuteMs = 60_000;
const partitions = 4;
/** Devices report at any millisecond; a virtual step for each would cost a commit for each. */
const quantumMs = 250;

export async function simulateCity({ config, policy, minutes, onProgress, inspect }: CitySimulationOptions): Promise<Simulation> {
  const begun = performance.now();
  const startsAt = WORLD_DEFAULTS.dayStartsAt;
  const endsAt = startsAt + minutes * minuteMs;
  const zone = { ...defaultPolicy, policy };
  await using system = await openSystem({ directory: "", kind: "memory", durability: "process", partitions, policy: zone });
  const day = await runVirtualDay({
    system,
    worldId: cityWorldId(config),
    world: lastOrders(createCityWorld({ config, origin: startsAt }), endsAt),
    startsAt,
    asksUntil: endsAt,
    quantumMs,
    endsAt: endsAt + zone.deadlineMs + minuteMs,
    onProgress: (now) => onProgress?.(Math.min(minutes, Math.floor((now - startsAt) / minuteMs)), minutes),
  });
  const verdicts = await prove(system.log, system.topics, { quiescent: day.quiescent });
  const figures = await figuresOf(system);
  await inspect?.(system);
  return {
    name: cityWorldId(config),
    policy,
    verdicts,
    evaluation: undefined,
    solution: {},
    figures,
    day,
    wallSeconds: (performance.now() - begun) / 1000,
  };
}

async function figuresOf({ log, topics }: System): Promise<Readonly<Record<string, number>>> {
  const tally = new Tally();
  for await (const { value } of readTopic(log, topics.trips)) tally.trip(value);
  const { waiting, assigned, done, cancelled, failed, pickupP95Minutes } = tally.snapshot();
  return { waiting, assigned, done, cancelled, failed, pickupP95Minutes };
}
