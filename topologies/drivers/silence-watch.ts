/**
 * Who has not sent a location for too long. Lazy: a driver is watched from the start of duty, and looked at only when his
 * time is over; if he was heard of meanwhile, he is looked at again when the new time is over.
 *
 * The wall clock alone does not prove silence: after an outage, or while the task lags, the locations are there and wait to be
 * read. So a driver is silent only if the task has read past his time, or has found nothing to read for a whole TTL.
 */
import type { PriorityQueueStore } from "#state";
import type { DriverWhereabouts } from "./driver.ts";

/** How often the watch looks. */
export const SILENCE_CHECK_MS = 1_000;
/** Drivers looked at in one go; the rest has to wait for the next one. */
const LOOKS_MAX = 10_000;

export interface WatchContext {
  whereabouts(driverId: string): DriverWhereabouts | undefined;
  /** 0: never silent. */
  ttlMs(whereabouts: DriverWhereabouts): number;
  streamTime(): number;
  silent(driverId: string, at: number): void;
}

export class SilenceWatch {
  readonly #queue: PriorityQueueStore<string>;
  readonly #context: WatchContext;
  #quietSince: number | undefined;
  #read = 0;
  #readBefore = 0;

  constructor(queue: PriorityQueueStore<string>, context: WatchContext) {
    this.#queue = queue;
    this.#context = context;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** The task has read another record. */
  heard(): void {
    this.#read++;
  }

  watch(driverId: string, whereabouts: DriverWhereabouts): void {
    const ttlMs = this.#context.ttlMs(whereabouts);
    if (ttlMs > 0 && this.#queue.get(driverId) === undefined) this.#queue.put(driverId, whereabouts.seenAt + ttlMs, "");
  }

  forget(driverId: string): void {
    this.#queue.delete(driverId);
  }

  /** Called by the wall clock. */
  check(now: number): void {
    if (this.#quietSince === undefined || this.#read !== this.#readBefore) this.#quietSince = now;
    this.#readBefore = this.#read;
    // While there is something to read, only what was read past can prove silence: to look at others would be of no use.
    const until = this.#quietSince === now ? Math.min(now, this.#context.streamTime()) : now;
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const first = this.#queue.peek();
      if (first === undefined || first.priority > until) return;
      this.#look(first.id, first.priority, now);
    }
  }

  #look(driverId: string, lookedAt: number, now: number): void {
    const whereabouts = this.#context.whereabouts(driverId);
    const ttlMs = whereabouts === undefined ? 0 : this.#context.ttlMs(whereabouts);
    if (whereabouts?.duty !== "on" || ttlMs === 0) return this.#queue.delete(driverId);
    const due = whereabouts.seenAt + ttlMs;
    if (due > lookedAt) return this.#queue.put(driverId, due, "");
    const quietUntil = (this.#quietSince ?? now) + ttlMs;
    if (this.#context.streamTime() < due && now < quietUntil) return this.#queue.put(driverId, Math.max(now + 1, quietUntil), "");
    this.#queue.delete(driverId);
    this.#context.silent(driverId, now);
  }
}
