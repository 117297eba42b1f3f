/** What the panel shows, folded from the committed trips and assignments alone: the application's own counters are not asked. */
import type { AssignmentEvent, TripChanged, TripState } from "#schemas";

export interface TallySnapshot {
  readonly waiting: number;
  readonly assigned: number;
  readonly done: number;
  readonly cancelled: number;
  readonly failed: number;
  /** Placement to pickup, minutes; NaN before the first. */
  readonly pickupP95Minutes: number;
  /** From the tick that proposed it until a consumer has the assignment, milliseconds; NaN before the first. */
  readonly decisionP99Ms: number;
}

const samplesMax = 10_000;

export class Tally {
  /** Only jobs under way are kept; ended ones are counts. */
  readonly #states = new Map<string, TripState>();
  readonly #ended = { completed: 0, cancelled: 0, failed: 0 };
  readonly #pickupMs = new Samples(samplesMax);
  readonly #decisionMs = new Samples(samplesMax);

  trip(trip: TripChanged): void {
    const { jobId, state, at, content } = trip;
    if (state === "completed" || state === "cancelled" || state === "failed") {
      this.#states.delete(jobId);
      this.#ended[state]++;
      return;
    }
    if (state === "pickedUp" && content !== null) this.#pickupMs.add(at - content.placedAt);
    this.#states.set(jobId, state);
  }

  /** `seenAt`: when a consumer read it, on the clock of the ticks; undefined for the past, which is not timed. */
  assignment(event: AssignmentEvent, seenAt: number | undefined): void {
    if (event.type !== "DriverAssigned" || seenAt === undefined) return;
    const tick = Number(event.proposalId.split("/")[1]);
    if (Number.isFinite(tick)) this.#decisionMs.add(seenAt - tick);
  }

  snapshot(): TallySnapshot {
    let waiting = 0;
    for (const state of this.#states.values()) if (state === "open" || state === "offered") waiting++;
    return {
      waiting,
      assigned: this.#states.size - waiting,
      done: this.#ended.completed,
      cancelled: this.#ended.cancelled,
      failed: this.#ended.failed,
      pickupP95Minutes: this.#pickupMs.quantile(0.95) / 60_000,
      decisionP99Ms: this.#decisionMs.quantile(0.99),
    };
  }
}

/** The newest values, up to a bound, for quantiles. */
class Samples {
  readonly #values: Float64Array;
  #count = 0;

  constructor(most: number) {
    this.#values = new Float64Array(most);
  }

  add(value: number): void {
    this.#values[this.#count++ % this.#values.length] = value;
  }

  quantile(share: number): number {
    const held = Math.min(this.#count, this.#values.length);
    if (held === 0) return Number.NaN;
    return this.#values.slice(0, held).sort()[Math.min(held - 1, Math.floor(share * held))] ?? Number.NaN;
  }
}
