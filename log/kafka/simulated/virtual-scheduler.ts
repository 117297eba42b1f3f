/** One queue of events in virtual time. Of those that are due at once, the seed says which comes first. */
import assert from "node:assert/strict";
import type { Surroundings } from "../defaults.ts";
import { seededRandom } from "./seeded-random.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  readonly number: number;
  act: (() => unknown) | undefined;
}

export class VirtualScheduler implements Surroundings {
  readonly random: () => number;
  readonly #order: () => number;
  /** A binary heap. */
  readonly #heap: Event[] = [];
  #now: number;
  #made = 0;

  constructor(seed: number, startAt: number) {
    this.random = seededRandom(seed);
    this.#order = seededRandom(seed + 0x5bd1);
    this.#now = startAt;
  }

  readonly now = (): number => this.#now;

  /** Whole milliseconds. What returns false says that nothing happened: nobody need look. */
  readonly after = (ms: number, then: () => unknown): (() => void) => {
    const event: Event = { at: this.#now + Math.ceil(Math.max(0, ms)), order: this.#order(), number: this.#made++, act: then };
    this.#push(event);
    return () => {
      event.act = undefined;
    };
  };

  nextDueAt(): number {
    for (let first = this.#heap[0]; first !== undefined && first.act === undefined; first = this.#heap[0]) this.#pop();
    return this.#heap[0]?.at ?? Infinity;
  }

  advanceTo(time: number): void {
    assert(time >= this.#now, "time does not go back");
    this.#now = time;
  }

  /** Runs the next event that is due at the present time and does something. Promises that it settles are the caller's to wait for. */
  runOne(): boolean {
    while (this.nextDueAt() <= this.#now) if (this.#pop()?.act?.() !== false) return true;
    return false;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break; // in bounds
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const [first, last] = [heap[0], heap.pop()];
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1; // in bounds
      if (!isBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Event, other: Event): boolean {
  if (one.at !== other.at) return one.at < other.at;
  return one.order === other.order ? one.number < other.number : one.order < other.order;
}
