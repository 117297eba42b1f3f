/** I5: what a group has committed never goes back. */
import type { SimulatedCluster } from "#log/kafka/simulated";
import { Violation } from "./violation.ts";

export class CommittedOffsets {
  readonly #cluster: SimulatedCluster;
  readonly #group: string;
  readonly #last = new Map<string, number>();

  constructor(cluster: SimulatedCluster, group: string) {
    this.#cluster = cluster;
    this.#group = group;
  }

  /** As it is now. Undefined while one is pending. */
  advance(topic: string, partition: number): number | undefined {
    const committed = this.#cluster.committedOffset(this.#group, topic, partition);
    if (committed === undefined) return undefined;
    const key = `${topic}/${partition}`;
    const before = this.#last.get(key) ?? -1;
    if (committed < before) throw new Violation("I5", `The committed offset of ${key} went back from ${before} to ${committed}.`);
    this.#last.set(key, committed);
    return committed;
  }
}
