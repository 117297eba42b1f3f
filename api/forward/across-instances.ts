/** The services of one instance among several: questions go to whoever has the answer, and other instances ask here. */
import type { Placements, ThreadMetrics } from "#streams";
import type { DispatchTopics } from "#topologies";
import type { DispatchServices } from "../dispatch-services.ts";
import type { ServerServices } from "../server.ts";
import { ForwardClient } from "./forward-client.ts";
import type { ForwardRoutesOptions } from "./forward-routes.ts";
import { ForwardingQueries } from "./forwarding-queries.ts";
import { Peers, type ResolveHost } from "./peers.ts";
import { partitionOf, storeOf } from "./questions.ts";

export interface AcrossInstancesOptions {
  /** Made with `ownership: instanceOwnership(placements)`. */
  readonly services: DispatchServices;
  readonly placements: Placements;
  readonly topics: DispatchTopics;
  /** Allowed addresses of other instances: `HOST:PORT`, `*.SUFFIX:PORT`, `ADDRESS:PORT`, `CIDR:PORT`; `*` is any port. */
  readonly peers: readonly string[];
  /** With the scope `instance`, where tokens are asked for. */
  readonly token?: string;
  /** Of the application's threads: they know how far standbys are behind. */
  readonly metrics: () => Promise<readonly ThreadMetrics[]>;
  /** Of one question with all its hops; default 3 s. */
  readonly deadlineMs?: number;
  /** Default 4 MiB. */
  readonly answerBytesMax?: number;
  /** Default: the system's. */
  readonly resolve?: ResolveHost;
}

export interface AcrossInstances extends ServerServices {
  readonly forward: ForwardRoutesOptions;
  /** Ends connections to others. */
  close(): void;
}

/** Throws ApiError `BAD_REQUEST` for a pattern of peers that is none. */
export function acrossInstances(options: AcrossInstancesOptions): AcrossInstances {
  const { services, placements, topics, token, metrics, deadlineMs, answerBytesMax, resolve } = options;
  const client = new ForwardClient({
    peers: new Peers(options.peers, resolve),
    ...(token === undefined ? {} : { token }),
    ...(answerBytesMax === undefined ? {} : { answerBytesMax }),
  });
  const forward: ForwardRoutesOptions = {
    local: services.queries,
    lag: async (question, key) => standbyLag(await metrics(), storeOf[question], partitionOf(topics, question, key)),
  };
  const queries = new ForwardingQueries({
    ...forward,
    placements,
    client,
    topics,
    clock: () => performance.now(),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
  return { ...services, queries, forward, close: () => client.close() };
}

function standbyLag(metrics: readonly ThreadMetrics[], store: string, partition: number): number {
  const followed = metrics
    .flatMap(({ following }) => following ?? [])
    .find(({ role, changelogs }) => role === "standby" && changelogs.some((each) => each.store === store && each.partition === partition));
  return followed === undefined ? Infinity : followed.total - followed.done;
}
