/**
 * Who uses a database, in memory that all threads share: a state word and one slot per attached thread. Every call of every
 * thread looks at the state first, because a call on a closed database ends the process.
 *
 *     open → closing (nobody attaches any more; attached threads go on) → closed (nobody calls any more)
 */
import { setTimeout as sleep } from "node:timers/promises";

/** Threads that can be attached at once. */
export const USERS_MAX = 64;

const STATE = 0;
const FIRST_SLOT = 1;
const OPEN = 0;
const CLOSING = 1;
const CLOSED = 2;
const POLL_MS_MAX = 20;

/** The main thread's id is 0, and 0 is a free slot. */
const slotValue = (threadId: number): number => threadId + 1;

export class SharedUsers {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer((FIRST_SLOT + USERS_MAX) * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  get closed(): boolean {
    return Atomics.load(this.#words, STATE) === CLOSED;
  }

  /** Takes a slot; undefined when the database is closing, `full` when there is none left. */
  attach(threadId: number): number | "full" | undefined {
    for (let slot = 0; slot < USERS_MAX; slot++) {
      if (Atomics.compareExchange(this.#words, FIRST_SLOT + slot, 0, slotValue(threadId)) !== 0) continue;
      // The slot is taken first: a closing that this does not see has not counted the slots yet.
      if (Atomics.load(this.#words, STATE) === OPEN) return slot;
      Atomics.store(this.#words, FIRST_SLOT + slot, 0);
      return undefined;
    }
    return "full";
  }

  detach(slot: number, threadId: number): void {
    Atomics.compareExchange(this.#words, FIRST_SLOT + slot, slotValue(threadId), 0);
  }

  /** All slots of a thread that has exited, however it went. */
  release(threadId: number): void {
    for (let slot = 0; slot < USERS_MAX; slot++) this.detach(slot, threadId);
  }

  /** Ids of the threads that are attached. */
  users(): readonly number[] {
    const ids: number[] = [];
    for (let slot = 0; slot < USERS_MAX; slot++) {
      const value = Atomics.load(this.#words, FIRST_SLOT + slot);
      if (value !== 0) ids.push(value - 1);
    }
    return ids;
  }

  startClosing(): void {
    Atomics.compareExchange(this.#words, STATE, OPEN, CLOSING);
  }

  /** Closing failed: the threads that are still there go on. */
  reopen(): void {
    Atomics.compareExchange(this.#words, STATE, CLOSING, OPEN);
  }

  setClosed(): void {
    Atomics.store(this.#words, STATE, CLOSED);
  }

  /** True when nobody is attached any more, false when somebody still is after `waitMsMax`. */
  async allGone(waitMsMax: number): Promise<boolean> {
    const deadline = performance.now() + waitMsMax;
    for (let pause = 1; this.users().length > 0; pause = Math.min(pause * 2, POLL_MS_MAX)) {
      if (performance.now() >= deadline) return false;
      await sleep(pause);
    }
    return true;
  }
}
