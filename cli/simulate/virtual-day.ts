/** A whole application in virtual time: deliver what is due, step everything until nothing moves, advance to the next due time. */
import { createStreamThread, splitTasks, STREAM_THREAD_DEFAULTS, silentLogger, topicConfigs, type AbandonableStreamThread } from "#streams";
import type { DispatchTopics } from "#topologies";
import type { World } from "#world";
import { APPLICATION_ID } from "../system/dispatch-topology.ts";
import type { System } from "../system/open-system.ts";
import { WorldFeed, type WorldFeedOptions } from "./world-feed.ts";

export interface VirtualDayOptions {
  readonly system: System;
  readonly world: World;
  readonly startsAt: number;
  /** The day is over at this time at the latest. */
  readonly endsAt: number;
  readonly inputEndsAt?: number;
  readonly onDecision?: WorldFeedOptions["onDecision"];
  /** All jobs that will ever be have ended: asked when nothing moves any more. */
  readonly finished: () => boolean;
  readonly onProgress?: (now: number) => void;
}

export interface VirtualDay {
  readonly endedAt: number;
  /** Records of the world. */
  readonly produced: number;
  readonly recordsProcessed: number;
  readonly commits: number;
  readonly deadLetters: number;
}

// In virtual time a step has no reason to yield: its clock stands still.
const stoppedClock = (): number => 0;
const roundsMax = 100_000;

/** One thread, freezing off, deterministic: the same world and system give the same bytes. Throws what stops the thread. */
export async function runVirtualDay(options: VirtualDayOptions): Promise<VirtualDay> {
  const { system, world, startsAt, endsAt, finished } = options;
  const { topology, log, disk, topics } = system;
  await log.topics.ensure(topicConfigs(topology, APPLICATION_ID));
  const thread = threadOf(system);
  const feed = new WorldFeed({ log, topics: withPartitions(topics), world, ...pick(options) });
  let now = startsAt;
  try {
    for (;;) {
      await feed.run(now);
      await settle(thread, feed, now);
      if (finished() && world.nextDueAt() === Infinity) break;
      const next = Math.max(now, Math.min(feed.nextDueAt(), thread.step(now).nextDueAt));
      if (next > endsAt) break;
      now = next;
      options.onProgress?.(now);
    }
    await thread.stop();
    if (thread.error !== undefined) throw thread.error;
    const { recordsProcessed, commits, deadLetters } = thread.metrics();
    return { endedAt: now, produced: feed.produced, recordsProcessed, commits, deadLetters };
  } finally {
    await feed.close();
    void disk;
  }
}

/** Steps until a full round moves nothing: no record, no commit, no decision that the world has not heard. */
async function settle(thread: AbandonableStreamThread, feed: WorldFeed, now: number): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const { worked, pending } = thread.step(now);
    if (thread.error !== undefined) throw thread.error;
    if (pending) await thread.settled();
    const heard = feed.observe();
    if (heard && feed.nextDueAt() <= now) await feed.run(now);
    if (!worked && !pending && !heard) return;
  }
  throw new Error(`virtual time stands still at ${new Date(now).toISOString()}: ${roundsMax} rounds moved something each`);
}

function threadOf({ topology, log, disk }: System): AbandonableStreamThread {
  const [assignment] = splitTasks(topology, 1);
  if (assignment === undefined) throw new Error("a topology without tasks");
  return createStreamThread({
    config: { ...STREAM_THREAD_DEFAULTS, applicationId: APPLICATION_ID, instanceId: "virtual", thread: 0, commitIntervalMs: 20 },
    dependencies: { topology, log, disk, stepClock: stoppedClock, logger: silentLogger },
    assignment,
  });
}

function withPartitions(topics: DispatchTopics): DispatchTopics {
  return topics;
}

function pick({ inputEndsAt, onDecision }: VirtualDayOptions): Pick<WorldFeedOptions, "inputEndsAt" | "onDecision"> {
  return { ...(inputEndsAt === undefined ? {} : { inputEndsAt }), ...(onDecision === undefined ? {} : { onDecision }) };
}
