/** What benches and long proofs use of the command: whole systems, days in virtual time, processes, the terminal. */
export { answerJobs } from "./children/answer-jobs.ts";
export { runInChildren } from "./children/run-in-children.ts";
export type { ChildrenOptions, JobOutcome } from "./children/run-in-children.ts";
export { averageMetrics, averagesTable } from "./days/mdrp-averages.ts";
export { playMdrpDay } from "./days/mdrp-day.ts";
export type { MdrpDay, MdrpDayJob } from "./days/mdrp-day.ts";
export { mdrpInstances } from "./days/mdrp-instances.ts";
export { progress } from "./terminal/progress.ts";
export { table } from "./terminal/table.ts";
