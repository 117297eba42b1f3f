export { ProofError } from "./errors.ts";
export type { ProofErrorCode } from "./errors.ts";
export { evaluateMdrp, readInstanceTexts, readSolutionTexts } from "./mdrp/evaluate-mdrp.ts";
export type { MdrpVerdict } from "./mdrp/evaluate-mdrp.ts";
export type { MdrpFinding, MdrpRule, SolutionFileName } from "./mdrp/finding.ts";
export type { FileTexts } from "./mdrp/mdrp-files.ts";
export type { MdrpMetrics } from "./mdrp/mdrp-metrics.ts";
export { MDRP_FLOORS, MDRP_REFERENCES } from "./mdrp/references.ts";
export type { MdrpReference } from "./mdrp/references.ts";
