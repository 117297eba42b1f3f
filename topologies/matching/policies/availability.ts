/** When and where a driver could start towards another pickup, told from what his plan says. */
import type { PlanStop, Point } from "#schemas";
import type { KnownDriver, TravelModel } from "../policy.ts";
import { expectedPickup, expectedWait } from "./open-plan/ready-times.ts";
import { isFree, startsAt } from "./pairing.ts";

/** On the way to a place, not yet at its counter: other jobs of the same place may still join. */
export interface Heading {
  readonly placeId: string;
  readonly pickup: Point;
  readonly arrivesAt: number;
  readonly readyAt: number;
  /** Drop-offs in the order of the plan. */
  readonly drops: readonly Drop[];
}

export interface Drop {
  readonly jobId: string;
  readonly readyAt: number;
  readonly point: Point;
}

/** A driver as one column of the assignment. */
export interface Slot {
  readonly driver: KnownDriver;
  /** Nothing to do: may be sent at once. */
  readonly free: boolean;
  /** From when he may go, and from where. */
  readonly freeAt: number;
  readonly from: Point;
  readonly heading: Heading | undefined;
}

/** Undefined for a driver who is asked already: his answer is on the way. `spread`: of ready times around those that are said. */
export function slotOf(driver: KnownDriver, now: number, travel: TravelModel, spread = 0): Slot | undefined {
  if (driver.asked) return undefined;
  if (isFree(driver))
    return { driver, free: true, freeAt: startsAt(driver, now, travel.serviceMs), from: driver.position, heading: undefined };
  const told = driver.toldAt ?? now;
  const half = travel.serviceMs / 2;
  let at = driver.position;
  let time = told;
  let heading: Heading | undefined;
  const pickups = driver.plan.filter((stop) => stop.kind === "pickup");
  const first = pickups[0];
  if (first === undefined) {
    // Under way to a drop-off: he left the stop before half the service after it.
    time += half;
  } else {
    const arrived = driver.jobs.some((job) => job.arrived && job.status !== "pickedUp");
    const arrivesAt = arrived ? told : Math.max(now, told + travel.travelMs(at, first.point, driver.vehicle));
    const readyAt = latestReady(driver, pickups);
    at = first.point;
    const earliest = arrivesAt + half;
    time =
      arrived && now >= earliest && spread > 0
        ? now + expectedWait(now, readyAt, spread)
        : Math.max(expectedPickup(earliest, readyAt, spread), now);
    time += half;
    if (!arrived) heading = headingOf(driver, first.point, arrivesAt, readyAt);
  }
  for (const stop of driver.plan) {
    if (stop.kind !== "dropOff") continue;
    time = Math.max(time + travel.travelMs(at, stop.point, driver.vehicle) + half, now) + half;
    at = stop.point;
  }
  return { driver, free: false, freeAt: time, from: at, heading };
}

function latestReady(driver: KnownDriver, pickups: readonly PlanStop[]): number {
  let latest = -Infinity;
  for (const { jobId } of pickups) {
    const readyAt = driver.jobs.find((job) => job.jobId === jobId)?.readyAt;
    if (readyAt !== undefined && readyAt > latest) latest = readyAt;
  }
  return latest;
}

/** Undefined where the plan rule lets nothing join: another place, a ride, goods on board, no room. */
function headingOf(driver: KnownDriver, pickup: Point, arrivesAt: number, readyAt: number): Heading | undefined {
  const placeId = driver.jobs[0]?.placeId ?? "";
  if (placeId === "" || driver.jobs.length >= driver.capacity) return undefined;
  if (driver.jobs.some((job) => job.placeId !== placeId || job.arrived || job.status === "pickedUp")) return undefined;
  const drops: Drop[] = [];
  for (const stop of driver.plan) {
    const job = driver.jobs.find((candidate) => candidate.jobId === stop.jobId);
    if (stop.kind === "dropOff" && job !== undefined) drops.push({ jobId: job.jobId, readyAt: job.readyAt, point: stop.point });
  }
  return { placeId, pickup, arrivesAt, readyAt, drops };
}
