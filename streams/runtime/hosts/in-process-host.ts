/**
 * Runs threads in virtual time: deliver what is due, step everybody until a full round moves nothing, then go on to the next
 * due time. Nothing depends on how fast this machine is, so the same input gives the same bytes.
 */
import assert from "node:assert/strict";
import { INSTANT_ROUNDS_MAX, turnOfLoop } from "../defaults.ts";
import type { StreamThread } from "../thread.ts";

/** Something beside the threads that has things to do at known times: a world, a fault plan, upkeep. */
export interface VirtualActor {
  /** At or before the present: now. Infinity: nothing, unless something happens. */
  nextDueAt(): number;
  /** Does what is due; afterwards `nextDueAt` lies ahead, or there is more to do now. */
  run(now: number): void | Promise<void>;
}

/** Milliseconds since the epoch, moved by `runVirtual` alone. */
export class VirtualClock {
  #now: number;

  constructor(startAt: number) {
    this.#now = startAt;
  }

  readonly now = (): number => this.#now;

  advanceTo(time: number): void {
    assert(time >= this.#now, "time does not go back");
    this.#now = time;
  }
}

export interface VirtualRun {
  readonly threads: readonly StreamThread[];
  /** Run in this order before the threads of each round. */
  readonly actors?: readonly VirtualActor[];
  readonly clock: VirtualClock;
  /** The last instant that is worked through; it ends earlier when nothing is due any more. */
  readonly until: number;
  /** Asked between instants: true ends the run. */
  readonly done?: () => boolean;
}

/** Leaves the clock at the last instant that had something to do. Rejects with the error of a thread that failed. */
export async function runVirtual(run: VirtualRun): Promise<void> {
  const { clock, actors = [], until, done } = run;
  for (;;) {
    const threadsDueAt = await workInstant(run);
    if (done?.() === true) return;
    const next = Math.min(threadsDueAt, ...actors.map((actor) => actor.nextDueAt()));
    if (next > until || next === Infinity) return;
    clock.advanceTo(Math.max(next, clock.now()));
  }
}

/** Rounds until one moves nothing. Answers when a thread is due next. */
async function workInstant({ threads, actors = [], clock }: VirtualRun): Promise<number> {
  const now = clock.now();
  let waited = false;
  for (let rounds = 0; ; rounds++) {
    assert(rounds < INSTANT_ROUNDS_MAX, `virtual time stands at ${now}: after ${rounds} rounds there is still something to do`);
    let moved = false;
    for (const actor of actors) {
      if (actor.nextDueAt() > now) continue;
      moved = true;
      await actor.run(now);
    }
    let pending = false;
    let dueAt = Infinity;
    for (const thread of threads) {
      const result = thread.step(now);
      if (thread.state === "failed") throw thread.error ?? new Error("a stream thread failed");
      moved ||= result.worked;
      pending ||= result.pending;
      dueAt = Math.min(dueAt, result.nextDueAt);
    }
    if (moved) waited = false;
    else if (!pending) return dueAt;
    else if (!waited) {
      // What is under way ends within a turn of the event loop, or it waits for virtual time to go on.
      waited = true;
      await turnOfLoop();
    } else if (Math.min(dueAt, ...actors.map((actor) => actor.nextDueAt())) === Infinity) {
      // Time will not go on: it is waited for, whatever it takes.
      await Promise.all(threads.map((thread) => thread.settled()));
    } else return dueAt;
  }
}
