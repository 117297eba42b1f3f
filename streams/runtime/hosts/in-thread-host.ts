/** Runs one stream thread on the event loop of the thread it is in, in real time: of the main thread, or of a worker. */
import type { Log } from "#log";
import { IDLE_WAIT_MS_MAX, turnOfLoop, type HostClock } from "../defaults.ts";
import type { HostedThread } from "./hosted-thread.ts";
import type { AbandonableStreamThread } from "../stream-thread.ts";
import type { StreamThreadState, ThreadMetrics } from "../thread.ts";

export interface InThreadHostOptions {
  readonly number: number;
  readonly thread: AbandonableStreamThread;
  readonly log: Log;
  readonly clock: HostClock;
  /** Told of every change. */
  readonly onState?: (state: StreamThreadState) => void;
}

/** Begins at once. */
export class InThreadHost implements HostedThread {
  readonly thread: number;
  readonly ended: Promise<Error | undefined>;
  readonly running: Promise<void>;
  readonly #options: InThreadHostOptions;
  #wake: () => void = () => {};
  #runs: () => void = () => {};
  #stateTold: StreamThreadState = "created";

  constructor(options: InThreadHostOptions) {
    this.#options = options;
    this.thread = options.number;
    this.running = new Promise((resolve) => {
      this.#runs = resolve;
    });
    this.ended = this.#run();
  }

  get state(): StreamThreadState {
    return this.#options.thread.state;
  }

  metrics(): Promise<ThreadMetrics> {
    return Promise.resolve(this.#options.thread.metrics());
  }

  stop(): void {
    void this.#options.thread.stop().finally(() => this.#wake());
    this.#wake();
  }

  abandon(): void {
    this.#options.thread.abandon();
    this.#wake();
  }

  setPaused(paused: boolean): void {
    this.#options.thread.paused = paused;
    this.#wake();
  }

  async #run(): Promise<Error | undefined> {
    const { thread, log, clock } = this.#options;
    while (isAlive(thread.state)) {
      const version = log.version();
      const now = clock.now();
      const { worked, pending, nextDueAt } = thread.step(now);
      this.#tell();
      const waitMs = Math.min(IDLE_WAIT_MS_MAX, nextDueAt - now);
      if (worked || waitMs <= 0) await turnOfLoop();
      else await this.#wait(waitMs, pending ? [log.changed(version), thread.settled()] : [log.changed(version)]);
    }
    // Stopping may still be under way; a thread that failed lets go of what it held.
    await thread.stop();
    this.#tell();
    this.#runs();
    return thread.error;
  }

  #tell(): void {
    const { state } = this.#options.thread;
    if (state === this.#stateTold) return;
    this.#stateTold = state;
    if (state === "running") this.#runs();
    this.#options.onState?.(state);
  }

  /** A new promise each time: reactions on one that lives as long as the host would pile up. */
  async #wait(ms: number, reasons: readonly Promise<void>[]): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    for (const reason of reasons) void reason.then(this.#wake, this.#wake);
    await this.#options.clock.sleep(ms, woken);
  }
}

function isAlive(state: StreamThreadState): boolean {
  return state === "created" || state === "starting" || state === "running";
}
