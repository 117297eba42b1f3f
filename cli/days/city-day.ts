/** A whole city with people and devices as they are: declines, silence, early ends, cancellations, lies; D1 to D6 over all of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareRuns, type RawRecord, type TopicPair } from "#proof";
import type { ZonePolicy } from "#schemas";
import { defaultPolicy } from "#topologies";
import { cityConfig, type CityHabits } from "#world";
import { checkStateFold } from "../proof/state-fold.ts";
import { byTask, proposalsIn, replayMatching, surgesIn } from "../simulate/replay-matching.ts";
import { simulateCity } from "../simulate/simulate-city.ts";
import type { System } from "../system/open-system.ts";
import { digestTopics } from "./digest-topics.ts";

/** Plain JSON, so that another process can play it. */
export interface CityDayJob {
  readonly seed: number;
  readonly minutes: number;
  readonly drivers: number;
  readonly orders: number;
  readonly rides: number;
  readonly gpsEveryMs: number;
  readonly policy: string;
  /** Partitions of each topic. */
  readonly partitions: number;
  readonly zone?: Partial<ZonePolicy>;
  readonly habits?: Partial<CityHabits>;
  /** Its log lies in a folder of its own while it is played, and not in memory: for days of millions of records. Default false. */
  readonly onDisk?: boolean;
}

export interface CityDay {
  readonly ok: boolean;
  /** What is wrong, a sentence each. */
  readonly broken: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
  /** Over all topics and partitions, bytes, times and offsets: equal for equal days. */
  readonly digest: string;
}

/** Couriers decline about 13 % of what they are offered (Meituan, public challenge data); the rest is chosen. */
export const BUSY_HABITS: CityHabits = {
  declineProbability: 0.13,
  missProbability: 0.03,
  silenceProbability: 0.05,
  earlyEndProbability: 0.1,
  cancelProbability: 0.03,
  lieProbability: 0.002,
};

/** Virtual steps of a second: devices report at any millisecond of it, and their records keep their times. */
const quantumMs = 1_000;
const offerSeconds = 30;
const BYTES_PER_MB = 1_024 * 1_024;
/** Memory is looked at so often, at equal distances of virtual time: what grows without a bound shows. */
const RESIDENT_LOOKS = 4;
/** Of decisions out of their order. */
const LATE_TOLD = 10;

export async function playCityDay(job: CityDayJob): Promise<CityDay> {
  if (job.onDisk !== true) return playIn("", job);
  const directory = await mkdtemp(join(tmpdir(), "slackline-city-"));
  try {
    return await playIn(directory, job);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function playIn(directory: string, job: CityDayJob): Promise<CityDay> {
  const { seed, minutes, drivers, orders, rides, gpsEveryMs, policy, partitions } = job;
  const config = cityConfig({
    seed,
    drivers,
    ordersPerMinute: orders / minutes,
    ridesPerMinute: rides / minutes,
    gpsEveryMs,
    habits: { ...BUSY_HABITS, ...job.habits },
  });
  const zone = { offerSeconds, ...job.zone };
  const broken: string[] = [];
  let checked = 0;
  let digest = "";
  const inspect = async (system: System): Promise<void> => {
    const fold = await checkStateFold(system);
    broken.push(...fold.violations);
    checked += fold.checked;
    const late: string[] = [];
    const replayed = await replayMatchingOf(system, { ...defaultPolicy, ...zone, policy }, late);
    broken.push(...late.slice(0, LATE_TOLD), ...replayed.violations.map((sentence) => `D6: ${sentence}`));
    if (replayed.checked === 0) broken.push("D6: there were no proposals to replay");
    checked += replayed.checked;
    digest = await digestTopics(system.log);
  };
  const resident: number[] = [];
  const onProgress = (minute: number): void => {
    if ((minute * RESIDENT_LOOKS) / minutes >= resident.length + 1) resident.push(Math.round(process.memoryUsage.rss() / BYTES_PER_MB));
  };
  const day = await simulateCity({ config, policy, minutes, zone, partitions, quantumMs, directory, onProgress, inspect });
  for (const { invariant, violations } of day.verdicts) broken.push(...violations.map((sentence) => `${invariant}: ${sentence}`));
  if (!day.day.quiescent) broken.push("not every job has ended");
  if (day.day.deadLetters > 0) broken.push(`${day.day.deadLetters} dead letters`);
  const counts = {
    checked: checked + day.verdicts.reduce((sum, verdict) => sum + verdict.checked, 0),
    records: day.day.produced,
    processed: day.day.recordsProcessed,
    commits: day.day.commits,
    refused: Object.values(day.refusals).reduce((sum, count) => sum + count, 0),
    daySeconds: Math.round(day.daySeconds),
    wallSeconds: Math.round(day.wallSeconds),
    ...Object.fromEntries(resident.map((mb, index) => [`residentMbAt${((index + 1) * 100) / RESIDENT_LOOKS}Percent`, mb])),
    residentMbMax: Math.round(process.resourceUsage().maxRSS / 1_024),
    cells: day.cells.length,
    busiestCellJobsWaiting: Math.max(0, ...day.cells.map(({ jobsWaitingMax }) => jobsWaitingMax)),
  };
  return { ok: broken.length === 0, broken, figures: { ...day.figures, ...counts, ...day.refusals }, digest };
}

/**
 * Matching alone on its recorded input decides the same, byte for byte: all cells of a task in their order, and their surge. Over
 * all tasks the recorded decisions lie in the order of virtual time: `late` gets those that do not.
 */
async function replayMatchingOf(system: System, policy: ZonePolicy, late: string[]) {
  const { log, topics, partitions } = system;
  const again = await replayMatching({ recorded: log, partitions, policy });
  const pair = (
    topic: typeof topics.driverCommands | typeof topics.jobUpdates,
    recorded: AsyncIterable<RawRecord>,
    replayed: readonly RawRecord[],
  ): TopicPair => ({
    topic: topic.name,
    first: byTask(inOrderOfTime(recorded, topic.name, late), topic, partitions),
    second: byTask(replayed, topic, partitions),
  });
  const pairs = [
    pair(topics.driverCommands, proposalsIn(system), again.proposals),
    pair(topics.jobUpdates, surgesIn(system), again.surges),
  ];
  return compareRuns(pairs, { offsets: false });
}

/** Passes on what it gets, partition after partition. A tick is decided at its own instant, so no decision lies behind a later one. */
async function* inOrderOfTime(decisions: AsyncIterable<RawRecord>, topic: string, late: string[]): AsyncGenerator<RawRecord> {
  const newest = new Map<number, number>();
  for await (const decision of decisions) {
    const { partition, offset, timestamp } = decision;
    const before = newest.get(partition) ?? -Infinity;
    if (timestamp < before) late.push(`D6: ${topic}-${partition}@${offset} was decided at ${timestamp}, behind a decision of ${before}`);
    newest.set(partition, Math.max(before, timestamp));
    yield decision;
  }
}
