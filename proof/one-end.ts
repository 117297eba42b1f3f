/** D3: each job ends in exactly one terminal state, nothing leads out of it, and no step of its life is missing or invented. */
import type { TripChanged, TripState } from "#schemas";
import { topicNames } from "./history.ts";
import type { ProofRecord } from "./history.ts";
import { Findings } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

/** State → what may follow. The same state again: the content changed. `open` after a driver had it: the next attempt. */
const successors: Readonly<Record<TripState | "unknown", readonly TripState[]>> = {
  unknown: ["open", "cancelled"],
  open: ["open", "offered", "assigned", "cancelled", "failed"],
  offered: ["offered", "assigned", "open", "cancelled", "failed"],
  assigned: ["assigned", "atPickup", "pickedUp", "open", "cancelled", "failed"],
  atPickup: ["atPickup", "pickedUp", "open", "cancelled", "failed"],
  pickedUp: ["pickedUp", "completed", "failed"],
  completed: [],
  cancelled: [],
  failed: [],
};

interface Life {
  state: TripState | "unknown";
  jobVersion: number;
  attempt: number;
  driverId: string | null;
  partition: number;
  offset: number;
}

/** Feed it every trip; jobs named by `expect` must have appeared. */
export class OneEndCheck {
  readonly #findings = new Findings("D3");
  readonly #lives = new Map<string, Life>();

  add(record: ProofRecord<TripChanged>): void {
    const { value: trip, partition, offset } = record;
    this.#findings.checked();
    let life = this.#lives.get(trip.jobId);
    if (life === undefined) {
      life = { state: "unknown", jobVersion: 0, attempt: 0, driverId: null, partition, offset };
      this.#lives.set(trip.jobId, life);
    }
    const wrong = whyWrong(life, trip, partition);
    if (wrong !== undefined) this.#findings.violated(topicNames.trips, record, `job ${trip.jobId} ${wrong}`);
    const { state, jobVersion, attempt, driverId } = trip;
    Object.assign(life, { state, jobVersion, attempt, driverId, partition, offset });
  }

  /** At quiescence every job has ended. */
  verdict(options: { readonly quiescent: boolean }): Verdict {
    if (options.quiescent) {
      for (const [jobId, life] of this.#lives) {
        if (life.state !== "unknown" && successors[life.state].length > 0) {
          this.#findings.violated(topicNames.trips, life, `job ${jobId} never ended: this is its last word, ${life.state}`);
        }
      }
    }
    return this.#findings.verdict();
  }
}

function whyWrong(life: Life, trip: TripChanged, partition: number): string | undefined {
  if (life.partition !== partition) return `is in two partitions, ${life.partition} and ${partition}: its trips have no order`;
  if (!successors[life.state].includes(trip.state)) return `goes from ${life.state} to ${trip.state}`;
  if (trip.jobVersion !== life.jobVersion + 1) return `goes from version ${life.jobVersion} to ${trip.jobVersion}`;
  const reopened = trip.state === "open" && life.state !== "open";
  const attempt = life.attempt + (reopened ? 1 : 0);
  if (trip.attempt !== attempt) return `is ${trip.state} with attempt ${trip.attempt} instead of ${attempt}`;
  const hasDriver = trip.driverId !== null && trip.driverVersion !== null;
  if (trip.state === "open" && hasDriver) return `is open with driver ${trip.driverId}`;
  if (["offered", "assigned", "atPickup", "pickedUp", "completed"].includes(trip.state)) {
    if (!hasDriver) return `is ${trip.state} without a driver`;
    if (life.driverId !== null && life.state !== "open" && life.driverId !== trip.driverId) {
      return `changes from driver ${life.driverId} to ${trip.driverId} without being opened again`;
    }
  }
  return undefined;
}
