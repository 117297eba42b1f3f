/** What a seeded city is made from. The same values give the same city, down to each position. */
import type { Point } from "#schemas";
import { CITY_DEFAULTS } from "../defaults.ts";
import { WorldError } from "../errors.ts";

/** How people differ from the ideal; all in [0, 1], by default 0. */
export interface CityHabits {
  /** A driver says no to an offer. */
  readonly declineProbability: number;
  /** A driver who would have said yes does not answer an offer at all. */
  readonly missProbability: number;
  /** A device is silent for five minutes of an hour, and its driver does nothing then. */
  readonly silenceProbability: number;
  /** A shift ends before its time. */
  readonly earlyEndProbability: number;
  /** A customer takes an order back some minutes after placing it. */
  readonly cancelProbability: number;
  /** A report of a device comes with a false one: said again, too soon, of a time before, long ago, or from far away. */
  readonly lieProbability: number;
}

export interface CityConfig {
  /** Whole, 0 to 2^32 − 1. */
  readonly seed: number;
  readonly centre: Point;
  readonly radiusMetres: number;
  /** At work at any time, 1 to 1,000,000. */
  readonly drivers: number;
  /** Means of Poisson processes, 0 to 100,000; below 0.01 is taken for 0. */
  readonly ordersPerMinute: number;
  readonly ridesPerMinute: number;
  readonly restaurants: number;
  readonly shiftMs: number;
  /** 0: no locations. */
  readonly gpsEveryMs: number;
  /** Standard deviation in each direction. */
  readonly gpsNoiseMetres: number;
  readonly habits: CityHabits;
}

/** Fills in the defaults and checks ranges. Throws WorldError `CITY_INVALID`. */
export function cityConfig(given: Partial<CityConfig> & { readonly seed: number }): CityConfig {
  const config: CityConfig = { ...CITY_DEFAULTS, ...given };
  within("seed", config.seed, 0, 0xffff_ffff, true);
  within("radiusMetres", config.radiusMetres, 500, 50_000, false);
  within("drivers", config.drivers, 1, 1_000_000, true);
  within("ordersPerMinute", config.ordersPerMinute, 0, 100_000, false);
  within("ridesPerMinute", config.ridesPerMinute, 0, 100_000, false);
  within("restaurants", config.restaurants, 1, 100_000, true);
  within("shiftMs", config.shiftMs, 60_000, 24 * 60 * 60_000, true);
  within("gpsEveryMs", config.gpsEveryMs, 0, 600_000, true);
  within("gpsNoiseMetres", config.gpsNoiseMetres, 0, 1_000, false);
  within("centre.latitude", config.centre.latitude, -80, 80, false);
  within("centre.longitude", config.centre.longitude, -179, 179, false);
  for (const [habit, probability] of Object.entries(config.habits)) within(habit, probability, 0, 1, false);
  return config;
}

/** Habits as shares; what is not given stays as it was. Names as in a city's name and as flags. */
export const HABIT_PARAMETERS = {
  decline: "declineProbability",
  miss: "missProbability",
  silent: "silenceProbability",
  "end-early": "earlyEndProbability",
  cancel: "cancelProbability",
  lies: "lieProbability",
} as const satisfies Readonly<Record<string, keyof CityHabits>>;

const PARAMETERS = {
  drivers: "drivers",
  orders: "ordersPerMinute",
  rides: "ridesPerMinute",
  restaurants: "restaurants",
  radius: "radiusMetres",
  gps: "gpsEveryMs",
} as const;

/**
 * `city:SEED`, or `city:SEED?drivers=500&orders=30&rides=6&restaurants=80&radius=5000&gps=5000` (a minute, metres,
 * milliseconds) and the habits `decline=0.13&miss=0.05&silent=0.02&end-early=0.1&cancel=0.03&lies=0.01`; undefined for a text that does not begin with `city:`. Throws WorldError `CITY_INVALID`.
 */
export function parseCity(text: string): CityConfig | undefined {
  if (!text.startsWith("city:")) return undefined;
  const [seed = "", query = ""] = text.slice("city:".length).split("?", 2);
  const given: Record<string, number> = {};
  const habits: Record<string, number> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (isHabit(name)) habits[HABIT_PARAMETERS[name]] = numberOf(name, value);
    else if (Object.hasOwn(PARAMETERS, name)) given[PARAMETERS[name as keyof typeof PARAMETERS]] = numberOf(name, value);
    else throw invalid(name, value, `one of ${[...Object.keys(PARAMETERS), ...Object.keys(HABIT_PARAMETERS)].join(", ")}`);
  }
  return cityConfig({ ...given, habits: { ...CITY_DEFAULTS.habits, ...habits }, seed: numberOf("seed", seed) });
}

function isHabit(name: string): name is keyof typeof HABIT_PARAMETERS {
  return Object.hasOwn(HABIT_PARAMETERS, name);
}

function numberOf(name: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw invalid(name, text, "a number, as in city:42?drivers=500");
  return Number(text);
}

function within(name: string, value: number, low: number, high: number, whole: boolean): void {
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return;
  throw invalid(name, String(value), `a ${whole ? "whole " : ""}number from ${low} to ${high}`);
}

function invalid(name: string, found: string, expected: string): WorldError {
  return new WorldError("CITY_INVALID", `City parameter ${name}: ${expected} expected, found ${JSON.stringify(found)}.`);
}
