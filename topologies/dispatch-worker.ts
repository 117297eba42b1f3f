/** What a worker thread imports to build the dispatch topology: functions do not travel, plain options do. */
import type { Topology, TopologyFactory } from "#streams";
import { buildDispatchFromJson } from "./build-dispatch.ts";
import type { DispatchEntryOptions } from "./build-dispatch.ts";

/** `argument` is what `dispatchModule` was given. */
export const dispatchFactory: TopologyFactory = ({ argument }): Topology => buildDispatchFromJson(argument as DispatchEntryOptions);
