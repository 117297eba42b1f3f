import { expect, test } from "vitest";
import { runInChildren, type JobOutcome } from "./run-in-children.ts";

interface Job {
  readonly whim: "double" | "throw" | "exit" | "hang";
  readonly value: number;
}
interface Doubled {
  readonly doubled: number;
  readonly pid: number;
  readonly answered: number;
}
const program = new URL("fixtures/whims-child.ts", import.meta.url);

test("each job has one outcome, also where it throws, kills its process or never answers", async () => {
  const whims = ["double", "throw", "double", "exit", "double", "hang", "double", "double"] as const;
  const jobs = whims.map((whim, value): Job => ({ whim, value }));
  const outcomes = new Map<number, JobOutcome<Doubled>>();
  await runInChildren<Job, Doubled>({ program, jobs, processes: 2, jobSecondsMax: 3 }, (job, outcome) => {
    expect(outcomes.has(job.value)).toBe(false);
    outcomes.set(job.value, outcome);
  });
  expect(outcomes.size).toBe(jobs.length);
  for (const { whim, value } of jobs) {
    const outcome = outcomes.get(value);
    expect(outcome?.ok).toBe(whim === "double");
    if (outcome?.ok === true) expect(outcome.result.doubled).toBe(2 * value);
  }
  const errorOf = (value: number): string => {
    const outcome = outcomes.get(value);
    return outcome?.ok === false ? outcome.error : "";
  };
  expect(errorOf(1)).toContain("RangeError: no 1");
  expect(errorOf(3)).toContain("status 7: giving up on 3");
  expect(errorOf(5)).toContain("no answer within 3 s");
});

test("a process is replaced after its share of jobs", async () => {
  const jobs = Array.from({ length: 5 }, (_, value): Job => ({ whim: "double", value }));
  const results: Doubled[] = [];
  await runInChildren<Job, Doubled>({ program, jobs, processes: 1, jobsPerProcess: 2 }, (_, outcome) => {
    if (outcome.ok) results.push(outcome.result);
  });
  expect(results.map(({ answered }) => answered)).toEqual([1, 2, 1, 2, 1]);
  expect(new Set(results.map(({ pid }) => pid)).size).toBe(3);
});
