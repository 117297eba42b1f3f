/** In which order a courier goes to the doors: his own choice, since an assignment names a job and no sequence. */
import type { CourierRules, JobFacts, Shift, Spot } from "./courier-rules.ts";

/** Up to so many jobs every sequence is tried; above it the nearest door is always next. */
const EXHAUSTIVE_MAX = 7;

/**
 * The sequence with the least sum of drop times, which is what customers wait for; among equals the first by id. It depends
 * on the jobs alone, not on the order in which they became known.
 */
export function dropSequence<J extends { readonly facts: JobFacts }>(
  jobs: readonly J[],
  from: Spot,
  shift: Shift,
  rules: CourierRules,
): readonly J[] {
  const sorted = jobs.toSorted((a, b) => compareIds(a.facts.jobId, b.facts.jobId));
  if (sorted.length < 2) return sorted;
  return sorted.length <= EXHAUSTIVE_MAX ? best(sorted, from, shift, rules) : nearestNext(sorted, from, shift, rules);
}

function best<J extends { readonly facts: JobFacts }>(jobs: readonly J[], from: Spot, shift: Shift, rules: CourierRules): readonly J[] {
  let chosen: readonly J[] = jobs;
  let least = Infinity;
  const sequence: J[] = [];
  const visit = (rest: readonly J[], here: Spot, time: number, sum: number): void => {
    // The doors left wait at least until now.
    if (sum + time * rest.length >= least) return;
    if (rest.length === 0) {
      least = sum;
      chosen = [...sequence];
      return;
    }
    for (const job of rest) {
      const half = rules.dropHalfMs(job.facts);
      const drop = time + rules.travelMs(shift, here, job.facts.dropOff) + half;
      sequence.push(job);
      visit(
        rest.filter((other) => other !== job),
        job.facts.dropOff,
        drop + half,
        sum + drop,
      );
      sequence.pop();
    }
  };
  visit(jobs, from, 0, 0);
  return chosen;
}

function nearestNext<J extends { readonly facts: JobFacts }>(
  jobs: readonly J[],
  from: Spot,
  shift: Shift,
  rules: CourierRules,
): readonly J[] {
  const rest = [...jobs];
  const sequence: J[] = [];
  let here = from;
  while (rest.length > 0) {
    let nearest = 0;
    let least = Infinity;
    rest.forEach((job, index) => {
      const travel = rules.travelMs(shift, here, job.facts.dropOff);
      if (travel < least) {
        least = travel;
        nearest = index;
      }
    });
    const [next] = rest.splice(nearest, 1);
    if (next === undefined) break;
    sequence.push(next);
    here = next.facts.dropOff;
  }
  return sequence;
}

/** o2 before o10. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
