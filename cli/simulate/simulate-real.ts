/** Real data in virtual time: a city's day of orders, and a day of taxi positions. */
import { existsSync } from "node:fs";
import type { ZonePolicy } from "#schemas";
import { defaultPolicy } from "#topologies";
import {
  CITY_DEFAULTS,
  createRappiWorld,
  createTdriveWorld,
  isRappiFolder,
  rappiWorldId,
  readRappi,
  readTdrive,
  tdriveFile,
  tdriveWorldId,
  WORLD_DEFAULTS,
  type CityHabits,
} from "#world";
import { simulateWorld, type WorldSimulationOptions } from "./simulate-world.ts";
import type { Simulation } from "./simulation.ts";

export interface RealSimulationOptions extends Pick<WorldSimulationOptions, "partitions" | "onProgress" | "inspect"> {
  /** Folder of the data. */
  readonly data: string;
  readonly policy: string;
  /** The part that is played: minutes of the day. */
  readonly fromMinute: number;
  readonly minutes: number;
  readonly zone?: Partial<ZonePolicy>;
}

export type RealDataKind = "rappi" | "tdrive";

const MINUTE_MS = 60_000;
/** Devices of a Rappi courier report this often; the data have no positions. */
const RAPPI_GPS_MS = 15_000;
/** Taxis report whole seconds, and no job depends on them. */
const TDRIVE_QUANTUM_MS = 5_000;

/** What a folder holds; undefined: neither. */
export function realDataKind(folder: string): RealDataKind | undefined {
  if (!existsSync(folder)) return undefined;
  if (isRappiFolder(folder)) return "rappi";
  return tdriveFile(folder) === undefined ? undefined : "tdrive";
}

/** Who is on duty then works, and who orders then is served. Throws WorldError for data that cannot be read. */
export function simulateRappi(options: RealSimulationOptions & { readonly habits?: Partial<CityHabits> }): Promise<Simulation> {
  const { data, policy, fromMinute, minutes, zone, habits, ...rest } = options;
  const midnight = WORLD_DEFAULTS.dayStartsAt;
  const untilMinute = fromMinute + minutes;
  const city = { gpsEveryMs: RAPPI_GPS_MS, habits: { ...CITY_DEFAULTS.habits, ...habits } };
  return simulateWorld({
    ...rest,
    policy: { ...defaultPolicy, ...zone, policy },
    world: createRappiWorld({ day: readRappi(data), startsAt: midnight, fromMinute, untilMinute, city }),
    worldId: rappiWorldId,
    startsAt: midnight + fromMinute * MINUTE_MS,
    asksUntil: midnight + untilMinute * MINUTE_MS,
    quantumMs: 1_000,
  });
}

/** Every position as it was recorded; nobody orders. */
export function simulateTdrive({ data, policy, fromMinute, minutes, zone, ...rest }: RealSimulationOptions): Promise<Simulation> {
  const file = tdriveFile(data) ?? data;
  const [first] = readTdrive(file);
  const from = (first?.at ?? 0) + fromMinute * MINUTE_MS;
  const until = from + minutes * MINUTE_MS;
  return simulateWorld({
    ...rest,
    policy: { ...defaultPolicy, ...zone, policy },
    world: createTdriveWorld(readTdrive(file, { from, until })),
    worldId: tdriveWorldId,
    startsAt: from,
    // The last shift ends a millisecond after the last position.
    asksUntil: until + 1,
    quantumMs: TDRIVE_QUANTUM_MS,
  });
}
