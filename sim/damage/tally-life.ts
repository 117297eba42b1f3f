/** One life of the application over a database and a log, in virtual time, until everything has been read and committed. */
import type { Disk } from "#disk";
import type { Log } from "#log";
import type { VirtualScheduler } from "#log/kafka/simulated";
import { createStreamThread, silentLogger, splitTasks, STREAM_THREAD_DEFAULTS } from "#streams";
import type { AbandonableStreamThread, Topology } from "#streams";
import { PARTITIONS, words } from "./tally-topology.ts";

export interface LifeOptions {
  readonly disk: Disk;
  readonly log: Log;
  readonly topology: Topology;
  readonly applicationId: string;
  readonly scheduler: VirtualScheduler;
}

const COMMIT_MS = 20;
/** Longer than a thread tries to commit before it gives up. */
const VIRTUAL_MS_MAX = 15 * 60_000;
/** Turns of the event loop in which nothing moves before time goes on. */
const IDLE_TURNS = 3;

export class TallyLife {
  readonly thread: AbandonableStreamThread;
  readonly #log: Log;
  readonly #applicationId: string;
  readonly #scheduler: VirtualScheduler;

  constructor({ disk, log, topology, applicationId, scheduler }: LifeOptions) {
    this.#applicationId = applicationId;
    this.#log = log;
    this.#scheduler = scheduler;
    this.thread = createStreamThread({
      config: {
        ...STREAM_THREAD_DEFAULTS,
        applicationId,
        instanceId: "damaged",
        thread: 0,
        commitIntervalMs: COMMIT_MS,
        idleCommitMs: COMMIT_MS / 2,
        freeze: true,
        failureRatioMax: 1,
        // What happens at the end of a volume is to be seen, and volumes here are small.
        reserveBytes: 0,
      },
      dependencies: { topology, log, disk, stepClock: () => 0, logger: silentLogger },
      assignment: splitTasks(topology, 1)[0] ?? { generation: 0, tasks: [] },
    });
  }

  /** Until all that is in the topic is committed. Throws what ended the thread. */
  async catchUp(): Promise<void> {
    const { log, thread } = { log: this.#log, thread: this.thread };
    const until = this.#scheduler.now() + VIRTUAL_MS_MAX;
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: words.name, partition }));
    const ends = await this.settle(Promise.all(partitions.map((at) => log.offsets.bound(at, "stable"))));
    for (;;) {
      await this.#instant();
      if (thread.state === "failed") throw thread.error ?? new Error("the thread failed without a reason");
      const committed = await this.settle(log.offsets.committed(this.#applicationId, partitions));
      if (thread.state === "running" && committed.every((each, partition) => (each?.offset ?? 0) >= (ends[partition] ?? 0))) return;
      if (this.#scheduler.now() > until) throw new Error("it does not come to the end of its input");
    }
  }

  /** As an orderly stop. */
  async stop(): Promise<void> {
    await this.settle(this.thread.stop());
    if (this.thread.error !== undefined) throw this.thread.error;
  }

  /** Lets time go on until the promise has settled. */
  settle<T>(promise: Promise<T>): Promise<T> {
    return settleOver(this.#scheduler, promise);
  }

  async #instant(): Promise<void> {
    const { thread } = this;
    const scheduler = this.#scheduler;
    let due = Infinity;
    for (let idle = 0; idle < IDLE_TURNS;) {
      let moved = false;
      while (scheduler.runOne()) moved = true;
      const { worked, nextDueAt } = thread.step(scheduler.now());
      due = nextDueAt;
      await turn();
      idle = moved || worked ? 0 : idle + 1;
      if (thread.state === "failed") return;
    }
    const next = Math.min(due, scheduler.nextDueAt());
    scheduler.advanceTo(Math.max(scheduler.now(), next === Infinity ? scheduler.now() + COMMIT_MS : next));
  }
}

/** Runs what is due, and lets time go on where nothing else moves, until the promise has settled. */
export async function settleOver<T>(scheduler: VirtualScheduler, promise: Promise<T>): Promise<T> {
  const state = { open: true };
  const watched = promise.finally(() => {
    state.open = false;
  });
  watched.catch(() => undefined);
  for (let idle = 0; state.open;) {
    idle = scheduler.runOne() ? 0 : idle + 1;
    await turn();
    if (idle < IDLE_TURNS || !state.open) continue;
    const next = scheduler.nextDueAt();
    if (next !== Infinity) scheduler.advanceTo(Math.max(scheduler.now(), next));
  }
  return watched;
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
