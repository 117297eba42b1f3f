/** A small town for one seed, and the rules that dispatch has there: all chosen by the seed. */
import { defaultSpeeds } from "#geo";
import { between, seededRandom } from "#log/kafka/simulated";
import type { ZonePolicy } from "#schemas";
import { defaultPolicy } from "#topologies";
import { cityConfig, type CityConfig } from "#world";

/** A trip of half an hour is over in less than a minute. */
export const HASTE = 60;
/** Everything has ended so long after it was asked for. */
export const DEADLINE_MS = 60_000;
const SHIFT_MS = 60 * 60_000;
const GPS_EVERY_MS = 120_000;

export interface Town {
  readonly city: CityConfig;
  readonly policy: ZonePolicy;
}

export function townOf(seed: number): Town {
  const random = seededRandom(seed * 6151 + 29);
  const drivers = between(random, 8, 20);
  // Cells far smaller than the way of a driver: many of them want the same driver, for jobs that they do not know of one another.
  const crowded = random() < 0.4;
  const city = cityConfig({
    seed,
    radiusMetres: 1_500,
    drivers,
    // Some work for everybody, in real time.
    ordersPerMinute: drivers / (crowded ? 30 : 45),
    ridesPerMinute: drivers / (crowded ? 40 : 150),
    restaurants: between(random, 2, 8),
    shiftMs: SHIFT_MS,
    gpsEveryMs: GPS_EVERY_MS,
    habits: {
      declineProbability: 0.15,
      missProbability: 0.05,
      silenceProbability: 0.3,
      earlyEndProbability: 0.3,
      cancelProbability: 0.1,
      lieProbability: 0.05,
    },
  });
  const policy: ZonePolicy = {
    ...defaultPolicy,
    policy: random() < 0.5 ? "nearest" : "batch-matching",
    tickMs: [250, 500, 1000][between(random, 0, 2)] ?? 500,
    // An offer and its answer take two commits each, of up to two seconds.
    offerSeconds: random() < 0.5 ? 0 : between(random, 3, 15),
    dispatchResolution: crowded ? 8 : between(random, 6, 8),
    haloMetres: crowded ? between(random, 300, 700) : between(random, 0, 1_500),
    attemptsMax: between(random, 3, 10),
    deadlineMs: DEADLINE_MS,
    backoffBaseMs: 200,
    backoffMaxMs: 5_000,
    locationTtlMs: random() < 0.4 ? 0 : 6_000,
    throttleMs: GPS_EVERY_MS / HASTE / 2,
    speedMetresPerSecondMax: defaultPolicy.speedMetresPerSecondMax * HASTE,
    parameters: { ...defaultPolicy.parameters, ...hurriedTravel() },
  };
  return { city, policy };
}

/** Ways take their part of the time too: nobody is sent who would come after his shift. */
function hurriedTravel(): Readonly<Record<string, number>> {
  const speeds = Object.entries(defaultSpeeds).map(([vehicle, speed]) => [`${vehicle}MetresPerSecond`, speed * HASTE] as const);
  return { ...Object.fromEntries(speeds), serviceMs: 240_000 / HASTE };
}
