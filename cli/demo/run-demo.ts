/** The whole system live in one process, on the embedded log or on Kafka: the world produces, the topologies decide, and someone watches. */
import { mkdirSync } from "node:fs";
import type { Verdict } from "#proof";
import {
  Application,
  EMBEDDED_COMMIT_INTERVAL_MS,
  STREAM_THREAD_DEFAULTS,
  topicConfigs,
  type StructuredLogger,
  type ThreadMetrics,
} from "#streams";
import { ScaledClock, systemClock, type WorldClient } from "#world";
import { prove } from "../proof/prove.ts";
import { after } from "../system/end-signals.ts";
import { latestTime } from "../system/latest-time.ts";
import { openSystem, type System, type SystemOptions } from "../system/open-system.ts";
import { openWorld, type OpenWorldOptions } from "../world/open-world.ts";
import { serveSystem, type ServedSystem } from "../system/serve-system.ts";
import type { DemoWorld } from "../world/demo-world.ts";
import { refuseForeignTopics, untilAlone } from "./foreign-topics.ts";
import { Observer } from "../world/observer.ts";
import type { TallySnapshot } from "../world/tally.ts";

export interface DemoOptions {
  readonly system: Omit<SystemOptions, "policy">;
  readonly world: DemoWorld;
  readonly threads: number;
  /** Stores whose rows are deleted, where the folder's state was written by another topology. */
  readonly dropStores: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly logger: StructuredLogger;
  /** Resolves when the demo is to end. */
  readonly until: Promise<void>;
  /** Real seconds that the city lives; undefined: until then. */
  readonly seconds: number | undefined;
  /** About once a second; the first call is the start. */
  readonly onPicture: (picture: DemoPicture) => void;
}

export interface DemoPicture extends TallySnapshot {
  readonly url: string;
  readonly title: string;
  /** `embedded` or `kafka`. */
  readonly log: string;
  readonly disk: string;
  readonly notice: string | undefined;
  readonly speed: number;
  readonly partitions: number;
  /** True when the folder held an earlier run. */
  readonly resumed: boolean;
  readonly virtualSeconds: number;
  /** Records a second into the application, over the last picture. */
  readonly inPerSecond: number;
  readonly lagRecords: number;
}

export interface DemoTotals {
  /** True when the folder held an earlier run. */
  readonly resumed: boolean;
  readonly tally: TallySnapshot;
  readonly produced: number;
  readonly recordsProcessed: number;
  readonly commits: number;
  readonly deadLetters: number;
  readonly seconds: number;
  readonly verdicts: readonly Verdict[];
}

/** Of a log that was told nothing else. */
const SESSION_MS = 10_000;
const pictureIntervalMs = 1_000;
/** The world looks for new decisions and due events at least this often. */
const worldIntervalMs = 20;

/** Rejects with what made the application stop, with DiskError `DISK_LOCKED` where another process lives in the folder. */
export async function runDemo(options: DemoOptions): Promise<DemoTotals> {
  const { world, host, port, logger } = options;
  const { directory, kind } = options.system;
  mkdirSync(directory, { recursive: true });
  await using system = await openSystem({ ...options.system, policy: world.policy });
  const { log, topology, topics } = system;
  await log.topics.ensure(topicConfigs(topology, system.applicationId, log.capabilities));
  const latest = await latestTime(log, [
    topics.orders.name,
    topics.driverEvents.name,
    topics.driverLocations.name,
    topics.trips.name,
    topics.matchingInput.name,
  ]);
  await refuseForeignTopics(system, { hasRecords: latest !== undefined });
  const sessionMs = options.system.kafka?.sessionMsMax ?? SESSION_MS;
  await untilAlone(system, {
    sessionMs,
    onWait: () => logger.warn({ sessionMs }, "an earlier demo is still a member; waiting for its end"),
  });
  const startsAt = latest === undefined ? world.startsAt : latest + 1;
  await using observer = await Observer.open(log, topics);
  const begun = performance.now();
  const time = { startsAt, realStartsAt: Date.now(), speed: world.speed };
  const clock = new ScaledClock({ real: systemClock, ...time });
  const app = application(system, options, time);
  await using served = await serveSystem({
    system,
    directory: kind === "memory" ? undefined : directory,
    // One machine, invented people, and the banner says so.
    access: { kind: "open" },
    host,
    port,
    logger,
    now: () => Math.floor(clock.now()),
    policy: world.policy,
  });
  served.watch(app);
  await app.start();
  try {
    // Behind the start, which takes seconds where a group is to be joined: nobody waits for a driver meanwhile.
    await using client = await openWorld({ system, worldId: world.id, ...beginning(world, latest, clock.now()) });
    const ended = Promise.race([options.until, app.ended, after(options.seconds)]);
    const picture = pictures(options, { system, observer, livesFrom: clock.now(), resumed: latest !== undefined, served, clock });
    await live({ client, observer, clock, ended, picture });
    served.drain();
    await app.stop();
    if (app.error !== undefined) throw app.error;
    await observer.catchUp();
    const counts = await served.counts();
    const sum = (of: (count: ThreadMetrics) => number): number => counts.reduce((total, count) => total + of(count), 0);
    return {
      resumed: latest !== undefined,
      tally: tallyOf(observer, world),
      produced: client.produced,
      recordsProcessed: sum(({ recordsProcessed }) => recordsProcessed),
      commits: sum(({ commits }) => commits),
      deadLetters: sum(({ deadLetters }) => deadLetters),
      seconds: (performance.now() - begun) / 1000,
      // Jobs are under way when the demo stops: what is open stays open.
      verdicts: await prove(log, topics, { quiescent: false }),
    };
  } finally {
    if (app.state === "running") await app.stop();
  }
}

function application(
  system: System,
  { threads, logger, dropStores }: DemoOptions,
  time: { readonly startsAt: number; readonly realStartsAt: number; readonly speed: number },
): Application {
  const { topology, log, disk, applicationId, hosting } = system;
  const alone = log.capabilities.atomicRows;
  const commitIntervalMs = alone ? EMBEDDED_COMMIT_INTERVAL_MS : STREAM_THREAD_DEFAULTS.commitIntervalMs;
  const config = { commitIntervalMs: commitIntervalMs * time.speed, idleCommitMs: STREAM_THREAD_DEFAULTS.idleCommitMs * time.speed };
  // Brokers come back; a folder that failed does not.
  const onThreadFailure = (): "stop" | "replace" => (alone ? "stop" : "replace");
  return new Application({ topology, applicationId, log, disk, threads, config, logger, time, dropStores, onThreadFailure, ...hosting });
}

/** Where the world's time begins: at its first record; without one, now. Time that went by since its last record is not made up for. */
function beginning(world: DemoWorld, latest: number | undefined, now: number): Pick<OpenWorldOptions, "create" | "now"> {
  const create = (origin: number | undefined) => world.create(origin ?? now);
  return latest === undefined ? { create } : { create, now };
}

/** Until the end, or until the world has nothing more to do. */
async function live(run: {
  readonly client: WorldClient;
  readonly observer: Observer;
  readonly clock: ScaledClock;
  readonly ended: Promise<unknown>;
  readonly picture: () => Promise<boolean>;
}): Promise<void> {
  const { client, observer, clock, ended, picture } = run;
  const end = { reached: false };
  void ended.finally(() => {
    end.reached = true;
  });
  let pictureAt = 0;
  while (!end.reached) {
    client.step(clock.now());
    await client.flush();
    observer.read(clock.now());
    if (performance.now() >= pictureAt) {
      pictureAt = performance.now() + pictureIntervalMs;
      const idle = await picture();
      if (idle && client.nextDueAt() === Infinity) return;
    }
    const wait = Math.min(worldIntervalMs, clock.realMsUntil(client.nextDueAt()) || 1);
    await Promise.race([new Promise((resolve) => setTimeout(resolve, wait)), ended]);
  }
}

/** Decisions are timed on the clock of the ticks; whoever waits for one waits in real time. */
function tallyOf({ tally }: Observer, { speed }: DemoWorld): TallySnapshot {
  const snapshot = tally.snapshot();
  return { ...snapshot, decisionP99Ms: snapshot.decisionP99Ms / speed };
}

/** Draws one picture a call; true when no job is under way. */
function pictures(
  { onPicture, world }: DemoOptions,
  parts: {
    readonly system: System;
    readonly observer: Observer;
    readonly livesFrom: number;
    readonly resumed: boolean;
    readonly served: ServedSystem;
    readonly clock: ScaledClock;
  },
): () => Promise<boolean> {
  const { system, observer, livesFrom, resumed, served, clock } = parts;
  let before = { at: performance.now(), records: 0 };
  return async () => {
    const counts = await served.counts();
    const records = counts.reduce((sum, { recordsProcessed }) => sum + recordsProcessed, 0);
    const at = performance.now();
    const inPerSecond = at > before.at ? ((records - before.records) * 1000) / (at - before.at) : 0;
    before = { at, records };
    const tally = tallyOf(observer, world);
    const { kind, notice } = system.disk;
    onPicture({
      ...tally,
      url: served.url,
      title: world.title,
      log: system.log.capabilities.atomicRows ? "embedded" : system.log.name,
      disk: kind,
      notice,
      speed: world.speed,
      partitions: system.partitions,
      resumed,
      virtualSeconds: (clock.now() - livesFrom) / 1000,
      inPerSecond,
      lagRecords: counts.flatMap(({ lag }) => lag).reduce((sum, lag) => sum + lag.records, 0),
    });
    return tally.waiting + tally.assigned === 0 && tally.done > 0;
  };
}
