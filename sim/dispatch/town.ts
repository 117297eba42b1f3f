/** A small town for one seed, and the rules that dispatch has there: all chosen by the seed. */
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
  const city = cityConfig({
    seed,
    radiusMetres: 1_500,
    drivers,
    // Some work for everybody, in real time.
    ordersPerMinute: drivers / 45,
    ridesPerMinute: drivers / 150,
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
    offerSeconds: random() < 0.5 ? 0 : between(random, 1, 4),
    dispatchResolution: between(random, 6, 8),
    haloMetres: between(random, 0, 1_500),
    attemptsMax: between(random, 3, 10),
    deadlineMs: DEADLINE_MS,
    backoffBaseMs: 200,
    backoffMaxMs: 5_000,
    locationTtlMs: random() < 0.4 ? 0 : 6_000,
    throttleMs: GPS_EVERY_MS / HASTE / 2,
    speedMetresPerSecondMax: defaultPolicy.speedMetresPerSecondMax * HASTE,
  };
  return { city, policy };
}
