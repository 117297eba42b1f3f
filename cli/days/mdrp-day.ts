/** One day of an instance, as it travels from the process that played it to the one that counts. */
import type { MdrpMetrics } from "#proof";
import { simulateMdrp } from "../simulate/simulate-mdrp.ts";

export interface MdrpDayJob {
  /** Folder of the instance. */
  readonly data: string;
  readonly policy: string;
  /** Only mean preparation times are told. */
  readonly noisy?: boolean;
  /** Of the policy, where they are not its defaults. */
  readonly parameters?: Readonly<Record<string, number>>;
  /** Instead of the policy's name where days of several kinds stand beside each other. */
  readonly label?: string;
}

/** Plain JSON. */
export interface MdrpDay {
  readonly name: string;
  readonly policy: string;
  readonly feasible: boolean;
  readonly warnings: number;
  /** Every invariant held. */
  readonly clean: boolean;
  /** Rules and invariants that were broken, the first of each as a sentence. */
  readonly broken: readonly string[];
  /** Facts that the invariants looked at. */
  readonly checked: number;
  readonly metrics: MdrpMetrics;
  readonly records: number;
  /** Everything: reading, playing, proving, evaluating. */
  readonly seconds: number;
}

const sentencesMax = 5;

/** Rejects with what `simulateMdrp` rejects with. */
export async function playMdrpDay(job: MdrpDayJob): Promise<MdrpDay> {
  const { name, policy, verdicts, evaluation, day, wallSeconds } = await simulateMdrp(job);
  if (evaluation === undefined) throw new TypeError(`${name} was not evaluated`);
  const { feasible, violations, warningCount, metrics } = evaluation;
  const clean = verdicts.every(({ ok }) => ok) && day.quiescent && day.deadLetters === 0;
  const broken = [
    ...violations.slice(0, sentencesMax).map((violation) => JSON.stringify(violation)),
    ...verdicts.flatMap(({ invariant, violations: told }) => told.slice(0, sentencesMax).map((sentence) => `${invariant} ${sentence}`)),
    ...(day.quiescent ? [] : ["jobs were still open when the day was over"]),
    ...(day.deadLetters === 0 ? [] : [`${day.deadLetters} dead letters`]),
  ];
  const checked = verdicts.reduce((sum, verdict) => sum + verdict.checked, 0);
  return {
    name,
    policy: job.label ?? policy,
    feasible,
    warnings: warningCount,
    clean,
    broken,
    checked,
    metrics,
    records: day.recordsProcessed,
    seconds: wallSeconds,
  };
}
