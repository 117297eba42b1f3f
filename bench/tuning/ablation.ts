/** What each ingredient of a policy brings: the same days without it, one at a time. */
import { basename } from "node:path";
import { averageMetrics, table } from "#cli";
import type { Setting } from "./candidates.ts";
import { Evaluations, type TuningJob } from "./evaluations.ts";
import type { QuickDay } from "./quick-day.ts";

/** By policy: a sentence, and the parameters that take the ingredient away. The first is the whole. */
const ablations: Readonly<Record<string, readonly (readonly [what: string, without: Setting])[]>> = {
  "open-plan": [
    ["open-plan", {}],
    ["window of 2 minutes", { windowMinutes: 2 }],
    ["window of 5 minutes", { windowMinutes: 5 }],
    ["no ruin and recreate", { tries: 0 }],
    ["no search after insertion", { tries: 0, passes: 0 }],
    ["plans not kept between ticks", { keepsPlans: 0 }],
    ["nobody sent to wait elsewhere", { movesMax: 0 }],
    ["where a plan ends does not count", { endingWeight: 0 }],
    ["neither of the two", { movesMax: 0, endingWeight: 0 }],
    ["no pay term", { payWeightMs: 0 }],
    ["no driving weight", { drivingWeight: 0 }],
    ["one visit a driver", { planMax: 1 }],
    ["two visits a driver", { planMax: 2 }],
    ["no bundles", { bundleMax: 1 }],
    ["bundles of two", { bundleMax: 2 }],
    ["leave at once instead of when due", { marginMs: 36_000_000 }],
  ],
};

export interface AblationOptions {
  readonly policy: string;
  /** Instead of what the policy's ingredients are: the whole alone. */
  readonly only?: Setting;
  /** Only mean preparation times are told. */
  readonly noisy?: boolean;
  readonly instances: readonly string[];
  readonly seed: number;
  readonly processes: number;
  /** Where finished days are kept, so that a stopped run goes on. */
  readonly ledger: string;
  readonly onDay: (what: string, left: number) => void;
}

export interface Ablation {
  readonly what: string;
  readonly days: readonly (QuickDay & { readonly name: string })[];
}

/** Throws RangeError for a policy whose ingredients are not listed. */
export async function ablate(options: AblationOptions): Promise<readonly Ablation[]> {
  const { policy, only, noisy = false, instances, seed, processes, ledger, onDay } = options;
  const variants = only === undefined ? ablations[policy] : [[noisy ? `${policy}, noisy` : policy, only] as const];
  if (variants === undefined) throw new RangeError(`nothing can be taken from ${policy}; there is ${Object.keys(ablations).join(", ")}`);
  const evaluations = new Evaluations(ledger, processes);
  const results: Ablation[] = [];
  for (const [what, parameters] of variants) {
    const jobs = instances.map((data): TuningJob => ({ data, policy, parameters, seed, noisy }));
    const days = await evaluations.days(jobs, (left) => onDay(what, left));
    results.push({ what, days: days.map((day, index) => ({ ...day, name: basename(instances[index] ?? "") })) });
  }
  return results;
}

export function ablationTable(results: readonly Ablation[]): string {
  const head = ["without", "excess, min", "undelivered, %", "cost per order, $", "orders per bundle", "ms a tick"];
  const rows = results.map(({ what, days }) => {
    const { excess, undeliveredPercent, costPerOrder, ordersPerBundle } = averageMetrics(days);
    const tickMs = days.reduce((sum, day) => sum + day.tickMsMean, 0) / days.length;
    return [what, excess.toFixed(3), undeliveredPercent.toFixed(3), costPerOrder.toFixed(2), ordersPerBundle.toFixed(3), tickMs.toFixed(2)];
  });
  return table(head, rows);
}
