/** D6 over a day of an instance: played twice it gives the same bytes, and its matching input alone gives the same proposals. */
import { compareRuns, type Verdict } from "#proof";
import { readInstance } from "#world";
import { readRawTopics, topicPairs, type RawTopics } from "../proof/read-raw.ts";
import { mdrpPolicy } from "../simulate/mdrp-policy.ts";
import { proposalsOf, replayMatching } from "../simulate/replay-matching.ts";
import { simulateMdrp } from "../simulate/simulate-mdrp.ts";
import type { System } from "../system/open-system.ts";
import type { MdrpDayJob } from "./mdrp-day.ts";

export interface Determinism {
  /** `checked`: records of all topics. */
  readonly twice: Verdict;
  /** `checked`: proposals. */
  readonly replayed: Verdict;
}

export async function checkDeterminism(job: MdrpDayJob): Promise<Determinism> {
  const first = await record(job);
  const second = await record(job);
  const twice = await compareRuns(topicPairs(first.raw, second.raw));
  const { topics, partitions } = first;
  const again = await replayMatching({
    recorded: first.raw,
    partitions,
    policy: mdrpPolicy(readInstance(job.data), job.policy, job.noisy, job.parameters),
  });
  const proposals = { topic: topics.driverCommands.name, first: proposalsOf(first.raw, topics), second: again.proposals };
  // Others write that topic too: in the recorded run its offsets have gaps.
  const replayed = await compareRuns([proposals], { offsets: false });
  return { twice, replayed };
}

async function record(job: MdrpDayJob): Promise<Pick<System, "topics" | "partitions"> & { readonly raw: RawTopics }> {
  const seen: (Pick<System, "topics" | "partitions"> & { readonly raw: RawTopics })[] = [];
  await simulateMdrp({
    ...job,
    inspect: async ({ log, topics, partitions }) => {
      seen.push({ topics, partitions, raw: await readRawTopics(log) });
    },
  });
  const [day] = seen;
  if (day === undefined) throw new TypeError("the day was not shown");
  return day;
}
