/** The world as a client of the system's log, placing keys as every producer of these topics does. */
import { murmur2 } from "#streams";
import { WorldClient, type WorldClientOptions } from "#world";
import type { System } from "../system/open-system.ts";

export interface OpenWorldOptions extends Pick<WorldClientOptions, "worldId" | "create" | "now" | "historyMs" | "missedDemand"> {
  readonly system: Pick<System, "log" | "topics">;
}

/** As Kafka's own clients make a hash positive. */
const positiveMask = 0x7fff_ffff;

export function openWorld({ system: { log, topics }, ...rest }: OpenWorldOptions): Promise<WorldClient> {
  return WorldClient.open({ ...rest, log, topics, partitionOf: (key, partitions) => (murmur2(key) & positiveMask) % partitions });
}
