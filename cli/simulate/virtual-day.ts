/** A whole application in virtual time: one thread, its world beside it, and nothing that depends on how fast this machine is. */
import { setImmediate } from "node:timers/promises";
import {
  createStreamThread,
  EMBEDDED_COMMIT_INTERVAL_MS,
  runVirtual,
  silentLogger,
  splitTasks,
  STREAM_THREAD_DEFAULTS,
  topicConfigs,
  VirtualClock,
} from "#streams";
import type { World } from "#world";
import { APPLICATION_ID } from "../system/dispatch-topology.ts";
import type { System } from "../system/open-system.ts";
import { openWorld } from "../world/open-world.ts";
import { OpenJobs } from "./open-jobs.ts";

export interface VirtualDayOptions {
  readonly system: System;
  readonly worldId: string;
  readonly world: World;
  readonly startsAt: number;
  /** From here on the day is over as soon as every job has ended; default: when the world has nothing more to do. */
  readonly asksUntil?: number;
  /** The world is looked at in steps of so many milliseconds; its records keep their own times. Default 1. */
  readonly quantumMs?: number;
  /** The day is over at this time at the latest. */
  readonly endsAt: number;
  readonly onProgress?: (now: number) => void;
}

export interface VirtualDay {
  readonly endedAt: number;
  /** Every job that was asked for has ended. */
  readonly quiescent: boolean;
  /** Records of the world. */
  readonly produced: number;
  readonly recordsProcessed: number;
  readonly commits: number;
  readonly deadLetters: number;
}

// In virtual time a step has no reason to yield: its clock stands still.
const stoppedClock = (): number => 0;

/** What the collector found of native objects is freed when the event loop turns: a day that never lets it keeps them all. */
const RUNS_PER_TURN = 256;

/** Deterministic: the same world and the same empty system give the same bytes. Rejects with what stopped the thread. */
export async function runVirtualDay(options: VirtualDayOptions): Promise<VirtualDay> {
  const { system, worldId, world, startsAt, endsAt, asksUntil, quantumMs = 1, onProgress } = options;
  const { topology, log, disk, topics } = system;
  await log.topics.ensure(topicConfigs(topology, APPLICATION_ID));
  const clock = new VirtualClock(startsAt);
  const threads = splitTasks(topology, 1).map((assignment) =>
    createStreamThread({
      config: {
        ...STREAM_THREAD_DEFAULTS,
        applicationId: APPLICATION_ID,
        instanceId: "virtual",
        thread: 0,
        commitIntervalMs: EMBEDDED_COMMIT_INTERVAL_MS,
      },
      dependencies: { topology, log, disk, stepClock: stoppedClock, logger: silentLogger },
      assignment,
    }),
  );
  await using client = await openWorld({ system, worldId, create: () => world });
  await using jobs = new OpenJobs(log, topics);
  let heard = -1;
  let runs = 0;
  const actor = {
    // Something new in the log may be for the world: it looks at once.
    nextDueAt: () => (log.version() === heard ? Math.ceil(client.nextDueAt() / quantumMs) * quantumMs : -Infinity),
    async run(now: number) {
      heard = log.version();
      client.step(now);
      await client.flush();
      jobs.read();
      onProgress?.(now);
      if (++runs % RUNS_PER_TURN === 0) await setImmediate();
    },
  };
  const asking = (): boolean => (asksUntil === undefined ? client.nextDueAt() !== Infinity : clock.now() <= asksUntil);
  const done = (): boolean => !asking() && jobs.open === 0 && log.version() === heard;
  await runVirtual({ threads, actors: [actor], clock, until: endsAt, done });
  await Promise.all(threads.map((thread) => thread.stop()));
  const counts = threads.map((thread) => thread.metrics());
  const sum = (of: (count: (typeof counts)[number]) => number): number => counts.reduce((total, count) => total + of(count), 0);
  return {
    endedAt: clock.now(),
    quiescent: jobs.open === 0,
    produced: client.produced,
    recordsProcessed: sum(({ recordsProcessed }) => recordsProcessed),
    commits: sum(({ commits }) => commits),
    deadLetters: sum(({ deadLetters }) => deadLetters),
  };
}
