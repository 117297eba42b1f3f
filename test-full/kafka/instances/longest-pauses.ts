/** How long a task stood still while it had something to do: by what a reader of committed records has seen of its input and output. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Reader } from "#log";
import { PARTITIONS } from "../chain-topology.ts";
import type { ChainRun } from "../chain-run.ts";

export interface Pause {
  /** `relay` or `chain`, and the partition. */
  readonly task: string;
  readonly ms: number;
  /** When it ended, by performance.now(). */
  readonly endedAt: number;
}

export interface PauseWatch {
  /** Records of the output that it has seen: neither markers nor what was aborted. */
  readonly links: number;
  /** For how long the task that has stood still longest does so now, with something to do. */
  readonly standingMs: number;
  /** The longest ones, the longest first; each task has several. */
  stop(): Promise<readonly Pause[]>;
}

const LOOK_MS_MAX = 10;
const PAUSES_KEPT = 20;
/** Shorter ones are the commit interval. */
const PAUSE_MS_MIN = 100;

interface WatchedTask {
  readonly name: string;
  taken: number;
  given: number;
  /** Since when it has had something to do and gave nothing; Infinity: it had nothing to do. */
  owesSince: number;
}

/** Each event is one routed record and one link, so what a task owes is the difference of the counts. */
export function watchPauses(run: ChainRun): PauseWatch {
  const stopping = new AbortController();
  const pauses: Pause[] = [];
  const tasks = ["relay", "chain"].map((name) =>
    Array.from({ length: PARTITIONS }, (_, partition): WatchedTask => ({
      name: `${name} ${partition}`,
      taken: 0,
      given: 0,
      owesSince: Infinity,
    })),
  );
  const topics = [run.names.events, run.names.routed, run.names.links];
  const reader: Reader = run.log.reader();
  reader.assign(
    topics.flatMap((topic) =>
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset: 0, outOfRange: "start" as const })),
    ),
  );
  const look = (): void => {
    const batches = reader.poll();
    const now = performance.now();
    const gave = new Set<WatchedTask>();
    for (const { topic, partition, recordCount } of batches) {
      const stage = topics.indexOf(topic);
      const [before, after] = [tasks[stage - 1]?.[partition], tasks[stage]?.[partition]];
      if (after !== undefined) after.taken += recordCount;
      if (before === undefined) continue;
      before.given += recordCount;
      gave.add(before);
    }
    for (const task of tasks.flat()) {
      if (gave.has(task) && task.owesSince !== Infinity) {
        if (now - task.owesSince >= PAUSE_MS_MIN) pauses.push({ task: task.name, ms: now - task.owesSince, endedAt: now });
        task.owesSince = Infinity;
      }
      // Output may be seen before the input that it came from.
      if (task.taken > task.given) task.owesSince = Math.min(task.owesSince, now);
      else task.owesSince = Infinity;
    }
  };
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const version = run.log.version();
      look();
      await Promise.race([run.log.changed(version), sleep(LOOK_MS_MAX)]);
    }
  })();
  // Heard by `stop`: a scenario that fails ends without it.
  watching.catch(() => undefined);
  return {
    get links() {
      return tasks[1]?.reduce((sum, { given }) => sum + given, 0) ?? 0;
    },
    get standingMs() {
      return Math.max(0, ...tasks.flat().map(({ owesSince }) => (owesSince === Infinity ? 0 : performance.now() - owesSince)));
    },
    stop: async () => {
      stopping.abort();
      await watching;
      await reader.close();
      return pauses.toSorted((a, b) => b.ms - a.ms).slice(0, PAUSES_KEPT);
    },
  };
}
