/** Members that do not run the same tasks cannot share them. */
import type { Topology } from "../dsl/builder.ts";
import { murmur2 } from "../murmur2.ts";
import type { GroupTopology } from "./group-contract.ts";

/** The tasks of a topology; the fingerprint changes with names, partition counts and stores, not with stateless steps. */
export function groupTopologyOf(topology: Topology): GroupTopology {
  const shape = topology.subtopologies.map(({ name, partitions, stores }) => [name, partitions, stores.map((store) => store.name).sort()]);
  return {
    fingerprint: murmur2(Buffer.from(JSON.stringify(shape))) >>> 0,
    subtopologies: topology.subtopologies.map(({ partitions, stores }) => ({ partitions, stateful: stores.length > 0 })),
  };
}
