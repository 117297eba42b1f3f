/** A seeded city as a world: any number of drivers, orders and rides, by the millisecond. */
import { FleetWorld } from "../fleet-world.ts";
import type { CourierJournal } from "../courier/courier-rules.ts";
import type { CityConfig } from "./city-config.ts";
import { CityDemand } from "./city-demand.ts";
import { cityLocations, cityRoster, cityRules } from "./city-drivers.ts";
import { cityMap } from "./city-map.ts";

export interface CityWorldOptions {
  readonly config: CityConfig;
  /** When this city came to life, and the time of its first event; after a restart the same as before it. */
  readonly origin: number;
  readonly journal?: CourierJournal;
}

/**
 * Acts of more than this ago do not matter any more: every shift and every job that had begun then is over. A replay needs no
 * longer history.
 */
export function cityHistoryMs(config: CityConfig, deadlineMs: number): number {
  return 2 * config.shiftMs + deadlineMs;
}

/** Prefix of all eventIds of a city. */
export function cityWorldId({ seed }: CityConfig): string {
  return `city-${seed}`;
}

export function createCityWorld({ config, origin, journal }: CityWorldOptions): FleetWorld {
  const id = cityWorldId(config);
  const map = cityMap(config);
  return new FleetWorld({
    id,
    demand: new CityDemand(id, config, map, origin),
    roster: cityRoster(config, map, origin),
    rules: cityRules(config, map),
    ground: map.ground,
    locations: cityLocations(config),
    ...(journal === undefined ? {} : { journal }),
  });
}
