/** Makes a failing seed smaller: kinds of faults that it does not need are taken away, and the time behind the failure. */
import { FAULT_NAMES, type SeedOptions } from "./faults/fault-plan.ts";
import type { PlantedBug } from "./planted/planted.ts";
import { runSeed, type Outcome } from "./run-seed.ts";

const MINUTE_MS = 60_000;

/** Any violation counts as the same failure. At most one run for each kind of fault and a few more. */
export async function shrink(options: SeedOptions, bug?: PlantedBug): Promise<Outcome> {
  let smallest = await runSeed(options, bug);
  if (smallest.violation === undefined) return smallest;
  const attempt = async (changed: Partial<SeedOptions>): Promise<void> => {
    const outcome = await runSeed({ ...smallest.options, ...changed }, bug);
    if (outcome.violation !== undefined) smallest = outcome;
  };
  const shorter = async (): Promise<void> => {
    const minutes = Math.ceil(smallest.atMs / 1000) / 60;
    if (minutes < smallest.options.minutes && smallest.atMs < smallest.options.minutes * MINUTE_MS) await attempt({ minutes });
  };
  await shorter();
  for (const name of FAULT_NAMES)
    if (smallest.options.faults[name] > 0) await attempt({ faults: { ...smallest.options.faults, [name]: 0 } });
  if (smallest.options.group !== undefined) await attempt({ group: undefined });
  for (const instances of [1, 2]) if (instances < smallest.options.instances) await attempt({ instances });
  await shorter();
  return smallest;
}
