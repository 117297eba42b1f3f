/** A city on somebody else's application: produces, observes, and tells how long customers waited for a decision. */
import type { Log } from "#log";
import type { DispatchTopics } from "#topologies";
import { ScaledClock, systemClock } from "#world";
import { demoWorld } from "./demo-world.ts";
import { Observer } from "./observer.ts";
import type { TallySnapshot } from "./tally.ts";
import { after } from "../system/end-signals.ts";
import { latestTime } from "../system/latest-time.ts";
import { openWorld } from "./open-world.ts";
import { DecisionTimes, type DecisionFigures } from "./decision-times.ts";

export interface WorldRun {
  readonly log: Log;
  readonly topics: DispatchTopics;
  readonly data: string;
  readonly speed: number;
  readonly until: Promise<unknown>;
  /** Real seconds that it lives; undefined: until then. */
  readonly seconds: number | undefined;
  /** About once a second, one line. */
  readonly onPicture: (line: string) => void;
}

export interface WorldTotals {
  readonly produced: number;
  readonly tally: TallySnapshot;
  /** Order placed → driver assigned, as a consumer sees it, real milliseconds. */
  readonly decisionMs: DecisionFigures;
}

const PICTURE_MS = 1_000;
const STEP_MS = 20;

export async function runWorld({ log, topics, data, speed, until, seconds, onPicture }: WorldRun): Promise<WorldTotals> {
  const world = demoWorld(data, "batch-matching", speed, Date.now());
  const sources = [topics.orders, topics.driverEvents, topics.driverLocations, topics.trips].map(({ name }) => name);
  // At its own pace a city keeps real time; a faster one goes on where its topics end.
  const latest = speed === 1 ? undefined : await latestTime(log, sources);
  const startsAt = latest === undefined ? Date.now() : latest + 1;
  const present = speed === 1 ? { now: startsAt } : {};
  await using client = await openWorld({
    system: { log, topics },
    worldId: world.id,
    create: (origin) => world.create(origin ?? startsAt),
    ...present,
  });
  const times = new DecisionTimes();
  await using observer = await Observer.open(log, topics, times);
  const clock = new ScaledClock({ real: systemClock, startsAt, realStartsAt: Date.now(), speed });
  const over = { now: false };
  const end = Promise.race([until, after(seconds)]).finally(() => {
    over.now = true;
  });
  let pictureAt = 0;
  while (!over.now) {
    client.step(clock.now());
    await client.flush();
    observer.read(clock.now());
    if (performance.now() >= pictureAt) {
      pictureAt = performance.now() + PICTURE_MS;
      const { waiting, assigned, done } = observer.tally.snapshot();
      onPicture(
        `${client.produced} produced  waiting ${waiting}  assigned ${assigned}  done ${done}  decision p95 ${times.figures(speed).p95} ms`,
      );
    }
    await Promise.race([new Promise((resolve) => setTimeout(resolve, STEP_MS)), end]);
  }
  await observer.catchUp();
  return { produced: client.produced, tally: observer.tally.snapshot(), decisionMs: times.figures(speed) };
}
