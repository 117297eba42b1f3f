/** Does one item after another, of whatever proof it is asked for. */
import { answerJobs } from "#cli";
import type { Finding } from "./proof.ts";
import { allProofs } from "./proofs/all-proofs.ts";

export interface ProofJob {
  readonly proof: string;
  readonly job: unknown;
}

answerJobs<ProofJob>(({ proof, job }): Promise<Finding> => {
  const found = allProofs.find(({ name }) => name === proof);
  if (found === undefined) throw new TypeError(`there is no proof ${proof}`);
  return found.prove(job);
});
