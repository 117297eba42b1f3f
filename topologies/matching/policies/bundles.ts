/** The rows of the assignment: jobs of one place that one driver would take together. */
import type { Point, Vehicle } from "#schemas";
import type { OpenJob, TravelModel } from "../policy.ts";
import { visitOf, visitWith } from "./drop-order.ts";
import type { Visit } from "./drop-order.ts";

export interface Bundle {
  /** Jobs of equal key are picked up at the same counter; rides and whatever has no place stay alone. */
  readonly key: string;
  /** Index of the key among the problem's places. */
  readonly place: number;
  readonly placeId: string;
  readonly pickup: Point;
  readonly jobs: readonly OpenJob[];
  /** For the vehicle of reference; another one's is made when asked for. */
  readonly visit: Visit;
}

/** The vehicle for which drop-offs are put in order. */
export const REFERENCE_VEHICLE: Vehicle = "car";

export function singleBundle(job: OpenJob, place: number, key: string, travel: TravelModel): Bundle {
  const { pickup, placeId } = job.content;
  const visit = visitOf(pickup, [dropOf(job)], REFERENCE_VEHICLE, travel);
  return { key, place, placeId, pickup, jobs: [job], visit };
}

/** Undefined if they may not travel together. */
export function merged(a: Bundle, b: Bundle, sizeMax: number, travel: TravelModel): Bundle | undefined {
  if (a.key !== b.key || a.placeId === "" || a.jobs.length + b.jobs.length > sizeMax) return undefined;
  const [first, second] = a.jobs.length >= b.jobs.length ? [a, b] : [b, a];
  const visit = visitWith(first.visit, second.visit.drops, { pickup: a.pickup, vehicle: REFERENCE_VEHICLE }, travel);
  const jobs: OpenJob[] = [];
  for (const drop of visit.drops) {
    const job = first.jobs.find(({ jobId }) => jobId === drop.jobId) ?? second.jobs.find(({ jobId }) => jobId === drop.jobId);
    if (job !== undefined) jobs.push(job);
  }
  return { ...first, jobs, visit };
}

export function dropOf(job: OpenJob): { readonly jobId: string; readonly readyAt: number; readonly point: Point } {
  return { jobId: job.jobId, readyAt: job.content.readyAt, point: job.content.dropOff };
}

/** Of a place, by counter: a place may have several. */
export function placeKey({ content, jobId }: OpenJob): string {
  const { placeId, pickup } = content;
  return placeId === "" ? `job ${jobId}` : `${placeId} ${pickup.latitude} ${pickup.longitude}`;
}
