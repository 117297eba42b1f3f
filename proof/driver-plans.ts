/**
 * D2: in the order of a driver's own versions his jobs never exceed what his plan allows. A job is in the plan from the version
 * that reserved it up to the one that dropped or delivered it. A revocation by the job's side (cancelled, deadline) names the
 * last version known to hold it: the plan may have held it longer, never shorter, so what is checked is never too much.
 */
import type { AssignmentEvent, DriverEvent, MatchingInput, TripChanged } from "#schemas";
import { topicNames } from "./history.ts";
import type { ProofRecord } from "./history.ts";
import { Findings } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

interface Stay {
  readonly jobId: string;
  readonly attempt: number;
  readonly driverId: string;
  readonly proposalId: string;
  /** The first driverVersion with the job in the plan, and the first without. */
  readonly from: number;
  to: number;
  placeId: string;
  /** The version at which the driver stood at the counter, or had it on board; Infinity: never. */
  closedAt: number;
  readonly partition: number;
  readonly offset: number;
  /** Of the same job, an attempt before. */
  readonly previous: Stay | undefined;
}

/** Feed it the assignments first, then the trips; capacities at any time before the verdict. */
export class DriverPlansCheck {
  readonly #stays = new Map<string, Stay[]>();
  readonly #stayOfJob = new Map<string, Stay>();
  readonly #capacities = new Map<string, Capacities>();
  #exact = false;

  addAssignment({ value: event, partition, offset }: ProofRecord<AssignmentEvent>): void {
    if (event.type === "AssignmentFailed") return;
    const { jobId, attempt, driverId, driverVersion, proposalId } = event;
    const current = this.#stayOfJob.get(jobId);
    if (event.type === "AssignmentRevoked") {
      if (current === undefined || current.driverId !== driverId || current.attempt !== attempt) return;
      const bySelf = event.reason !== "cancelled" && event.reason !== "deadline";
      current.to = bySelf ? driverVersion : driverVersion + 1;
      return;
    }
    if (current !== undefined && current.driverId === driverId && current.attempt === attempt) return;
    const open = { from: driverVersion, to: Infinity, placeId: "", closedAt: Infinity };
    const stay: Stay = { jobId, attempt, driverId, proposalId, ...open, partition, offset, previous: current };
    this.#stayOfJob.set(jobId, stay);
    const stays = this.#stays.get(driverId);
    if (stays === undefined) this.#stays.set(driverId, [stay]);
    else stays.push(stay);
  }

  addTrip({ value: trip }: ProofRecord<TripChanged>): void {
    for (let stay = this.#stayOfJob.get(trip.jobId); stay !== undefined; stay = stay.previous) {
      if (trip.content !== null) stay.placeId = trip.content.placeId;
      if (trip.driverId !== stay.driverId || trip.attempt !== stay.attempt || trip.driverVersion === null) continue;
      if (trip.state === "completed") stay.to = Math.min(stay.to, trip.driverVersion);
      if (trip.state === "atPickup" || trip.state === "pickedUp") stay.closedAt = Math.min(stay.closedAt, trip.driverVersion);
    }
  }

  /** Without presences: the largest capacity a driver ever announced. */
  addDriverEvent({ value: event }: ProofRecord<DriverEvent>): void {
    if (event.type === "ShiftStarted") this.#capacitiesOf(event.driverId).announced(event.capacity);
  }

  addMatchingInput({ value: input }: ProofRecord<MatchingInput>): void {
    if (input.type !== "DriverPresent") return;
    this.#exact = true;
    this.#capacitiesOf(input.driverId).seen(input.driverVersion, input.capacity);
  }

  verdict(): Verdict {
    const findings = new Findings("D2");
    for (const [driverId, stays] of this.#stays) {
      stays.sort((a, b) => a.from - b.from || a.partition - b.partition || a.offset - b.offset);
      this.#checkDriver(driverId, stays, findings);
    }
    return findings.verdict();
  }

  #checkDriver(driverId: string, stays: readonly Stay[], findings: Findings): void {
    const capacities = this.#capacities.get(driverId);
    let plan: Stay[] = [];
    for (const stay of stays) {
      findings.checked();
      plan = plan.filter((other) => other.to > stay.from);
      const others = plan.map((other) => `${other.jobId} (${other.from} to ${other.to})`).join(", ");
      const at = `job ${stay.jobId} enters the plan of driver ${driverId} at version ${stay.from}`;
      const complain = (why: string): void => findings.violated(topicNames.assignments, stay, `${at} ${why}${others}`);
      if (stay.to < stay.from) complain(`and leaves it before, at ${stay.to}; with `);
      plan.push(stay);
      const capacity = capacities?.at(stay.from, this.#exact);
      if (capacity !== undefined && plan.length > capacity) complain(`beyond his capacity of ${capacity}, beside `);
      if (plan.length > 1 && plan.some((other) => other.placeId === "" || other.placeId !== stay.placeId)) {
        complain("although its place is not that of ");
      }
      if (plan.some((other) => other.closedAt < stay.from)) complain("after he had reached the counter for ");
      if (plan.some((other) => other.from === stay.from && other.proposalId !== stay.proposalId)) {
        complain("by another proposal than what entered at the same version: ");
      }
    }
  }

  #capacitiesOf(driverId: string): Capacities {
    let capacities = this.#capacities.get(driverId);
    if (capacities === undefined) {
      capacities = new Capacities();
      this.#capacities.set(driverId, capacities);
    }
    return capacities;
  }
}

/** A driver's capacity by version, kept only where it changes. */
class Capacities {
  readonly #versions: number[] = [];
  readonly #values: number[] = [];
  #announced = 0;

  announced(capacity: number): void {
    this.#announced = Math.max(this.#announced, capacity);
  }

  seen(version: number, capacity: number): void {
    let after = this.#versions.length;
    while (after > 0 && (this.#versions[after - 1] ?? 0) > version) after--;
    if (after > 0 && this.#values[after - 1] === capacity) return;
    if (this.#versions[after - 1] === version) return;
    if (this.#values[after] === capacity) {
      this.#versions[after] = version;
      return;
    }
    this.#versions.splice(after, 0, version);
    this.#values.splice(after, 0, capacity);
  }

  at(version: number, exact: boolean): number | undefined {
    if (!exact) return this.#announced === 0 ? undefined : this.#announced;
    let index = this.#versions.length - 1;
    while (index > 0 && (this.#versions[index] ?? 0) > version) index--;
    return this.#values[index];
  }
}
