/** Which world the demo plays, and the zone that suits it. */
import type { ZonePolicy } from "#schemas";
import { defaultPolicy } from "#topologies";
import {
  cityWorldId,
  createCityWorld,
  createMdrpWorld,
  mdrpWorldId,
  MINUTE_MS,
  parseCity,
  readInstance,
  WORLD_DEFAULTS,
  type CityHabits,
  type World,
} from "#world";
import { mdrpPolicy } from "../simulate/mdrp-policy.ts";

export interface DemoWorld {
  readonly id: string;
  readonly title: string;
  readonly policy: ZonePolicy;
  /** Virtual time of a first start. */
  readonly startsAt: number;
  readonly speed: number;
  readonly create: (origin: number) => World;
}

/** Virtual seconds a second. */
const citySpeed = 60;
const instanceSpeed = 120;
/** Virtual seconds to answer an offer. */
const offerSeconds = 30;

/** `data`: a folder in MDRP format, or `city:SEED`. Throws WorldError. */
export function demoWorld(data: string, policy: string, speed: number | undefined, now: number): DemoWorld {
  const config = parseCity(data);
  if (config !== undefined) {
    const chosen = speed ?? citySpeed;
    return {
      id: cityWorldId(config),
      title: `${data}: ${config.drivers} drivers, ${config.ordersPerMinute} orders and ${config.ridesPerMinute} rides a minute`,
      // A real second without a location must not look like half a minute's silence: the limit counts real time.
      policy: { ...defaultPolicy, ...offers(config.habits), policy, locationTtlMs: defaultPolicy.locationTtlMs * Math.max(1, chosen) },
      startsAt: now,
      speed: chosen,
      create: (origin) => createCityWorld({ config, origin }),
    };
  }
  const instance = readInstance(data);
  const begins = Math.min(...instance.orders.map(({ placementTime }) => placementTime), ...instance.couriers.map(({ onTime }) => onTime));
  return {
    id: mdrpWorldId(instance),
    title: `${instance.name}: ${instance.couriers.length} couriers, ${instance.orders.length} orders`,
    policy: mdrpPolicy(instance, policy),
    startsAt: WORLD_DEFAULTS.dayStartsAt + begins * MINUTE_MS,
    speed: speed ?? instanceSpeed,
    create: () => createMdrpWorld({ instance }),
  };
}

/** Who may say no, is asked. */
function offers({ declineProbability, missProbability }: CityHabits): Partial<ZonePolicy> {
  return declineProbability > 0 || missProbability > 0 ? { offerSeconds } : {};
}
