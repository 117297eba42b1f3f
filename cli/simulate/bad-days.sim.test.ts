/**
 * A whole city on a bad day: the application and its world as the simulate command runs them, while commits are delayed, fail
 * and stay unknown, writers cannot be opened, and all threads and the world die at random moments. In the end everything that
 * the proofs know has to hold, and what became of each job is what becomes of it on a good day.
 */
import { expect, test } from "vitest";
import { openApplication, COMMIT_AT_ONCE, DelayingLog, seededPlan, type CommitFate } from "#streams/testing";
import { defaultPolicy } from "#topologies";
import { cityConfig, cityWorldId, createCityWorld, WORLD_DEFAULTS, type World, type WorldClient } from "#world";
import { checkEvents } from "../proof/check-events.ts";
import { prove } from "../proof/prove.ts";
import { readTopic } from "../proof/read-topic.ts";
import { checkStateFold } from "../proof/state-fold.ts";
import { APPLICATION_ID } from "../system/dispatch-topology.ts";
import { openSystem } from "../system/open-system.ts";
import { openWorld } from "../world/open-world.ts";
import { lastOrders } from "./last-orders.ts";
import { OpenJobs } from "./open-jobs.ts";

const MINUTE_MS = 60_000;
const ASKING_MINUTES = 6;
/** Commits with a fate; the rest of the day is a good one, so that everything comes to its end. */
const FATEFUL_COMMITS = 2_000;
const startsAt = WORLD_DEFAULTS.dayStartsAt;
const asksUntil = startsAt + ASKING_MINUTES * MINUTE_MS;
const endsAt = asksUntil + 3 * 60 * MINUTE_MS;
const config = cityConfig({ seed: 11, radiusMetres: 2_000, drivers: 14, ordersPerMinute: 3, ridesPerMinute: 1, gpsEveryMs: 10_000 });

interface BadDay {
  readonly seed: number;
  /** Share of commits that fail or stay unknown. */
  readonly trouble: number;
  /** How often everything dies. */
  readonly deaths: number;
}

interface Faults {
  commits: number;
  troubles: number;
  aborts: number;
}

/** Jobs by what became of them. */
async function live({ seed, trouble, deaths }: BadDay): Promise<{ readonly ends: ReadonlyMap<string, string>; readonly faults: Faults }> {
  await using system = await openSystem({ directory: "", kind: "memory", durability: "process", partitions: 2, policy: defaultPolicy });
  let over = false;
  const faults: Faults = { commits: 0, troubles: 0, aborts: 0 };
  const fateOf = seededPlan(seed, { trouble, delayMsMax: 150 });
  const plan = (commit: number): CommitFate => {
    const fate = over || trouble === 0 || commit >= FATEFUL_COMMITS ? COMMIT_AT_ONCE : fateOf(commit);
    faults.commits++;
    if (fate.kind !== "commit" && fate.kind !== "late-answer") faults.troubles++;
    return fate;
  };
  const application = await openApplication({
    topology: system.topology,
    applicationId: APPLICATION_ID,
    threads: 2,
    startAt: startsAt,
    disk: system.disk,
    log: system.log,
    wrapLog: (log, clock) =>
      new DelayingLog(log, {
        plan,
        now: clock.now,
        initializeFails: (writer) => !over && trouble > 0 && writer % 7 === 3 && faults.commits < FATEFUL_COMMITS,
      }),
  });
  const { clock } = application;
  const world = (): World => lastOrders(createCityWorld({ config, origin: startsAt }), asksUntil);
  const openClient = (): Promise<WorldClient> => openWorld({ system, worldId: cityWorldId(config), create: world });
  let client = await openClient();
  await using jobs = new OpenJobs(system.log, system.topics);
  let heard = -1;
  const actor = {
    nextDueAt: () => (system.log.version() === heard ? Math.ceil(client.nextDueAt() / 250) * 250 : -Infinity),
    async run(now: number) {
      heard = system.log.version();
      client.step(now);
      await client.flush();
      jobs.read();
    },
  };
  const died = (): void => {
    faults.aborts += application.metrics().reduce((sum, { aborts }) => sum + aborts, 0);
  };
  const done = (): boolean => clock.now() > asksUntil && jobs.open === 0 && system.log.version() === heard;
  for (let death = 1; death <= deaths; death++) {
    const at = startsAt + Math.floor((death / (deaths + 1)) * 15 * MINUTE_MS) + ((seed * 7_919 + death * 104_729) % 5_000);
    await application.run(at, [actor], done);
    died();
    application.crash();
    if (death % 3 !== 0) continue;
    await client[Symbol.asyncDispose]();
    client = await openClient();
    heard = -1;
  }
  await application.run(endsAt, [actor], done);
  // The last trip has ended; what follows from it may wait for its turn to be tried again.
  over = true;
  await application.run(clock.now() + MINUTE_MS, [actor]);
  died();
  await application.stop();
  await client[Symbol.asyncDispose]();

  expect(jobs.open).toBe(0);
  const verdicts = await prove(system.log, system.topics, { quiescent: true });
  expect(verdicts.flatMap(({ violations }) => violations)).toEqual([]);
  expect((await checkEvents(system)).violations).toEqual([]);
  expect((await checkStateFold(system)).violations).toEqual([]);
  const ends = new Map<string, string>();
  for await (const { value } of readTopic(system.log, system.topics.trips)) ends.set(value.jobId, value.state);
  return { ends, faults };
}

let goodDay: ReturnType<typeof live> | undefined;

test.for([
  { seed: 1, trouble: 0.1, deaths: 4 },
  { seed: 2, trouble: 0.35, deaths: 9 },
])("whatever becomes of commits, threads and world, all jobs end as on a good day: seed $seed", { timeout: 60_000 }, async (day) => {
  const good = await (goodDay ??= live({ seed: 0, trouble: 0, deaths: 0 }));
  const bad = await live(day);
  expect(good.ends.size).toBeGreaterThan(10);
  expect([...new Set(good.ends.values())]).toEqual(["completed"]);
  expect(bad.faults.troubles).toBeGreaterThan(100);
  expect(bad.faults.aborts).toBeGreaterThan(100);
  expect(bad.ends).toEqual(good.ends);
});
