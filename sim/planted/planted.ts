/** A bug from outside: between adapter and wire, engine and log, engine and rows. What is bad there must be caught by an invariant. */
import type { Disk } from "#disk";
import type { Log } from "#log";
import type { KafkaWire, SimulatedCluster } from "#log/kafka/simulated";
import type { Topology } from "#streams";
import type { ApplicationName } from "../faults/fault-plan.ts";

export interface Planted {
  /** Of all processes. */
  readonly wrapTopology?: (topology: Topology) => Topology;
  /** Of every process, and of the reader that watches. */
  readonly wrapWire?: (wire: KafkaWire) => KafkaWire;
  readonly wrapDisk?: (disk: Disk, instance: number) => Disk;
  readonly wrapLog?: (log: Log) => Log;
  /** Whoever restores a task answers questions for it. */
  readonly answersEarly?: boolean;
}

export interface PlantedBug {
  readonly name: string;
  /** It can only be planted there; default: whatever the seed plays. */
  readonly needs?: ApplicationName;
  /** Anew for each seed. */
  readonly plant: (cluster: SimulatedCluster) => Planted;
}

/** The same object with some methods changed. */
export function changed<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(inner, name) {
      const own = Reflect.get(changes, name) as unknown;
      if (own !== undefined) return own;
      const value = Reflect.get(inner, name) as unknown;
      // Private fields are the target's, not the proxy's.
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(inner) : value;
    },
  });
}
