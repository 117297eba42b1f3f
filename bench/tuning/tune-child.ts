/** Plays training days, one after another. */
import { answerJobs } from "#cli";
import { policies } from "#topologies";
import type { TuningJob } from "./evaluations.ts";
import { playQuickDay, type QuickDay } from "./quick-day.ts";

answerJobs<TuningJob>(async (job): Promise<QuickDay> => {
  const policy = policies[job.policy];
  if (policy === undefined) throw new TypeError(`there is no policy ${job.policy}`);
  return playQuickDay({ ...job, policy });
});
