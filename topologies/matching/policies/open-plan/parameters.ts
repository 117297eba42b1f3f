import { valuesOf } from "../pairing.ts";

/** All numbers of `open-plan`. */
export const openPlanParameters = {
  marginMs: {
    default: 180_000,
    unit: "ms",
    source: "half the service at the counter and a tick of a minute; who leaves a city's counters free takes rides sooner",
  },
  readySpreadMs: {
    default: 0,
    unit: "ms",
    source:
      "half the mean distance of true ready times from those that are said; 0: they are exact. Training days have 1 to 5 minutes by restaurant; 1.7 to 3.7 are alike",
  },
  joinMarginMs: {
    default: 120_000,
    unit: "ms",
    source: "a job joins a driver under way so long before he reaches the counter: two ticks of a minute",
  },
  horizonMs: { default: 3_600_000, unit: "ms", source: "orders ready within the hour; 120 Grubhub instances" },
  lookAheadMs: { default: 3_600_000, unit: "ms", source: "a driver free later than this is not waited for; 120 Grubhub instances" },
  candidates: { default: 48, unit: "drivers", source: "free drivers considered for a place, where there are many" },
  jobsMax: { default: 400, unit: "jobs", source: "bounds a tick: the most urgent are planned, the others wait" },
  planMax: { default: 8, unit: "visits", source: "Grubhub instances: two are nearly as good, one leaves 3 % undelivered" },
  bundleMax: { default: 4, unit: "jobs", source: "larger ones never came up on the Grubhub instances" },
  drivingWeight: { default: 0.2, unit: "minutes of lateness per minute driven", source: "Grubhub instances: 0.05 to 0.2 are alike" },
  aloneMs: { default: 12_000_000, unit: "ms of lateness a job", source: "what a job that nobody takes costs; Grubhub instances" },
  endingWeight: {
    default: 0,
    unit: "minutes of lateness per minute",
    source:
      "mean way from a plan's end to where jobs are, so who stands remote goes first; instances have 0.4, a seeded city with rides is better without",
  },
  expectedShare: {
    default: 1,
    unit: "share",
    source: "of that way: to where jobs are expected, instead of where they are open; four training days: 0 costs 0.07 minutes",
  },
  endingPlaces: { default: 40, unit: "places", source: "those with most orders lately" },
  keepsPlans: { default: 1, unit: "1 or 0", source: "0: each tick plans anew, to see what the memory brings" },
  passes: { default: 4, unit: "passes", source: "improvement stops sooner if a pass changes nothing" },
  tries: { default: 100, unit: "tries", source: "Grubhub instances: 200 and 800 are no better, none costs 0.15 minutes" },
  ruined: { default: 4, unit: "jobs", source: "taken out together in a try; tuned on 8 training days, where 6 costs 0.03 minutes" },
  blink: { default: 0.02, unit: "probability", source: "Christiaens and Vanden Berghe, ruin and recreate: best places skipped" },
  stepsMax: { default: 300_000, unit: "places looked at", source: "bounds a tick: about 40 ms of one core; Grubhub instances stay below" },
  keptPerMinute: { default: 0.985, unit: "share", source: "of what was learnt of the demand: half of it is gone after 46 minutes" },
  movesMax: {
    default: 0,
    unit: "drivers a tick",
    source:
      "sent to wait elsewhere, where nobody turns them back on the way; instances have 5, in a seeded city rides wait twice as long with 5",
  },
  moveEveryMs: {
    default: 60_000,
    unit: "ms",
    source: "the tick of the Grubhub instances; where ticks are shorter, nobody is sent in between",
  },
  moveReachMs: { default: 360_000, unit: "ms", source: "a driver standing so far away counts a third" },
  moveWithinMs: { default: 900_000, unit: "ms", source: "the longest way to a place to wait" },
  moveGain: {
    default: 1.5,
    unit: "ratio",
    source: "what waiting there must be worth against staying; four training days: 1.1 costs 0.2 minutes, 3 costs 0.1",
  },
  moveTargets: { default: 30, unit: "places", source: "those with most orders lately" },
  moveShiftMs: { default: 1_800_000, unit: "ms", source: "who goes home sooner stays where he is" },
  quantumMs: {
    default: 1,
    unit: "ms",
    source: "drivers act at multiples of it, so a tick counts as the last one before: a minute on the Grubhub instances",
  },
  guaranteedJobsPerHour: { default: 0, unit: "jobs per hour of shift", source: "guaranteed pay over pay per job; 0: none guaranteed" },
  payWeightMs: { default: 60_000, unit: "ms of lateness", source: "Grubhub instances: 30,000 to 120,000 cost no time" },
} as const;

export type OpenPlanValues = Readonly<Record<keyof typeof openPlanParameters, number>>;

/** The plan's limits are whole and at least one. */
export function openPlanValues(given: Readonly<Record<string, number>>): OpenPlanValues {
  const values = valuesOf(openPlanParameters, given);
  const quantumMs = atLeastOne(values.quantumMs);
  return {
    ...values,
    quantumMs,
    planMax: atLeastOne(values.planMax),
    bundleMax: atLeastOne(values.bundleMax),
    jobsMax: atLeastOne(values.jobsMax),
  };
}

function atLeastOne(value: number): number {
  return Math.max(1, Math.floor(value));
}
