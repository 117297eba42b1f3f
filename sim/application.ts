/** What is played on the simulated brokers: a topology, those who send it work, and what has to hold of what it leaves. */
import type { Disk } from "#disk";
import type { Log, TopicConfig } from "#log";
import type { KafkaWire, SimulatedCluster } from "#log/kafka/simulated";
import type { CommittedPartition } from "#proof";
import type { Topology } from "#streams";
import type { QueriedStore } from "./checks/queries.ts";
import type { SeedOptions } from "./faults/fault-plan.ts";
import type { Hits } from "./faults/hits.ts";

export interface SimulatedApplication {
  readonly id: string;
  readonly topology: Topology;
  /** Everything that it reads and writes, dead letters and changelogs too. */
  readonly topics: readonly TopicConfig[];
  /** Those that a reader of committed records follows meanwhile. */
  readonly watched: readonly string[];
  /** Its rows are asked for all the time: a key-value store whose values are JSON and whose keys are never deleted. */
  readonly queried?: QueriedStore;
  readonly clocks: ClockFaults;
  /** From the last fault until nothing is left to do, at most. */
  readonly restMsMax: number;
  /** The topics are there. */
  readonly traffic: (clients: Clients) => Promise<Traffic>;
  readonly check: (cluster: SimulatedCluster) => ApplicationCheck;
}

/** How wrong the clock of a process may be; milliseconds. */
export interface ClockFaults {
  /** From its start on, in both directions. */
  readonly skewMs: number;
  /** Of one step of the clock, in both directions. */
  readonly stepMs: number;
  readonly jumpMs: number;
  /** Share of the steps that are jumps ahead. */
  readonly jumps: number;
}

/** What those who send work have: their requests always arrive. */
export interface Clients {
  readonly log: Log;
  readonly open: (clientId: `load-${string}`, wrapWire: (wire: KafkaWire) => KafkaWire) => Promise<Log>;
  /** In virtual time. */
  readonly after: (ms: number, then: () => void) => void;
}

/** Whoever sends work. Its requests always arrive; what is written does not depend on processes and their faults. */
export interface Traffic {
  /** Sends what is due, and says when it wants to be called next. */
  step(now: number): number;
  /** Sends nothing before then, where it can. */
  quietUntil?(at: number): void;
  /** Nothing new is asked for from here on. */
  stopAsking(): void;
  /** Nothing is sent any more. */
  stop(): void;
}

export interface TrafficOptions {
  readonly options: SeedOptions;
  readonly hits: Hits;
}

export interface ApplicationCheck {
  /** Records that were compared. */
  readonly checkedRecords: number;
  partition(topic: string, partition: number): CommittedPartition;
  /** Takes in what is new in every partition; before compaction takes it away. */
  read(): void;
  /** Each virtual second. Throws Violation. */
  check(): void | Promise<void>;
  checkRows(rows: Disk, whose: string): void;
  /** What was asked for and is not done; undefined when all is. */
  missing(): string | undefined;
  /** Undefined when everything that was written has been read, and what it leads to has been written. */
  unread(): string | undefined;
  /** At rest: every effect is there, once. */
  checkAtRest(): void | Promise<void>;
}
