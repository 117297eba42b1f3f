/** I9: what a process answers to a question for a row was committed at some time, and nothing that it had when its task began is missing. */
import type { Disk } from "#disk";
import type { CommittedPartition } from "#proof";
import { openCommittedView, type TaskId, type Topology } from "#streams";
import { Violation } from "./violation.ts";

export interface QueriedStore {
  readonly topology: Topology;
  readonly store: string;
  readonly subtopology: number;
  readonly changelog: string;
  readonly partitions: number;
}

/** Whoever can be asked. */
export interface Asked {
  readonly client: string;
  readonly rows: Disk;
  /** Tasks that it says it runs now: of others it says that it restores them, or has moved them. */
  readonly running: readonly TaskId[];
}

const ROWS_MAX = 1_000;

export class Queries {
  readonly #queried: QueriedStore;
  readonly #truth: (topic: string, partition: number) => CommittedPartition;
  /** Of each partition, every value of every key that was ever committed, as far as it is known to be. */
  readonly #committed: { readonly values: Set<string>; readonly firstSeen: Map<string, number>; taken: number }[];
  /** Answers that are not known to have been committed yet: the marker may be on its way. */
  readonly #open = new Map<string, string>();
  /** By client and partition. */
  readonly #runningSince = new Map<string, ReadonlyMap<number, number>>();

  constructor(queried: QueriedStore, truth: (topic: string, partition: number) => CommittedPartition) {
    this.#queried = queried;
    this.#truth = truth;
    this.#committed = Array.from({ length: queried.partitions }, () => ({ values: new Set(), firstSeen: new Map(), taken: 0 }));
  }

  /** Asks for everything; the truth must be read before. */
  ask({ client, rows, running }: Asked, now: number): void {
    this.#read(now);
    const began = this.#runningSince.get(client);
    const since = new Map<number, number>();
    for (const { subtopology, partition } of running)
      if (subtopology === this.#queried.subtopology) since.set(partition, began?.get(partition) ?? now);
    this.#runningSince.set(client, since);
    for (const [partition, at] of since) this.#askOne(`${client}/${partition}`, rows, partition, at);
  }

  /** Nothing is on its way any more. */
  checkAtRest(now: number): void {
    this.#read(now);
    for (const [answer, who] of this.#open) throw new Violation("I9", `${who} answered ${answer}, which was never committed.`);
  }

  #askOne(who: string, disk: Disk, partition: number, since: number): void {
    const { topology, store } = this.#queried;
    const known = this.#committed[partition];
    const found = openCommittedView({ topology, disk }).range(store, { partition, limit: ROWS_MAX });
    const keys = new Set<string>();
    for (const { key, value } of found) {
      keys.add(String(key));
      const answer = `${String(key)} ${JSON.stringify(value)}`;
      if (known?.values.has(answer) !== true) this.#open.set(`${partition} ${answer}`, who);
    }
    for (const [key, firstSeen] of known?.firstSeen ?? [])
      if (firstSeen < since && !keys.has(key))
        throw new Violation(
          "I9",
          `${who} does not know ${key}, which was committed before it ran the task: it did not say that it restores.`,
        );
  }

  #read(now: number): void {
    for (const [partition, known] of this.#committed.entries()) {
      const { records } = this.#truth(this.#queried.changelog, partition);
      for (; known.taken < records.length; known.taken++) {
        const record = records[known.taken];
        const key = record?.key?.toString() ?? "";
        const answer = `${key} ${String(record?.value)}`;
        known.values.add(answer);
        if (!known.firstSeen.has(key)) known.firstSeen.set(key, now);
        this.#open.delete(`${partition} ${answer}`);
      }
    }
  }
}
