import { checkEvents, openSystem, prove, type System } from "#cli";
import type { ProofOfSoak } from "./soaked-system.ts";

type SystemOptions = Parameters<typeof openSystem>[0];

/** Jobs are under way when a soak ends: what is open stays open. */
export async function proveSystem(options: SystemOptions, more?: (system: System) => Promise<readonly string[]>): Promise<ProofOfSoak> {
  await using system = await openSystem(options);
  const verdicts = await prove(system.log, system.topics, { quiescent: false });
  const events = await checkEvents(system);
  const others = (await more?.(system)) ?? [];
  return { verdicts, violations: [...events.violations, ...others], inputRecords: events.checked, saidAgain: events.saidAgain };
}
