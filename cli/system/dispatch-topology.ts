import { memoryRegistry } from "#schemas";
import type { Topology } from "#streams";
import { buildDispatch } from "#topologies";

/** The dispatch topology without a log: to be looked at. Schema ids are those of a new log. */
export function dispatchTopology(partitions: number): Topology {
  return buildDispatch({ registry: memoryRegistry(), partitions });
}

/** Consumer group, and prefix of everything internal. */
export const APPLICATION_ID = "slackline-dispatch";
