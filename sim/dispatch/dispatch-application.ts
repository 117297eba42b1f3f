/** The dispatch application as a run plays it: two partitions, a small town in a hurry. */
import { createSerdes, memoryRegistry, type ZonePolicy } from "#schemas";
import { topicConfigs, type Topology } from "#streams";
import { buildDispatch, dispatchTopics, type DispatchTopics } from "#topologies";
import type { SimulatedApplication, TrafficOptions } from "../application.ts";
import { START } from "../start.ts";
import { DispatchCheck } from "./dispatch-check.ts";
import { DEADLINE_MS, townOf } from "./town.ts";
import { townTraffic } from "./town-traffic.ts";

const ID = "dispatch";
const PARTITIONS = 2;

export function dispatchApplication(given: TrafficOptions): SimulatedApplication {
  const town = townOf(given.options.seed);
  const { topology, topics: named } = built(town.policy);
  const topics = topicConfigs(topology, ID, { atomicRows: false });
  return {
    id: ID,
    topology,
    topics,
    watched: [named.assignments, named.trips, named.bills, named.refusals].map(({ name }) => name),
    // Little against the time after which a driver counts as silent, or nobody would ever be assigned.
    clocks: { skewMs: 2_000, stepMs: 1_500, jumpMs: 2 * 3_600_000, jumps: 0.02 },
    restMsMax: DEADLINE_MS + 120_000,
    traffic: ({ log }) => townTraffic(log, { ...given, town, topics: named, startsAt: START }),
    check: (cluster) => new DispatchCheck({ cluster, group: ID, topology, topics, named, silence: town.policy.locationTtlMs > 0 }),
  };
}

function built(policy: ZonePolicy): { readonly topology: Topology; readonly topics: DispatchTopics } {
  const registry = memoryRegistry();
  const topology = buildDispatch({ registry, partitions: PARTITIONS, defaultPolicy: policy });
  return { topology, topics: dispatchTopics(createSerdes(registry), { partitions: PARTITIONS }) };
}
