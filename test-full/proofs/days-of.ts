import { basename, join } from "node:path";
import type { MdrpDayJob } from "#cli";
import type { Item, ProofContext } from "../proof.ts";

/** Both, always: they lead to different plans. */
export const policies = ["nearest", "batch-matching"] as const;

export const fixture = join("world", "fixtures", "tiny");

/** Every instance with every policy. */
export function daysOf({ instances }: Pick<ProofContext, "instances">): readonly Item<MdrpDayJob>[] {
  return instances.flatMap((data) => policies.map((policy) => ({ name: `${basename(data)} ${policy}`, job: { data, policy } })));
}
