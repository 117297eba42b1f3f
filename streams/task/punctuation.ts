/** One schedule of a punctuation: when it is due next, and how a gap collapses into one firing on the old grid. */
import assert from "node:assert/strict";
import type { Cancellable } from "../processor.ts";

export interface PunctuationOptions {
  readonly name: string;
  readonly clock: "stream" | "wall";
  readonly intervalMs: number;
}

export class Punctuation implements Cancellable {
  readonly name: string;
  readonly clock: "stream" | "wall";
  readonly callback: (at: number) => void;
  /** The next point of the grid. */
  due: number;
  cancelled = false;
  readonly #intervalMs: number;

  /** Stream time: the grid begins at 0, so that the first record fires. Wall: one interval after `startedAt`. */
  constructor(options: PunctuationOptions, startedAt: number, callback: (at: number) => void) {
    const { name, clock, intervalMs } = options;
    assert(Number.isSafeInteger(intervalMs) && intervalMs > 0, `punctuation ${name}: ${intervalMs} is not a whole number of milliseconds`);
    this.name = name;
    this.clock = clock;
    this.#intervalMs = intervalMs;
    this.callback = callback;
    this.due = clock === "stream" ? 0 : startedAt + intervalMs;
  }

  cancel(): void {
    this.cancelled = true;
  }

  /** To the first point of the grid after `time`; at least one interval on. */
  advance(time: number): void {
    this.due += Math.max(1, Math.floor((time - this.due) / this.#intervalMs) + 1) * this.#intervalMs;
  }
}
