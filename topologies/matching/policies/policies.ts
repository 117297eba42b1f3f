/** The matching algorithms by the names that a zone's policy uses. */
import type { Policy } from "../policy.ts";
import { batchMatching } from "./batch-matching.ts";
import { nearest } from "./nearest.ts";
import { openPlan } from "./open-plan/open-plan.ts";

export const policies: Readonly<Record<string, Policy>> = {
  [nearest.name]: nearest,
  [batchMatching.name]: batchMatching,
  [openPlan.name]: openPlan,
};
