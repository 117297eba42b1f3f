/** A seeded city in virtual time: hours of drivers, orders and rides by latitude and longitude. */
import type { ZonePolicy } from "#schemas";
import { defaultPolicy } from "#topologies";
import { cityWorldId, createCityWorld, WORLD_DEFAULTS, type CityConfig } from "#world";
import type { Simulation } from "./simulation.ts";
import { simulateWorld, type WorldSimulationOptions } from "./simulate-world.ts";

export interface CitySimulationOptions extends Pick<
  WorldSimulationOptions,
  "zones" | "partitions" | "quantumMs" | "onProgress" | "directory" | "inspect"
> {
  readonly config: CityConfig;
  readonly policy: string;
  /** How long people order, virtual minutes. */
  readonly minutes: number;
  /** What differs from the defaults everywhere. */
  readonly zone?: Partial<ZonePolicy>;
}

const minuteMs = 60_000;

export function simulateCity({ config, policy, minutes, zone, ...rest }: CitySimulationOptions): Promise<Simulation> {
  const startsAt = WORLD_DEFAULTS.dayStartsAt;
  return simulateWorld({
    ...rest,
    policy: { ...defaultPolicy, ...zone, policy },
    world: createCityWorld({ config, origin: startsAt }),
    worldId: cityWorldId(config),
    startsAt,
    asksUntil: startsAt + minutes * minuteMs,
  });
}
