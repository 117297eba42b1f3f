/** The evaluator of meal delivery solutions: feasible or not by every rule, and all metrics. */
import { checkSolution } from "./check-solution.ts";
import { Findings } from "./finding.ts";
import type { MdrpFinding } from "./finding.ts";
import { INSTANCE_FILES, parseInstance, parseSolution, readTexts } from "./mdrp-files.ts";
import type { FileTexts } from "./mdrp-files.ts";
import { mdrpMetrics } from "./mdrp-metrics.ts";
import type { MdrpMetrics } from "./mdrp-metrics.ts";

export interface MdrpVerdict {
  /** No violation; warnings may be there. */
  readonly feasible: boolean;
  /** The first 1,000. */
  readonly violations: readonly MdrpFinding[];
  readonly warnings: readonly MdrpFinding[];
  readonly violationCount: number;
  readonly warningCount: number;
  /** Of what could be read, also of an infeasible solution. */
  readonly metrics: MdrpMetrics;
}

/** Both by file name, as their folders hold them. Throws ProofError for an instance that cannot be judged by. */
export function evaluateMdrp(instanceTexts: FileTexts, solutionTexts: FileTexts): MdrpVerdict {
  const findings = new Findings();
  const instance = parseInstance(instanceTexts);
  const solution = parseSolution(solutionTexts, findings);
  const timelines = checkSolution(instance, solution, findings);
  const { violations, warnings, violationCount, warningCount } = findings;
  const metrics = mdrpMetrics(instance, solution, timelines);
  return { feasible: violationCount === 0, violations, warnings, violationCount, warningCount, metrics };
}

/** Throws ProofError `EVIDENCE_MISSING`. */
export function readInstanceTexts(folder: string): FileTexts {
  return readTexts(folder, INSTANCE_FILES);
}
