/** The drivers of a seeded city: who works when, how they move, what they answer, and what their devices say. */
import { defaultSpeeds } from "#geo";
import type { Vehicle } from "#schemas";
import type { CourierRules, Motion, Place, Shift, Spot } from "../courier/courier-rules.ts";
import { DueHeap } from "../due-heap.ts";
import type { Lie, LocationReports, Roster } from "../fleet-world.ts";
import { Random } from "../random.ts";
import type { CityConfig } from "./city-config.ts";
import { PASSENGERS_TAG } from "./city-demand.ts";
import type { CityMap } from "./city-map.ts";

const HOUR_MS = 60 * 60_000;
const SILENCE_MS = 5 * 60_000;
/** Nobody comes for less. */
const SHIFT_MS_MIN = 60_000;
const WANDER_METRES = 600;

const VEHICLES: readonly { readonly vehicle: Vehicle; readonly share: number; readonly capacity: number }[] = [
  { vehicle: "car", share: 0.5, capacity: 4 },
  { vehicle: "motorcycle", share: 0.2, capacity: 3 },
  { vehicle: "bicycle", share: 0.3, capacity: 2 },
];

/** Three people take turns on each place of the roster; turns change at times of their own, so the city never goes home at once. */
export function cityRoster(config: CityConfig, map: CityMap, origin: number): Roster {
  const { seed, drivers, shiftMs } = config;
  const heap = new DueHeap();
  const turns: number[] = [];
  for (let index = 0; index < drivers; index++) {
    const turn = Math.floor((origin - phaseOf(config, index)) / shiftMs);
    turns.push(turn);
    // They come one after the other within one rhythm of locations, so their devices do not speak all at once. The first one
    // comes at once: the origin is the time of the city's first event, and found by it after a restart.
    heap.set(index, index === 0 ? origin : origin + new Random(seed, `entry/${index}`, 0).below(Math.max(1, config.gpsEveryMs)));
  }
  return {
    nextDueAt: () => heap.firstDueAt,
    take: () => {
      const due = heap.firstDueAt;
      const shifts: Shift[] = [];
      if (due === Infinity) return shifts;
      while (heap.firstDueAt === due) {
        const index = heap.first;
        let turn = turns[index] ?? 0;
        let endsAt = phaseOf(config, index) + (turn + 1) * shiftMs;
        // So little is left of this turn that the next one comes at once.
        if (endsAt - due < SHIFT_MS_MIN) {
          turn += 1;
          endsAt += shiftMs;
        }
        shifts.push(shiftOf(config, map, { index, turn, startsAt: due, endsAt }));
        turns[index] = turn + 1;
        heap.set(index, endsAt);
      }
      return shifts;
    },
  };
}

function phaseOf({ seed, shiftMs }: CityConfig, index: number): number {
  return new Random(seed, `phase/${index}`, 0).below(shiftMs);
}

interface Turn {
  readonly index: number;
  readonly turn: number;
  readonly startsAt: number;
  readonly endsAt: number;
}

function shiftOf(config: CityConfig, map: CityMap, { index, turn, startsAt, endsAt }: Turn): Shift {
  const { seed } = config;
  const driverId = `s${seed}-d${index + 1}${"abc"[((turn % 3) + 3) % 3]}`;
  const own = new Random(seed, driverId, 0);
  let share = own.float();
  const kind = VEHICLES.find((candidate) => (share -= candidate.share) < 0) ?? VEHICLES[0];
  const { vehicle, capacity } = kind as (typeof VEHICLES)[number];
  const metresPerSecond = defaultSpeeds[vehicle] * own.between(0.9, 1.2);
  const today = new Random(seed, driverId, endsAt);
  const start = { id: "0", ...map.somewhere(today) };
  const leavesEarly = today.chance(config.habits.earlyEndProbability);
  const really = leavesEarly ? Math.round(startsAt + (endsAt - startsAt) * today.between(0.3, 0.95)) : endsAt;
  const tags = vehicle === "car" ? [PASSENGERS_TAG] : [];
  return { driverId, start, startsAt, endsAt: really, plannedEndsAt: endsAt, vehicle, metresPerSecond, tags, capacity };
}

export function cityRules(config: CityConfig, map: CityMap): CourierRules {
  const { seed, habits } = config;
  const wander = wandering(config, map);
  return {
    quantumMs: 1,
    // Nobody parks and walks in sooner.
    settleMs: 2_000,
    locatesAtStops: false,
    travelMs: (shift, from, to) => Math.ceil((distance(from, to) / shift.metresPerSecond) * 1000),
    pickupHalfMs: (job) => Math.round(new Random(seed, job.jobId, 1).between(20_000, 90_000)),
    dropHalfMs: (job) => Math.round(new Random(seed, job.jobId, 2).between(20_000, 90_000)),
    idleAt: wander,
    answer: (shift, jobId, attempt) => {
      const random = new Random(seed, `${shift.driverId}/${jobId}`, attempt);
      const afterMs = Math.round(random.between(1_000, 6_000));
      const accepts = !random.chance(habits.declineProbability);
      return { afterMs: accepts && random.chance(habits.missProbability) ? Infinity : afterMs, accepts };
    },
    heardAt: (shift, at) => heardAt(config, shift, at),
  };
}

/** Positions as a phone has them: a few metres off, more so the less it knows. */
export function cityLocations(config: CityConfig): LocationReports {
  const { seed, gpsEveryMs, gpsNoiseMetres } = config;
  return {
    everyMs: gpsEveryMs,
    report: (shift, motion, at) => {
      const random = new Random(seed, shift.driverId, at);
      const accuracyMetres = Math.round(gpsNoiseMetres * random.between(0.8, 2));
      const x = motion.x + gpsNoiseMetres * random.normal();
      const y = motion.y + gpsNoiseMetres * random.normal();
      return { motion: { x, y, speed: motion.speed, heading: motion.heading }, accuracyMetres };
    },
    heard: (shift, at) => heardAt(config, shift, at) === at,
    ...(config.habits.lieProbability === 0 ? {} : { lie: (shift, motion, at) => lieOf(config, shift, motion, at) }),
  };
}

const FAR_METRES = 40_000;

/** Said again, a second later than the true one (too soon), of a while before it, of long ago, or a jump over the horizon. */
function lieOf({ seed, habits }: CityConfig, { driverId }: Shift, motion: Motion, at: number): Lie | undefined {
  const random = new Random(seed, `${driverId}/lie`, at);
  if (!random.chance(habits.lieProbability)) return undefined;
  switch (random.below(5)) {
    case 0:
      return { motion: undefined, recordedAt: at };
    case 1:
      return { motion, recordedAt: at + 1_000 };
    case 2:
      return { motion, recordedAt: at - 1 - random.below(10_000) };
    case 3:
      return { motion, recordedAt: at - 120_000 };
    default:
      return { motion: { ...motion, x: motion.x + FAR_METRES }, recordedAt: at + 4_000 };
  }
}

function heardAt({ seed, habits }: CityConfig, { driverId }: Shift, at: number): number {
  if (habits.silenceProbability === 0 || at === Infinity) return at;
  const hour = Math.floor(at / HOUR_MS);
  const random = new Random(seed, `${driverId}/silence`, hour);
  if (!random.chance(habits.silenceProbability)) return at;
  const from = hour * HOUR_MS + random.below(HOUR_MS - SILENCE_MS);
  return at >= from && at < from + SILENCE_MS ? from + SILENCE_MS : at;
}

interface Stroll {
  readonly since: number;
  readonly leg: number;
  readonly startsAt: number;
  readonly from: Spot;
  readonly to: Spot;
  readonly arrivesAt: number;
  readonly leavesAt: number;
}

/**
 * Without work a driver goes slowly here and there around the place where he was left, in legs drawn from (driver, since, leg):
 * a function of time. The last leg of each shift is remembered, only so that it is not computed anew at each location.
 */
function wandering(config: CityConfig, map: CityMap): CourierRules["idleAt"] {
  const last = new WeakMap<Shift, Stroll>();
  return (shift: Shift, at: Place, since: number, time: number): Motion => {
    if (time <= since) return { x: at.x, y: at.y, speed: 0, heading: 0 };
    let stroll = last.get(shift);
    if (stroll === undefined || stroll.since !== since || stroll.startsAt > time)
      stroll = strollFrom(config, map, shift, { at, since, leg: 0, from: at, startsAt: since });
    while (stroll.leavesAt <= time) {
      stroll = strollFrom(config, map, shift, { at, since, leg: stroll.leg + 1, from: stroll.to, startsAt: stroll.leavesAt });
    }
    last.set(shift, stroll);
    const { from, to, startsAt, arrivesAt } = stroll;
    if (time >= arrivesAt) return { x: to.x, y: to.y, speed: 0, heading: 0 };
    const part = (time - startsAt) / (arrivesAt - startsAt);
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    const degrees = (Math.atan2(dx, dy) * 180) / Math.PI;
    const speed = (distance(from, to) * 1000) / (arrivesAt - startsAt);
    return { x: from.x + dx * part, y: from.y + dy * part, speed, heading: degrees < 0 ? degrees + 360 : degrees };
  };
}

interface LegStart {
  readonly at: Spot;
  readonly since: number;
  readonly leg: number;
  readonly from: Spot;
  readonly startsAt: number;
}

function strollFrom(config: CityConfig, map: CityMap, shift: Shift, { at, since, leg, from, startsAt }: LegStart): Stroll {
  const random = new Random(config.seed, `${shift.driverId}/${leg}`, since);
  const to = map.near(at, WANDER_METRES, random);
  const arrivesAt = startsAt + Math.ceil((distance(from, to) / (shift.metresPerSecond * 0.6)) * 1000) + 1;
  return { since, leg, startsAt, from, to, arrivesAt, leavesAt: arrivesAt + Math.round(random.between(20_000, 240_000)) };
}

function distance(a: Spot, b: Spot): number {
  return Math.sqrt((b.x - a.x) ** 2 + (b.y - a.y) ** 2);
}
