/** A day of a meal delivery instance through the real topologies and log, in virtual time, judged by an independent evaluator. */
import { evaluateMdrp, readInstanceTexts, type MdrpVerdict, type Verdict } from "#proof";
import { createMdrpWorld, MINUTE_MS, readInstance, SolutionRecorder, WORLD_DEFAULTS } from "#world";
import { prove } from "../proof/prove.ts";
import { openSystem, type System } from "../system/open-system.ts";
import { mdrpPolicy } from "./mdrp-policy.ts";
import { openJobs } from "./open-jobs.ts";
import { runVirtualDay, type VirtualDay } from "./virtual-day.ts";

export interface MdrpSimulationOptions {
  /** Folder of the instance. */
  readonly data: string;
  readonly policy: string;
  readonly parameters?: Readonly<Record<string, number>>;
  /** The input ends after this minute of the day. */
  readonly untilMinute?: number;
  readonly onProgress?: (minute: number, minutes: number) => void;
  /** Sees the system while it is still open. */
  readonly inspect?: (system: System) => Promise<void>;
}

export interface MdrpSimulation {
  readonly instance: string;
  readonly policy: string;
  readonly verdicts: readonly Verdict[];
  readonly evaluation: MdrpVerdict;
  /** The three solution files by name. */
  readonly solution: Readonly<Record<string, string>>;
  readonly day: VirtualDay;
  readonly wallSeconds: number;
}

const policyTailMinutes = 9 * 60;

/** Rejects with WorldError for an instance that cannot be read, and with what stops the application. */
export async function simulateMdrp(options: MdrpSimulationOptions): Promise<MdrpSimulation> {
  const begun = performance.now();
  const instance = readInstance(options.data);
  const startsAt = WORLD_DEFAULTS.dayStartsAt;
  const recorder = new SolutionRecorder({ instance, startsAt });
  const world = createMdrpWorld({ instance, startsAt, journal: recorder });
  const jobs = openJobs();
  const policy = mdrpPolicy(instance, options.policy, options.parameters);
  await using system = await openSystem({ directory: "", kind: "memory", durability: "process", partitions: 1, policy });
  const lastMinute = Math.max(...instance.orders.map(({ readyTime }) => readyTime), ...instance.couriers.map(({ offTime }) => offTime));
  const endMinute = lastMinute + policyTailMinutes;
  const day = await runVirtualDay({
    system,
    world,
    startsAt,
    endsAt: startsAt + endMinute * MINUTE_MS,
    onDecision: jobs.observe,
    finished: () => jobs.open() === 0,
    onProgress: (now) => options.onProgress?.(Math.floor((now - startsAt) / MINUTE_MS), endMinute),
    ...(options.untilMinute === undefined ? {} : { inputEndsAt: startsAt + (options.untilMinute + 1) * MINUTE_MS - 1 }),
  });
  const solution = recorder.files();
  const verdicts = await prove(system.log, system.topics, { quiescent: true });
  await options.inspect?.(system);
  return {
    instance: instance.name,
    policy: options.policy,
    verdicts,
    evaluation: evaluateMdrp(readInstanceTexts(options.data), solution),
    solution,
    day,
    wallSeconds: (performance.now() - begun) / 1000,
  };
}
