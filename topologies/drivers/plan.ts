/** A driver's plan: what may be added to it, and how its stops follow its holds. */
import type { JobsProposed, PlanStop, ProposalRefused } from "#schemas";
import type { DriverPlan, Hold } from "./driver.ts";

/**
 * Why the plan cannot take this proposal; undefined: it can. Everything offered, held or picked up counts against the
 * capacity. A plan that is not empty grows only by jobs of its own place, and only until the driver reaches the counter.
 */
export function whyRefused(plan: DriverPlan, proposal: JobsProposed): ProposalRefused["reason"] | undefined {
  if (plan.duty !== "on") return "duty";
  if (plan.version !== proposal.driverVersion) return "version";
  if (plan.holds.length + proposal.jobs.length > plan.capacity) return "plan";
  const place = plan.holds[0]?.content.placeId ?? proposal.jobs[0]?.content.placeId;
  const together = plan.holds.length + proposal.jobs.length > 1;
  for (const job of proposal.jobs) {
    if (together && (place === "" || job.content.placeId !== place)) return "plan";
    if (!job.content.requirements.every((tag) => plan.tags.includes(tag))) return "plan";
  }
  if (plan.holds.some((hold) => hold.arrived || hold.status === "pickedUp" || hold.content.placeId !== place)) return "plan";
  return undefined;
}

/** The proposal's order of stops, made whole: each hold has exactly its own stops, whatever the proposal left out. */
export function stopsOf(holds: readonly Hold[], order: readonly PlanStop[]): readonly PlanStop[] {
  const stops: PlanStop[] = [];
  for (const stop of order) {
    const hold = holds.find((candidate) => candidate.jobId === stop.jobId);
    if (hold === undefined || (stop.kind === "pickup" && hold.status === "pickedUp")) continue;
    if (stops.some((earlier) => earlier.jobId === stop.jobId && earlier.kind === stop.kind)) continue;
    // A drop-off never precedes its own pickup.
    if (stop.kind === "dropOff" && hold.status !== "pickedUp" && !hasPickup(stops, stop.jobId)) stops.push(stopAt(hold, "pickup"));
    stops.push(stopAt(hold, stop.kind));
  }
  for (const hold of holds) {
    if (hold.status !== "pickedUp" && !hasPickup(stops, hold.jobId)) stops.push(stopAt(hold, "pickup"));
    if (!stops.some((stop) => stop.jobId === hold.jobId && stop.kind === "dropOff")) stops.push(stopAt(hold, "dropOff"));
  }
  return stops;
}

/** Earliest end of a running offer. */
export function nextOfferEnd(plan: DriverPlan): number | null {
  let earliest: number | null = null;
  for (const hold of plan.holds) {
    if (hold.offerUntil !== null && (earliest === null || hold.offerUntil < earliest)) earliest = hold.offerUntil;
  }
  return earliest;
}

function hasPickup(stops: readonly PlanStop[], jobId: string): boolean {
  return stops.some((stop) => stop.jobId === jobId && stop.kind === "pickup");
}

function stopAt(hold: Hold, kind: PlanStop["kind"]): PlanStop {
  return { jobId: hold.jobId, kind, point: kind === "pickup" ? hold.content.pickup : hold.content.dropOff };
}
