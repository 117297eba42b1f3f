/**
 * How scarce drivers are for the rides of one dispatch cell. Matching decides it, because its partition alone has demand and
 * supply of a cell in one order; each `jobs` partition is told, and quotes fares by what it was told last. Pure: the same
 * ordered input gives the same surge, live and in a replay.
 */
import type { DriverPresent, SurgeChanged } from "#schemas";

/** Rides asked for and drivers free for them in one cell, minute by minute. */
export interface CellSurge {
  /** The newest minute since the epoch that is counted. */
  readonly minute: number;
  /** Rides opened for the first time in each of the last minutes, the newest last. */
  readonly demand: readonly number[];
  /** Free drivers at the first tick of each of the last minutes that had one, the newest last. */
  readonly supply: readonly number[];
  /** The minute of the newest of these. */
  readonly sampledMinute: number;
  /** What the last ride asked of its driver: only such drivers are supply. */
  readonly requirements: readonly string[];
  /** As last told, in thousandths. */
  readonly surgeMilli: number;
  /** Until when that holds, if nothing else is told. */
  readonly until: number;
}

/** From a zone's parameters; each absent one has its default. */
export interface SurgeRule {
  /** Rides of five minutes to a free driver: no surge up to here. */
  readonly startRatio: number;
  /** Thousandths more for each whole ride to a free driver above it. */
  readonly slopeMilli: number;
  /** 1000: no surge at all. */
  readonly maxMilli: number;
}

const MINUTE_MS = 60_000;
const WINDOW_MINUTES = 5;
/** Surge moves in steps of a tenth, so that few changes are told. */
const STEP_MILLI = 100;
export const NO_SURGE_MILLI = 1_000;
/** A cell that falls quiet makes no ticks: what it told last lapses by itself. */
export const SURGE_HOLDS_MS = WINDOW_MINUTES * MINUTE_MS;

/**
 * A ride keeps its driver about as long as three windows, so half a ride to a free driver is the demand at which free drivers
 * begin to run out.
 */
const defaultRule: SurgeRule = { startRatio: 0.5, slopeMilli: 1_000, maxMilli: 2_500 };

export function surgeRule({ surgeStartRatio, surgeSlopeMilli, surgeMaxMilli }: Readonly<Record<string, number>>): SurgeRule {
  return {
    startRatio: surgeStartRatio ?? defaultRule.startRatio,
    slopeMilli: surgeSlopeMilli ?? defaultRule.slopeMilli,
    maxMilli: Math.max(NO_SURGE_MILLI, surgeMaxMilli ?? defaultRule.maxMilli),
  };
}

/** A ride was opened for the first time. */
export function rideSeen(before: CellSurge | undefined, at: number, requirements: readonly string[]): CellSurge {
  const moved = moveTo(before ?? NOTHING_SEEN, Math.floor(at / MINUTE_MS));
  const demand = [...moved.demand.slice(0, -1), (moved.demand.at(-1) ?? 0) + 1];
  return { ...moved, demand, requirements };
}

/** Whether this tick is the first of its minute: then free drivers are counted. */
export function isSampleDue({ sampledMinute }: CellSurge, at: number): boolean {
  return Math.floor(at / MINUTE_MS) > sampledMinute;
}

/** Free and fit for such rides. */
export function isSupply(driver: DriverPresent, { requirements }: CellSurge): boolean {
  return driver.jobs.length === 0 && requirements.every((tag) => driver.tags.includes(tag));
}

/** The surge that follows, to be told if it differs from what was told, or if that is about to lapse. */
export function sampled(before: CellSurge, at: number, freeDrivers: number, rule: SurgeRule): { after: CellSurge; tell: boolean } {
  const minute = Math.floor(at / MINUTE_MS);
  const moved = moveTo(before, minute);
  const supply = [...moved.supply.slice(-WINDOW_MINUTES + 1), freeDrivers];
  const surgeMilli = surgeOf(sum(moved.demand), sum(supply) / supply.length, rule);
  const lapses = surgeMilli > NO_SURGE_MILLI && before.until - at < SURGE_HOLDS_MS / 2;
  const held = before.until > at ? before.surgeMilli : NO_SURGE_MILLI;
  const tell = surgeMilli !== held || lapses;
  const told = tell ? { surgeMilli, until: at + SURGE_HOLDS_MS } : {};
  return { after: { ...moved, supply, sampledMinute: minute, ...told }, tell };
}

export function surgeOf(demand: number, supply: number, { startRatio, slopeMilli, maxMilli }: SurgeRule): number {
  const above = demand / Math.max(1, supply) - startRatio;
  if (above <= 0) return NO_SURGE_MILLI;
  return Math.min(maxMilli, NO_SURGE_MILLI + Math.floor((above * slopeMilli) / STEP_MILLI) * STEP_MILLI);
}

export function surgeChanged(cell: string, { surgeMilli, until }: CellSurge, at: number): SurgeChanged {
  return { type: "SurgeChanged", cell, surgeMilli, until, at };
}

const NOTHING_SEEN: CellSurge = {
  minute: 0,
  demand: [],
  supply: [],
  sampledMinute: -1,
  requirements: [],
  surgeMilli: NO_SURGE_MILLI,
  until: 0,
};

/** The window ends with `minute`; a record from before it counts as of the newest minute. */
function moveTo(before: CellSurge, minute: number): CellSurge {
  if (minute <= before.minute && before.demand.length > 0) return before;
  const missed = Math.min(WINDOW_MINUTES, minute - before.minute);
  const demand = [...before.demand, ...Array.from({ length: missed }, () => 0)].slice(-WINDOW_MINUTES);
  return { ...before, minute, demand };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
