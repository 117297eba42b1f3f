/** The invariants of dispatch, by the proofs that know neither engine nor topologies, from what lies in the partitions and in the rows. */
import type { Disk } from "#disk";
import type { TopicConfig } from "#log";
import type { SimulatedCluster } from "#log/kafka/simulated";
import { checkInvariants, OneDriverCheck } from "#proof";
import type { CommittedPartition, CommittedRecord, History, ProofRecord, Verdict } from "#proof";
import type { AssignmentEvent } from "#schemas";
import { deadLetterTopic, type Topology } from "#streams";
import type { DispatchTopics } from "#topologies";
import type { ApplicationCheck } from "../application.ts";
import { CommittedOffsets } from "../checks/committed-offsets.ts";
import { CommittedTopics } from "../checks/committed-topics.ts";
import { StoredRows } from "../checks/stored-rows.ts";
import { Violation } from "../checks/violation.ts";

export interface DispatchCheckOptions {
  readonly cluster: SimulatedCluster;
  readonly group: string;
  readonly topology: Topology;
  readonly topics: readonly TopicConfig[];
  readonly named: DispatchTopics;
  /** Drivers may fall silent. */
  readonly silence: boolean;
}

/** Topics that the proofs read. */
const PROVED = [
  "orders",
  "rides",
  "driverEvents",
  "refusals",
  "jobUpdates",
  "assignments",
  "trips",
  "bills",
  "matchingInput",
  "driverLocations",
] as const satisfies readonly (keyof History)[];
/** What comes from outside, where a record may be nonsense. */
const INPUTS: ReadonlySet<string> = new Set(["orders", "rides", "driverEvents", "driverLocations"]);
/** The whole story is looked at so often, when nothing is on its way. */
const WHOLE_EVERY_LOOKS = 5;
/** And when it has grown by one part of so many: all looks together cost as much as the story is long. What is wrong in it stays so. */
const WHOLE_PARTS = 24;

type Proved = (typeof PROVED)[number];

interface Read {
  readonly records: ProofRecord<unknown>[];
  /** Of each partition, how many are in it. */
  readonly taken: number[];
}

/** Fewer may all be cancelled or come to nothing. */
const JOBS_WITHOUT_ANY_DONE_MAX = 40;

export class DispatchCheck implements ApplicationCheck {
  readonly #options: DispatchCheckOptions;
  readonly #topics: CommittedTopics;
  readonly #rows: StoredRows;
  readonly #read = new Map<Proved, Read>();
  /** Jobs that were asked for, by whether they have ended. */
  readonly #jobs = new Map<string, boolean>();
  readonly #nonsense: string[] = [];
  readonly #committed: CommittedOffsets;
  /** Over the assignments up to here. */
  readonly #oneDriver = new OneDriverCheck();
  /** Jobs that were carried out: a town in which there are none proves nothing. */
  #completed = 0;
  readonly #sources: readonly { readonly topic: string; readonly partitions: number }[];
  #checked = 0;
  #looks = 0;
  /** The look at which the whole story was looked at last. */
  #provedAt = 0;

  constructor(options: DispatchCheckOptions) {
    const { cluster, group, topology, topics, named } = options;
    this.#options = options;
    this.#topics = new CommittedTopics(cluster, topics);
    this.#committed = new CommittedOffsets(cluster, group);
    const stores = topology.subtopologies.flatMap((each) => each.stores.map(({ name }) => name));
    this.#rows = new StoredRows(group, stores, (topic, partition) => this.partition(topic, partition));
    for (const name of PROVED) this.#read.set(name, { records: [], taken: Array.from({ length: named[name].partitions }, () => 0) });
    this.#sources = topology.subtopologies.flatMap(({ sources }) =>
      sources.map(({ topic: { name, partitions } }) => ({ topic: name, partitions })),
    );
  }

  get checkedRecords(): number {
    return this.#checked;
  }

  partition(topic: string, partition: number): CommittedPartition {
    return this.#topics.partition(topic, partition);
  }

  read(): void {
    this.#topics.read();
  }

  /** D1 in every prefix; D3 to D5 when no transaction is open, so that what was committed together is there together. */
  async check(): Promise<void> {
    this.read();
    for (const name of PROVED) this.#take(name);
    for (const { topic, partitions } of this.#sources)
      for (let partition = 0; partition < partitions; partition++) this.#committed.advance(topic, partition);
    this.#looks += 1;
    hold([this.#oneDriver.verdict()]);
    const due = this.#looks % WHOLE_EVERY_LOOKS === 0 && this.#looks - this.#provedAt >= this.#looks / WHOLE_PARTS;
    if (!due || this.#options.cluster.openTransactions > 0) return;
    this.#provedAt = this.#looks;
    await this.#prove(false);
  }

  /** I4. */
  checkRows(rows: Disk, whose: string): void {
    this.#rows.check(rows, whose);
  }

  missing(): string | undefined {
    for (const [job, ended] of this.#jobs) if (!ended) return `job ${job} has not ended`;
    return undefined;
  }

  unread(): string | undefined {
    const { cluster, group } = this.#options;
    if (cluster.openTransactions > 0) return `${cluster.openTransactions} transactions are open`;
    for (const { topic, partitions } of this.#sources)
      for (let partition = 0; partition < partitions; partition++) {
        const last = this.partition(topic, partition).records.at(-1)?.offset;
        const committed = cluster.committedOffset(group, topic, partition) ?? -1;
        if (last !== undefined && committed <= last)
          return `${topic}/${partition} is read up to ${committed}, and its last record is ${last}`;
      }
    return undefined;
  }

  /** D1 to D5 and the life of each job, over everything. */
  async checkAtRest(): Promise<void> {
    await this.check();
    const left = this.missing() ?? this.unread();
    if (left !== undefined) throw new Violation("I12", `It has not come to rest: ${left}.`);
    await this.#prove(true);
    if (this.#completed === 0 && this.#jobs.size > JOBS_WITHOUT_ANY_DONE_MAX)
      throw new Violation("I12", `None of ${this.#jobs.size} jobs was carried out.`);
    const letters = this.partition(deadLetterTopic(this.#options.group), 0).records.map(textOf);
    if (letters.toSorted().join("\n") !== this.#nonsense.toSorted().join("\n"))
      throw new Violation("I1", `There are ${letters.length} dead letters, and ${this.#nonsense.length} records that cannot be read.`);
  }

  async #prove(quiescent: boolean): Promise<void> {
    const history = Object.fromEntries(
      PROVED.map((name) => [name, quiescent || !INPUTS.has(name) ? this.#records(name) : this.#processed(name)]),
    ) as unknown as History; // each as its topic's
    const verdicts = await checkInvariants(history, { quiescent });
    const judged = this.#options.silence ? verdicts.map(withoutSilentEnds) : verdicts;
    // Where two jobs of a driver lie in two partitions, the newer may be published before the end of the older.
    hold(quiescent ? judged : judged.filter(({ invariant }) => invariant !== "D2"));
  }

  /** Of what comes from outside, as much as the application says it has processed: the rest has no effect yet. */
  #processed(name: Proved): readonly ProofRecord<unknown>[] {
    const { cluster, group, named } = this.#options;
    const { name: topic, partitions } = named[name];
    const ends = Array.from({ length: partitions }, (_, partition) => cluster.committedOffset(group, topic, partition) ?? 0);
    return this.#read.get(name)?.records.filter(({ partition, offset }) => offset < (ends[partition] ?? 0)) ?? [];
  }

  #records<Name extends Proved>(name: Name): NonNullable<History[Name]> {
    return this.#read.get(name)?.records as unknown as NonNullable<History[Name]>; // decoded by the topic's own serde
  }

  /** Decodes what is new. */
  #take(name: Proved): void {
    const { name: topic, value: serde } = this.#options.named[name];
    const read = this.#read.get(name) as Read; // one for each
    for (const [partition, { records }] of this.#topics.partitions(topic).entries()) {
      for (let at = read.taken[partition] ?? 0; at < records.length; at++) {
        const record = records[at] as CommittedRecord; // in bounds
        const value = decoded(record, (bytes) => serde.decode(bytes, 0, bytes.length));
        if (value === undefined) {
          if (!INPUTS.has(name)) throw new Violation("I1", `${topic}/${partition}@${record.offset} cannot be read: ${textOf(record)}`);
          this.#nonsense.push(textOf(record));
        } else {
          const taken = { partition, offset: record.offset, timestamp: record.timestamp, value };
          read.records.push(taken);
          this.#follow(name, taken);
          this.#checked += 1;
        }
      }
      read.taken[partition] = records.length;
    }
  }

  #follow(name: Proved, record: ProofRecord<object>): void {
    const { value } = record;
    if (name === "assignments") this.#oneDriver.add(record as ProofRecord<AssignmentEvent>);
    else if (
      (name === "orders" || name === "rides") &&
      "type" in value &&
      (value.type === "OrderPlaced" || value.type === "RideRequested")
    ) {
      const { orderId, rideId } = value as { readonly orderId?: string; readonly rideId?: string };
      const job = orderId ?? rideId ?? "";
      if (!this.#jobs.has(job)) this.#jobs.set(job, false);
    } else if (name === "trips") {
      const { jobId, state } = value as { readonly jobId: string; readonly state: string };
      this.#jobs.set(jobId, state === "completed" || state === "cancelled" || state === "failed");
      if (state === "completed") this.#completed += 1;
    }
  }
}

function hold(verdicts: readonly Verdict[]): void {
  for (const { invariant, ok, violations } of verdicts) if (!ok) throw new Violation(invariant, violations.join(" | "));
}

/**
 * Who is silent already when the end of his shift is processed, late, leaves nothing that tells it from an end that was lost: silence
 * has a later time then. Towns in which nobody falls silent are judged strictly.
 */
function withoutSilentEnds(verdict: Verdict): Verdict {
  const violations = verdict.violations.filter((sentence) => !SILENT_END.test(sentence));
  const violationCount = verdict.violationCount - (verdict.violations.length - violations.length);
  return { ...verdict, violations, violationCount, ok: violationCount === 0 };
}

const SILENT_END = /ShiftEnded of driver \S+ has neither an effect nor a refusal$/;

function decoded(record: CommittedRecord, decode: (bytes: Buffer) => object): object | undefined {
  try {
    return record.value === null ? undefined : decode(record.value);
  } catch {
    return undefined;
  }
}

function textOf({ key, value }: CommittedRecord): string {
  return `${String(key)} ${String(value)}`;
}
