/** Everything that the server serves of the dispatch application, made over one open system: for `demo` and `run` alike. */
import type { Log } from "#log";
import type { ZonePolicy } from "#schemas";
import type { CommittedFeed, CommittedView } from "#streams";
import { defaultPolicy, h3Geography, type DispatchTopics } from "#topologies";
import { BatchingIngest } from "./ingest/batching-ingest.ts";
import { liveSnapshots } from "./live/snapshots.ts";
import { HOUR_MS, STATS_HOURS_KEPT, StatsFold } from "./live/stats-fold.ts";
import { TopicFollower } from "./live/topic-follower.ts";
import { TrackingHub } from "./live/tracking-hub.ts";
import { CommittedReader } from "./queries/committed-reader.ts";
import { DriverIndex } from "./queries/driver-index.ts";
import { LocalQueries } from "./queries/local-queries.ts";
import type { Ownership } from "./queries/queries.ts";
import { offsetFor } from "./queries/read-records.ts";
import type { ServerServices } from "./server.ts";

export interface DispatchServicesOptions {
  readonly log: Log;
  /** Over the rows of this process, opened with `log` and `group`. */
  readonly view: CommittedView;
  /** Of the application's threads, with `INDEXED_STORES`: drivers are then found in memory. */
  readonly feed?: CommittedFeed;
  readonly topics: DispatchTopics;
  /** The clock of the application: records written through the server carry its time. */
  readonly now: () => number;
  /** In force where none was published. */
  readonly policy?: ZonePolicy;
  /** Where partitions may be elsewhere; default: everything is here. */
  readonly ownership?: Ownership;
  /** Hears what ended a follower of topics: streams or stats stand still from then on. */
  readonly onFailure: (error: unknown, what: string) => void;
}

export interface DispatchServices extends Required<Omit<ServerServices, "forward">>, AsyncDisposable {
  /** Undefined without a feed. */
  readonly index: DriverIndex | undefined;
}

/** The topics must exist. Close it after the server and before the log. Rejects as the log does. */
export async function dispatchServices(options: DispatchServicesOptions): Promise<DispatchServices> {
  const { log, view, topics, now, policy = defaultPolicy, ownership, onFailure, feed } = options;
  const reader = new CommittedReader({ view, log, now, ...(ownership === undefined ? {} : { ownership }) });
  const stats = new StatsFold();
  const since = now() - STATS_HOURS_KEPT * HOUR_MS;
  const { trips } = topics;
  const statsFollower = await TopicFollower.start({
    log,
    topics: [trips],
    from: async (topic, partition) => {
      const place = { topic, partition };
      const [start, end] = [await log.offsets.bound(place, "start"), await log.offsets.bound(place, "stable")];
      return (await offsetFor(log, place, { start, end, since })) ?? end;
    },
    each: (_topic, _partition, { bytes, valueStart, valueEnd }) => {
      if (valueStart >= 0) stats.add(trips.value.decode(bytes, valueStart, valueEnd));
    },
    onFailure: (error) => onFailure(error, "stats"),
  });
  const index =
    feed === undefined ? undefined : new DriverIndex({ feed, view, onFailure: (error) => onFailure(error, "index of drivers") });
  const queries = new LocalQueries({
    reader,
    log,
    topics,
    geography: h3Geography(),
    policy,
    ...(index === undefined ? {} : { index }),
    stats,
    statsPositions: () => (statsFollower.behind ? undefined : statsFollower.positions()),
  });
  const tracking = await TrackingHub.start({
    log,
    topics,
    snapshots: liveSnapshots({ view, queries, partitions: topics.matchingInput.partitions }),
    epoch: Math.trunc(performance.timeOrigin + performance.now()).toString(36),
    onFailure: (error) => onFailure(error, "streams"),
  });
  const ingest = new BatchingIngest({ log, topics, now });
  return {
    ingest,
    queries,
    tracking,
    index,
    async [Symbol.asyncDispose]() {
      index?.close();
      await tracking[Symbol.asyncDispose]();
      await statsFollower[Symbol.asyncDispose]();
      await ingest[Symbol.asyncDispose]();
    },
  };
}
