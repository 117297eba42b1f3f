/** From the placing of each job until its driver is known to a consumer. */
import type { AssignmentEvent, TripChanged } from "#schemas";

export interface DecisionFigures {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const JOBS_MAX = 100_000;

/** Hears trips and assignments in the order in which a consumer reads them. */
export class DecisionTimes {
  readonly #placed = new Map<string, number>();
  readonly #tookMs: number[] = [];
  /** Assignments may be read before the trip that tells when the job was placed. */
  readonly #early = new Map<string, number>();

  trip({ jobId, state, content }: TripChanged): void {
    if (state !== "open" || content === null || this.#placed.size >= JOBS_MAX) return;
    const seenAt = this.#early.get(jobId);
    this.#placed.set(jobId, content.placedAt);
    if (seenAt === undefined) return;
    this.#early.delete(jobId);
    this.#took(jobId, seenAt);
  }

  assignment(event: AssignmentEvent, seenAt: number): void {
    if (event.type !== "DriverAssigned") return;
    if (this.#placed.has(event.jobId)) this.#took(event.jobId, seenAt);
    else if (event.attempt === 1 && this.#early.size < JOBS_MAX) this.#early.set(event.jobId, seenAt);
  }

  /** `speed`: how much faster than real the clock goes by which it was timed. */
  figures(speed: number): DecisionFigures {
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    const at = (share: number): number => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0) / speed);
    return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }

  #took(jobId: string, seenAt: number): void {
    const placedAt = this.#placed.get(jobId);
    this.#placed.delete(jobId);
    if (placedAt !== undefined && this.#tookMs.length < JOBS_MAX) this.#tookMs.push(seenAt - placedAt);
  }
}
