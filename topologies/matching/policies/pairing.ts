/** Who may serve what, and what a plan of one visit looks like: shared by all policies. */
import type { JobContent, PlanStop } from "#schemas";
import type { KnownDriver, MatchingProblem, OpenJob } from "../policy.ts";

/** On duty, with nothing in the plan and nothing asked of. */
export function isFree(driver: KnownDriver): boolean {
  return !driver.asked && driver.plan.length === 0 && driver.jobs.length === 0;
}

/** Requirements met, not excluded, and not the pair that was refused just now. */
export function mayServe(driver: KnownDriver, job: OpenJob): boolean {
  if (job.excludedDrivers.has(driver.driverId)) return false;
  if (job.skip !== undefined && job.skip.driverId === driver.driverId && job.skip.driverVersion === driver.driverVersion) return false;
  return job.content.requirements.every((tag) => driver.tags.includes(tag));
}

/** The instant of pickup: half the service after arrival, not before it is ready. */
export function pickupAt(arrivesAt: number, readyAt: number, serviceMs: number): number {
  return Math.max(arrivesAt + serviceMs / 2, readyAt);
}

/**
 * When a free driver can start: he may have handed over just now, and leaves half the service after it. Without the time at
 * which he was last heard of: now.
 */
export function startsAt(driver: KnownDriver, now: number, serviceMs: number): number {
  return driver.toldAt === undefined ? now : Math.max(now, driver.toldAt + serviceMs / 2);
}

/** No pickup after the end of the shift; at its very end is allowed. */
export function withinShift(driver: KnownDriver, pickupTime: number): boolean {
  return driver.shiftEndsAt === null || pickupTime <= driver.shiftEndsAt;
}

/** All pickups, then all drop-offs in the given order. */
export function visitPlan(
  jobs: readonly { readonly jobId: string; readonly content: Pick<JobContent, "pickup" | "dropOff"> }[],
): PlanStop[] {
  return [
    ...jobs.map(({ jobId, content }): PlanStop => ({ jobId, kind: "pickup", point: content.pickup })),
    ...jobs.map(({ jobId, content }): PlanStop => ({ jobId, kind: "dropOff", point: content.dropOff })),
  ];
}

/** Up to so many free drivers are looked at one by one: cheaper than growing rings around each place. */
const SCANNED_MAX = 256;

/** The free drivers of one tick. */
export class FreeDrivers {
  readonly #problem: MatchingProblem;
  readonly #all: readonly KnownDriver[];

  constructor(problem: MatchingProblem) {
    this.#problem = problem;
    this.#all = problem.drivers.filter(isFree);
  }

  /** At least so many around the point that pass the test, or all there are: looks further out while too few do. */
  near(point: JobContent["pickup"], atLeast: number, test: (driver: KnownDriver) => boolean = () => true): readonly KnownDriver[] {
    if (this.#all.length <= SCANNED_MAX) return this.#all.filter(test);
    const passes = (driver: KnownDriver): boolean => isFree(driver) && test(driver);
    return this.#problem.nearby(point, atLeast, passes).filter(passes);
  }
}

/** Values of all parameters: as given, else the default. */
export function valuesOf<Name extends string>(
  parameters: Readonly<Record<Name, { readonly default: number }>>,
  given: Readonly<Record<string, number>>,
): Readonly<Record<Name, number>> {
  const values = {} as Record<Name, number>;
  for (const name of Object.keys(parameters) as Name[]) values[name] = given[name] ?? parameters[name].default;
  return values;
}

/** Ties by id, by code units: the same everywhere. */
export function byId(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
