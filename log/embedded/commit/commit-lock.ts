/**
 * The lock under which offsets are given. It lives in shared memory and names its holder, so that the owner of the log can
 * take it back from a thread that died: the next holder then reads the bounds from the disk before it goes on.
 *
 *     free ──acquire──▶ held by thread N ──release──▶ free
 *                            │ N died, or a write failed half way
 *                            ▼
 *                       abandoned ──acquire, recover──▶ held by thread M
 */
import { LOCK_ATTEMPTS_MAX, LOCK_SLEEP_MS, keepLoopAlive } from "../defaults.ts";
import type { SharedControl } from "../shared-control.ts";

const FREE = 0;
const ABANDONED = -1;

export interface CommitLockOptions {
  readonly control: SharedControl;
  /** Of worker_threads; 0 is the main thread. */
  readonly threadId: number;
  /** Reads what the lock protects anew; runs inside the lock when the holder before did not end in order. */
  readonly recover: () => void;
}

/** Thrown out of `run`'s work to say that what the lock protects may be half done; the original error is its cause. */
export class HalfDone extends Error {
  constructor(cause: unknown) {
    super("half done", { cause });
  }
}

export class CommitLock {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #index: number;
  readonly #me: number;
  readonly #recover: () => void;

  constructor(options: CommitLockOptions) {
    this.#words = options.control.words;
    this.#index = options.control.lockIndex;
    this.#me = options.threadId + 1;
    this.#recover = options.recover;
  }

  /**
   * Runs `work` inside the lock: at once and synchronously as a rule, else as soon as the lock is free. It sleeps only for a
   * moment, because the main thread must turn its event loop to learn that the holder died. `work` does not wait for anything.
   */
  run<T>(work: () => T): T | Promise<T> {
    for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt++) {
      if (this.#tryAcquire()) return this.#hold(work);
      const holder = Atomics.load(this.#words, this.#index);
      if (holder === FREE || holder === ABANDONED) continue;
      if (Atomics.wait(this.#words, this.#index, holder, LOCK_SLEEP_MS) === "timed-out") break;
    }
    return this.#runLater(work);
  }

  /** The thread has exited: if it held the lock, the next holder recovers. Called by the owner of the log. */
  releaseThread(threadId: number): void {
    Atomics.compareExchange(this.#words, this.#index, threadId + 1, ABANDONED);
    // In any case: it may have freed the lock and died before it could wake anybody.
    this.#wake();
  }

  async #runLater<T>(work: () => T): Promise<T> {
    // Waiting for shared memory does not keep an event loop alive: a thread with nothing else to do would exit.
    const release = keepLoopAlive();
    try {
      while (!this.#tryAcquire()) {
        const holder = Atomics.load(this.#words, this.#index);
        if (holder === FREE || holder === ABANDONED) continue;
        const waiting = Atomics.waitAsync(this.#words, this.#index, holder);
        if (waiting.async) await waiting.value;
      }
    } finally {
      release();
    }
    return this.#hold(work);
  }

  #tryAcquire(): boolean {
    const words = this.#words;
    const before = Atomics.compareExchange(words, this.#index, FREE, this.#me);
    if (before === FREE) return true;
    if (before !== ABANDONED || Atomics.compareExchange(words, this.#index, ABANDONED, this.#me) !== ABANDONED) return false;
    try {
      this.#recover();
    } catch (error) {
      this.#release(ABANDONED);
      throw error;
    }
    return true;
  }

  #hold<T>(work: () => T): T {
    let after = FREE;
    try {
      return work();
    } catch (error) {
      if (!(error instanceof HalfDone)) throw error;
      after = ABANDONED;
      throw error.cause;
    } finally {
      this.#release(after);
    }
  }

  #release(after: number): void {
    Atomics.store(this.#words, this.#index, after);
    this.#wake();
  }

  /** Everybody: the first sleeper may be a thread that is busy or gone, and the lock would lie idle. */
  #wake(): void {
    Atomics.notify(this.#words, this.#index);
  }
}
