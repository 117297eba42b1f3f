/** Live positions with expected times, for the followers of the jobs that a driver holds. */
import type { JobTracked } from "#schemas";
import type { DriverContext, DriverOutput, DriverState } from "./driver.ts";

/** One record a job held or picked up; times follow the plan's stops in order. An offered job has no followers yet. */
export function track(state: DriverState, context: DriverContext): DriverOutput[] {
  const { plan, whereabouts, driverId } = state;
  const position = { latitude: whereabouts.latitude, longitude: whereabouts.longitude };
  const etas = new Map<string, number>();
  let from = position;
  let time = context.at;
  for (const stop of plan.stops) {
    time += context.travelMs(from, stop.point, plan.vehicle);
    from = stop.point;
    if (stop.kind === "pickup") {
      const readyAt = plan.holds.find((hold) => hold.jobId === stop.jobId)?.content.readyAt ?? 0;
      if (readyAt > time) time = readyAt;
    }
    etas.set(`${stop.kind} ${stop.jobId}`, Math.round(time));
  }
  const outputs: DriverOutput[] = [];
  for (const hold of plan.holds) {
    if (hold.status === "offered") continue;
    const record: JobTracked = {
      type: "JobTracked",
      jobId: hold.jobId,
      driverId,
      attempt: hold.attempt,
      position,
      pickupEta: etas.get(`pickup ${hold.jobId}`) ?? null,
      dropOffEta: etas.get(`dropOff ${hold.jobId}`) ?? null,
      at: context.at,
    };
    outputs.push({ to: "tracking", record });
  }
  return outputs;
}
