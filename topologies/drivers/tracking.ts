/** Live positions with expected times, for the followers of the jobs that a driver holds. */
import type { JobTracked, Point, Vehicle } from "#schemas";
import type { DriverContext, DriverOutput, DriverPlan, DriverState } from "./driver.ts";

/** When a job of a plan is expected at its stops; null for a stop that is behind. */
export interface ExpectedTimes {
  readonly pickupEta: number | null;
  readonly dropOffEta: number | null;
}

/** What expected times depend on besides the plan. */
export interface EtaContext {
  readonly at: number;
  /** Time at a counter or door, half before and half after the instant of pickup or drop-off. Default 0. */
  readonly serviceMs?: number;
  travelMs(from: Point, to: Point, vehicle: Vehicle): number;
}

const NO_TIMES: ExpectedTimes = { pickupEta: null, dropOffEta: null };

/**
 * Expected times of each job of the plan, its stops taken in order from `position`: nothing is picked up before it is ready, and
 * jobs of one place are picked up together.
 */
export function expectedTimes(
  plan: Pick<DriverPlan, "stops" | "holds" | "vehicle">,
  position: Point,
  context: EtaContext,
): ReadonlyMap<string, ExpectedTimes> {
  const half = (context.serviceMs ?? 0) / 2;
  const times = new Map<string, ExpectedTimes>();
  let from = position;
  let time = context.at;
  // What is left of the service at the place where he is; at the first stop none: he may be on his way to it.
  let leaving = 0;
  for (const stop of plan.stops) {
    const hold = plan.holds.find(({ jobId }) => jobId === stop.jobId);
    const travelMs = context.travelMs(from, stop.point, plan.vehicle);
    const waits = hold?.arrived === true && stop.kind === "pickup";
    if (travelMs > 0 || leaving === 0) time += leaving + travelMs + (waits ? 0 : half);
    leaving = half;
    from = stop.point;
    if (stop.kind === "pickup") time = Math.max(time, hold?.content.readyAt ?? 0);
    const eta = Math.round(time);
    const known = times.get(stop.jobId) ?? NO_TIMES;
    times.set(stop.jobId, stop.kind === "pickup" ? { ...known, pickupEta: eta } : { ...known, dropOffEta: eta });
  }
  return times;
}

/** One record a job held or picked up. An offered job has no followers yet. */
export function track(state: DriverState, context: DriverContext): DriverOutput[] {
  const { plan, whereabouts, driverId } = state;
  const position = { latitude: whereabouts.latitude, longitude: whereabouts.longitude };
  const times = expectedTimes(plan, position, context);
  const outputs: DriverOutput[] = [];
  for (const { jobId, attempt, status } of plan.holds) {
    if (status === "offered") continue;
    const record: JobTracked = {
      type: "JobTracked",
      jobId,
      driverId,
      attempt,
      position,
      ...(times.get(jobId) ?? NO_TIMES),
      at: context.at,
    };
    outputs.push({ to: "tracking", record });
  }
  return outputs;
}
