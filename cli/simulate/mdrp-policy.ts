/** The zone in which an MDRP instance is played: the plane, one tick a minute, one dispatch cell, no offers, no silence. */
import type { ZonePolicy } from "#schemas";
import { defaultPolicy } from "#topologies";
import { MINUTE_MS, type MdrpInstance } from "#world";

/** Coarse enough that a whole metropolis of the plane lies in one cell. */
const dispatchResolution = 3;
/** An order that nobody delivers ends after it: longer than any preparation and trip of the instances. */
const deadlineMs = 8 * 60 * MINUTE_MS;

/** By policy, where it was tuned on instances apart from its defaults: these are for cities. */
const tuned: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  // Without the weight 0.6 minutes of excess more on four days, without moves 0.15; with 3 or 10 minutes of margin 0.05 or 0.1.
  "open-plan": { marginMs: 5 * MINUTE_MS, endingWeight: 0.4, movesMax: 5 },
};
/**
 * Where ready times are only guessed, a courier leaves sooner, and lateness counts as it is to be expected over their spread: on
 * twelve thinned training days 4.86 minutes of excess, with 10 minutes of margin and ready times taken for exact 5.16.
 */
const noisyParameters: Readonly<Record<string, number>> = { marginMs: 15 * MINUTE_MS, readySpreadMs: 2 * MINUTE_MS };

/** What a policy's parameters are on instances, where they are not its defaults. */
export function mdrpParameters(policy: string, noisy: boolean): Readonly<Record<string, number>> {
  return { ...tuned[policy], ...(noisy ? noisyParameters : {}) };
}

export function mdrpPolicy(
  { parameters }: MdrpInstance,
  policy: string,
  noisy = false,
  overrides: Readonly<Record<string, number>> = {},
): ZonePolicy {
  return {
    ...defaultPolicy,
    policy,
    parameters: {
      metresPerMinute: parameters.metersPerMinute,
      serviceMs: parameters.pickupServiceMinutes * MINUTE_MS,
      quantumMs: MINUTE_MS,
      guaranteedJobsPerHour: parameters.guaranteedPayPerHour / parameters.payPerOrder,
      ...mdrpParameters(policy, noisy),
      ...overrides,
    },
    tickMs: MINUTE_MS,
    offerSeconds: 0,
    travelModel: "plane",
    dispatchResolution,
    haloMetres: 0,
    deadlineMs,
    locationTtlMs: 0,
    throttleMs: 0,
    // Couriers jump from stop to stop: only their stops are reported.
    speedMetresPerSecondMax: 1_000_000,
  };
}
