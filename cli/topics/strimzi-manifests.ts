/** Both files of manifests for an application. */
import { dispatchTopology } from "../system/dispatch-topology.ts";
import { topicTable } from "../system/open-log-alone.ts";
import { topicManifests, userManifest, type StrimziOptions } from "./strimzi.ts";

export function strimziManifests(options: StrimziOptions & { readonly partitions: number }): {
  readonly topics: string;
  readonly user: string;
} {
  const { application, partitions } = options;
  return {
    topics: topicManifests(topicTable(application, partitions), options),
    user: userManifest(dispatchTopology(partitions), options),
  };
}
