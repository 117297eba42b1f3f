/** No clairvoyance: a day whose input ends at a minute has, up to that minute, the same assignments as the whole day. */
import { MINUTE_MS, readInstance, WORLD_DEFAULTS } from "#world";
import { readTopic } from "../proof/read-topic.ts";
import { simulateMdrp } from "../simulate/simulate-mdrp.ts";
import type { MdrpDayJob } from "./mdrp-day.ts";

export interface ClairvoyanceJob extends MdrpDayJob {
  /** Each in [0, 1): a minute between the first and the last placement. */
  readonly draws: readonly number[];
}

export interface Clairvoyance {
  readonly minutes: readonly number[];
  /** Assignments compared, over all minutes. */
  readonly compared: number;
  /** The first difference of each minute that has one. */
  readonly differences: readonly string[];
}

export async function checkClairvoyance({ draws, ...job }: ClairvoyanceJob): Promise<Clairvoyance> {
  const placements = readInstance(job.data).orders.map(({ placementTime }) => placementTime);
  const first = Math.min(...placements);
  const last = Math.max(...placements);
  const minutes = draws.map((draw) => first + Math.floor(draw * (last - first))).sort((a, b) => a - b);
  const whole = await assignments(job);
  const differences: string[] = [];
  let compared = 0;
  for (const minute of minutes) {
    const expected = upTo(whole, minute);
    const actual = upTo(await assignments(job, minute), minute);
    const at = expected.findIndex((assignment, index) => assignment !== actual[index]);
    compared += expected.length;
    if (at >= 0 || actual.length > expected.length) {
      const index = at >= 0 ? at : expected.length;
      differences.push(
        `minute ${minute}: assignment ${index} is ${actual[index] ?? "missing"}, in the whole day ${expected[index] ?? "none"}`,
      );
    }
  }
  return { minutes, compared, differences };
}

interface Assigned {
  readonly at: number;
  readonly text: string;
}

async function assignments(job: MdrpDayJob, untilMinute?: number): Promise<readonly Assigned[]> {
  const found: Assigned[] = [];
  await simulateMdrp({
    ...job,
    ...(untilMinute === undefined ? {} : { untilMinute }),
    inspect: async ({ log, topics }) => {
      for await (const { value } of readTopic(log, topics.assignments)) {
        if (value.type !== "DriverAssigned") continue;
        const { jobId, driverId, attempt, at } = value;
        found.push({ at, text: `${jobId} to ${driverId} at ${at}, attempt ${attempt}` });
      }
    },
  });
  return found;
}

/** In an order of their own: partitions are read one after another. */
function upTo(all: readonly Assigned[], minute: number): readonly string[] {
  const end = WORLD_DEFAULTS.dayStartsAt + (minute + 1) * MINUTE_MS;
  return all
    .filter(({ at }) => at < end)
    .map(({ text }) => text)
    .sort();
}
