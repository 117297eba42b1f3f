/** What a thread has committed so far, in numbers; work that was lost again is not in them. */
import type { Task } from "../task/task.ts";

export interface WorkCounts {
  readonly recordsProcessed: number;
  readonly recordsSent: number;
  readonly deadLettersByCode: Readonly<Record<string, number>>;
}

export const NO_WORK: WorkCounts = { recordsProcessed: 0, recordsSent: 0, deadLettersByCode: {} };

/** `base` and what these tasks did since they were opened. */
export function countWork(base: WorkCounts, tasks: readonly Task[]): WorkCounts {
  let { recordsProcessed, recordsSent } = base;
  const deadLettersByCode: Record<string, number> = { ...base.deadLettersByCode };
  for (const { counts, recordsSent: sent } of tasks) {
    recordsProcessed += counts.recordsProcessed;
    recordsSent += sent;
    for (const [code, count] of counts.deadLettersByCode) deadLettersByCode[code] = (deadLettersByCode[code] ?? 0) + count;
  }
  return { recordsProcessed, recordsSent, deadLettersByCode };
}
