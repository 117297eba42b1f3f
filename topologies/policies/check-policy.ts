/** What a zone's policy must be before any task takes it over. */
import type { ZonePolicy } from "#schemas";
import { TopologiesError } from "../errors.ts";

/** Field → least and greatest value; whole numbers. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  tickMs: [10, 3_600_000],
  offerSeconds: [0, 3_600],
  dispatchResolution: [0, 8],
  haloMetres: [0, 1_000_000],
  attemptsMax: [1, 1_000],
  deadlineMs: [1_000, 30 * 24 * 3_600_000],
  backoffBaseMs: [0, 3_600_000],
  backoffMaxMs: [0, 3_600_000],
  locationTtlMs: [0, 24 * 3_600_000],
  throttleMs: [0, 3_600_000],
  speedMetresPerSecondMax: [1, Number.MAX_SAFE_INTEGER],
};

/** Throws TopologiesError, `POLICY_UNKNOWN` or `POLICY_INVALID`. */
export function checkPolicy(key: string, policy: ZonePolicy, known: readonly string[]): void {
  if (key !== policy.zone) throw invalid(policy, `its key is ${key}`);
  if (!known.includes(policy.policy)) {
    throw new TopologiesError("POLICY_UNKNOWN", `zone ${policy.zone} asks for the policy ${policy.policy}; there are ${known.join(", ")}.`);
  }
  for (const [field, [least, most]] of Object.entries(ranges)) {
    const value = policy[field as keyof ZonePolicy];
    if (typeof value !== "number" || !(value >= least && value <= most)) {
      throw invalid(policy, `${field} is ${JSON.stringify(value)}, it must be from ${least} to ${most}`);
    }
  }
}

function invalid(policy: ZonePolicy, what: string): TopologiesError {
  return new TopologiesError("POLICY_INVALID", `The policy for zone ${policy.zone}: ${what}. Publish a corrected one.`);
}
