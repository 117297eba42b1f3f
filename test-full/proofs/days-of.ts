import { basename, join } from "node:path";
import type { MdrpDayJob } from "#cli";
import type { Item, ProofContext } from "../proof.ts";

/** All of them, always: they lead to different plans, and one has a memory. The default of the commands first. */
export const policies = ["batch-matching", "nearest", "open-plan"] as const;

export const fixture = join("world", "fixtures", "tiny");

/** Every instance with every policy; one policy after the other, so that a run that is stopped has some of them whole. */
export function daysOf({ instances }: Pick<ProofContext, "instances">): readonly Item<MdrpDayJob>[] {
  return policies.flatMap((policy) => instances.map((data) => ({ name: `${basename(data)} ${policy}`, job: { data, policy } })));
}
