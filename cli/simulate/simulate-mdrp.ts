/** A day of a meal delivery instance through the real topologies and log, in virtual time, judged by an independent evaluator. */
import type { ZonePolicy } from "#schemas";
import { evaluateMdrp, readInstanceTexts } from "#proof";
import { createMdrpWorld, mdrpWorldId, MINUTE_MS, readInstance, SolutionRecorder, truncate, WORLD_DEFAULTS } from "#world";
import { prove } from "../proof/prove.ts";
import { openSystem, type System } from "../system/open-system.ts";
import { cellLoads } from "./cell-loads.ts";
import { mdrpPolicy } from "./mdrp-policy.ts";
import type { Simulation } from "./simulation.ts";
import { runVirtualDay } from "./virtual-day.ts";

export interface MdrpSimulationOptions {
  /** Folder of the instance. */
  readonly data: string;
  readonly policy: string;
  readonly parameters?: Readonly<Record<string, number>>;
  /** What differs from the zone in which instances are played. */
  readonly zone?: Partial<ZonePolicy>;
  /** Of an order only its restaurant's mean preparation is told; the true one plays. */
  readonly noisy?: boolean;
  /** Default 1. */
  readonly partitions?: number;
  /** Nobody orders after this minute of the day, and the day ends `tailMinutes` later. */
  readonly untilMinute?: number;
  readonly onProgress?: (minute: number, minutes: number) => void;
  /** Sees the system while it is still open. */
  readonly inspect?: (system: System) => Promise<void>;
}

/** An order that nobody takes fails at its deadline; the day waits for it. */
const tailMinutes = 9 * 60;
/** Ticks come so long after each minute: an order placed then reaches its cell by two commits, and would wait a minute for the next tick. */
const tickAfterMs = 1_000;

/** Rejects with WorldError for an instance that cannot be read, and with what stops the application. */
export async function simulateMdrp(options: MdrpSimulationOptions): Promise<Simulation> {
  const begun = performance.now();
  const whole = readInstance(options.data);
  const { untilMinute } = options;
  const instance = untilMinute === undefined ? whole : truncate(whole, untilMinute);
  const startsAt = WORLD_DEFAULTS.dayStartsAt;
  const recorder = new SolutionRecorder({ instance, startsAt });
  const policy = { ...mdrpPolicy(instance, options.policy, options.noisy === true, options.parameters), ...options.zone };
  await using system = await openSystem({
    directory: "",
    kind: "memory",
    durability: "process",
    partitions: options.partitions ?? 1,
    policy,
  });
  const lastMinute = Math.max(...whole.orders.map(({ readyTime }) => readyTime), ...whole.couriers.map(({ offTime }) => offTime));
  const endMinute = untilMinute === undefined ? lastMinute + tailMinutes : untilMinute + 1;
  const day = await runVirtualDay({
    system,
    worldId: mdrpWorldId(instance),
    world: createMdrpWorld({ instance, startsAt, journal: recorder, readyTimes: options.noisy === true ? "mean" : "exact" }),
    startsAt: startsAt + tickAfterMs,
    endsAt: startsAt + endMinute * MINUTE_MS,
    onProgress: (now) => options.onProgress?.(Math.floor((now - startsAt) / MINUTE_MS), lastMinute),
  });
  const solution = recorder.files();
  const daySeconds = (performance.now() - begun) / 1000;
  const verdicts = await prove(system.log, system.topics, { quiescent: day.quiescent });
  const cells = await cellLoads(system);
  await options.inspect?.(system);
  return {
    name: instance.name,
    policy: options.policy,
    verdicts,
    evaluation: evaluateMdrp(readInstanceTexts(options.data), solution),
    solution: { ...solution },
    figures: {},
    refusals: {},
    cells,
    day,
    daySeconds,
    wallSeconds: (performance.now() - begun) / 1000,
  };
}
