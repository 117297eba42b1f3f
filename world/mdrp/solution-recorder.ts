/** Writes down what couriers really did, in the three solution files of the public instances. */
import type { CourierJournal, JobFacts, Place } from "../courier/courier-rules.ts";
import { compareIds } from "../courier/drop-sequence.ts";
import { WORLD_DEFAULTS } from "../defaults.ts";
import type { MdrpInstance } from "./instance.ts";

interface Move {
  readonly minute: number;
  readonly from: string;
  readonly to: string;
}
interface Bundle {
  readonly assigned: number;
  readonly pickup: number;
  readonly courier: string;
  readonly orders: readonly string[];
}
interface Delivery {
  readonly courier: string;
  readonly pickup: number;
  drop: number | undefined;
}

export interface SolutionRecorderOptions {
  readonly instance: MdrpInstance;
  /** Minute 0 of the day; default 2026-01-01T00:00:00Z. */
  readonly startsAt?: number;
}

/** Give it to the world as its journal. Bounded by the instance: a line an order, two moves an order. */
export class SolutionRecorder implements CourierJournal {
  readonly #instance: MdrpInstance;
  readonly #startsAt: number;
  readonly #bundles: Bundle[] = [];
  readonly #deliveries = new Map<string, Delivery>();
  readonly #moves = new Map<string, Move[]>();

  constructor({ instance, startsAt = WORLD_DEFAULTS.dayStartsAt }: SolutionRecorderOptions) {
    this.#instance = instance;
    this.#startsAt = startsAt;
  }

  moved(driverId: string, departedAt: number, from: Place, to: Place): void {
    const move = { minute: this.#minute(departedAt), from: from.id, to: to.id };
    const own = this.#moves.get(driverId);
    if (own === undefined) this.#moves.set(driverId, [move]);
    else own.push(move);
  }

  pickedUp(driverId: string, at: number, assignedAt: number, jobs: readonly JobFacts[]): void {
    const pickup = this.#minute(at);
    this.#bundles.push({ assigned: this.#minute(assignedAt), pickup, courier: driverId, orders: jobs.map((job) => job.jobId) });
    for (const { jobId } of jobs) this.#deliveries.set(jobId, { courier: driverId, pickup, drop: undefined });
  }

  droppedOff(_: string, at: number, job: JobFacts): void {
    const delivery = this.#deliveries.get(job.jobId);
    if (delivery !== undefined) delivery.drop = this.#minute(at);
  }

  /**
   * Text by file name. Orders and couriers in the order of the instance, bundles by (assignment, pickup, courier). Orders still
   * on board count as undelivered: ask when the day is over.
   */
  files(): Readonly<Record<"solution_info_assignments.txt" | "solution_info_orders.txt" | "solution_info_couriers.txt", string>> {
    const bundles = this.#bundles.toSorted((a, b) => a.assigned - b.assigned || a.pickup - b.pickup || compareIds(a.courier, b.courier));
    const assignments = bundles.map(({ assigned, pickup, courier, orders }) => [assigned, pickup, courier, ...orders]);
    const orders = this.#instance.orders.map(({ id, placementTime, readyTime }) => {
      const { pickup, drop, courier } = this.#deliveries.get(id) ?? {};
      return drop === undefined ? [id, placementTime, readyTime, "", "", ""] : [id, placementTime, readyTime, pickup, drop, courier];
    });
    const moves = this.#instance.couriers.flatMap(({ id }) =>
      (this.#moves.get(id) ?? []).map(({ minute, from, to }) => [id, minute, from, to]),
    );
    return {
      "solution_info_assignments.txt": text("assignment_time pickup_time courier orders", assignments),
      "solution_info_orders.txt": text("order placement_time ready_time pickup_time dropoff_time courier", orders),
      "solution_info_couriers.txt": text("courier departure_time origin destination", moves),
    };
  }

  #minute(at: number): number {
    return Math.floor((at - this.#startsAt) / 60_000);
  }
}

function text(header: string, rows: readonly (readonly (string | number | undefined)[])[]): string {
  return [header, ...rows.map((row) => row.join(" "))].map((line) => `${line}\n`).join("");
}
