/** What a day of dispatch comes to, folded from its committed topics alone: waits, offers, reassignments, refusals, surge. */
import type { AssignmentEvent, InputRefused, TripChanged } from "#schemas";
import type { System } from "../system/open-system.ts";
import { readTopic } from "../proof/read-topic.ts";

export type Figures = Readonly<Record<string, number>>;

export interface DispatchFigures {
  readonly figures: Figures;
  /** Refused inputs by `<topic's entity> <event> <reason>`. */
  readonly refusals: Figures;
}

const MINUTE_MS = 60_000;
const NO_SURGE_MILLI = 1_000;

export async function dispatchFigures({ log, topics }: Pick<System, "log" | "topics">): Promise<DispatchFigures> {
  const trips = new TripFold();
  for await (const { value } of readTopic(log, topics.trips)) trips.take(value);
  const offers = new OfferFold();
  for await (const { value } of readTopic(log, topics.assignments)) offers.take(value);
  const refusals: Record<string, number> = {};
  for await (const { value } of readTopic(log, topics.refusals)) {
    const kind = kindOf(value);
    refusals[kind] = (refusals[kind] ?? 0) + 1;
  }
  const sorted = Object.fromEntries(Object.entries(refusals).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { figures: { ...trips.figures(), ...offers.figures() }, refusals: sorted };
}

function kindOf({ eventType, reason }: InputRefused): string {
  return `${eventType} ${reason}`;
}

/** Jobs by their ends, and how long their people waited. */
class TripFold {
  readonly #open = new Set<string>();
  readonly #ended = { completed: 0, cancelled: 0, failed: 0 };
  #orders = 0;
  #rides = 0;
  #surged = 0;
  #surgeMax = NO_SURGE_MILLI;
  #surgeSum = 0;
  readonly #clickToDoor: number[] = [];
  readonly #readyToDoor: number[] = [];
  readonly #rideWait: number[] = [];

  take({ jobId, jobVersion, state, at, content, surgeMilli }: TripChanged): void {
    if (jobVersion === 1) {
      if (content?.kind === "ride") {
        this.#rides++;
        if (surgeMilli > NO_SURGE_MILLI) this.#surged++;
        this.#surgeMax = Math.max(this.#surgeMax, surgeMilli);
        this.#surgeSum += surgeMilli;
      } else this.#orders++;
      this.#open.add(jobId);
    }
    if (state === "completed" || state === "cancelled" || state === "failed") {
      this.#open.delete(jobId);
      this.#ended[state]++;
    }
    if (content === null) return;
    if (state === "completed" && content.kind === "order") {
      this.#clickToDoor.push(at - content.placedAt);
      this.#readyToDoor.push(at - content.readyAt);
    }
    if (state === "pickedUp" && content.kind === "ride") this.#rideWait.push(at - content.placedAt);
  }

  figures(): Figures {
    const { completed, cancelled, failed } = this.#ended;
    return {
      orders: this.#orders,
      rides: this.#rides,
      done: completed,
      cancelled,
      failed,
      open: this.#open.size,
      clickToDoorMinutes: mean(this.#clickToDoor) / MINUTE_MS,
      clickToDoorP90Minutes: quantile(this.#clickToDoor, 0.9) / MINUTE_MS,
      readyToDoorMinutes: mean(this.#readyToDoor) / MINUTE_MS,
      rideWaitMinutes: mean(this.#rideWait) / MINUTE_MS,
      rideWaitP90Minutes: quantile(this.#rideWait, 0.9) / MINUTE_MS,
      surgedRides: this.#surged,
      surgeMean: this.#rides === 0 ? 1 : this.#surgeSum / this.#rides / NO_SURGE_MILLI,
      surgeMax: this.#surgeMax / NO_SURGE_MILLI,
    };
  }
}

/** Who was asked, what he said, and how often a job had to go to another driver. */
class OfferFold {
  #offers = 0;
  #assigned = 0;
  readonly #revoked: Record<string, number> = {};
  readonly #failed: Record<string, number> = {};
  #retryAfter = 0;
  /** Jobs that had a driver, by how many attempts had one, and the last of these. */
  readonly #drivers = new Map<string, number>();
  readonly #lastAttempt = new Map<string, number>();

  take(event: AssignmentEvent): void {
    switch (event.type) {
      case "DriverOffered":
        this.#offers++;
        return this.#another(event);
      case "DriverAssigned":
        this.#assigned++;
        return this.#another(event);
      case "AssignmentRevoked":
        this.#revoked[event.reason] = (this.#revoked[event.reason] ?? 0) + 1;
        return undefined;
      case "AssignmentFailed":
        this.#failed[event.reason] = (this.#failed[event.reason] ?? 0) + 1;
        this.#retryAfter += event.retryAfterSeconds;
        return undefined;
      default:
        throw new TypeError(`no such event: ${JSON.stringify(event satisfies never)}`);
    }
  }

  /** Offered and assigned are the same attempt's. */
  #another({ jobId, attempt }: AssignmentEvent): void {
    if (this.#lastAttempt.get(jobId) === attempt) return;
    this.#lastAttempt.set(jobId, attempt);
    this.#drivers.set(jobId, (this.#drivers.get(jobId) ?? 0) + 1);
  }

  figures(): Figures {
    let again = 0;
    for (const drivers of this.#drivers.values()) if (drivers > 1) again++;
    const failures = Object.values(this.#failed).reduce((sum, count) => sum + count, 0);
    return {
      offers: this.#offers,
      assignments: this.#assigned,
      ...named("revoked", this.#revoked),
      ...named("failed", this.#failed),
      retryAfterSeconds: failures === 0 ? 0 : this.#retryAfter / failures,
      reassignmentRate: this.#drivers.size === 0 ? 0 : again / this.#drivers.size,
      driversPerJob: this.#drivers.size === 0 ? 0 : sumOf(this.#drivers.values()) / this.#drivers.size,
    };
  }
}

function named(prefix: string, counts: Readonly<Record<string, number>>): Figures {
  const entries = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, count]) => [`${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`, count]));
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sumOf(values) / values.length;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
