/** The invariants of the ledger, from what lies in the partitions and in the rows: I1 to I5, and I12 when everything has come to rest. */
import type { Disk } from "#disk";
import type { TopicConfig } from "#log";
import type { SimulatedCluster } from "#log/kafka/simulated";
import type { CommittedPartition } from "#proof";
import type { ApplicationCheck } from "../application.ts";
import { CommittedOffsets } from "../checks/committed-offsets.ts";
import { CommittedTopics } from "../checks/committed-topics.ts";
import { Violation } from "../checks/violation.ts";
import { AccountsModel, bucketIn, BucketsModel } from "./ledger-model.ts";
import { PARTITIONS } from "./ledger-topology.ts";
import { StoredRows } from "../checks/stored-rows.ts";

const GROUP = "ledger";
const STORES = ["accounts", "statement-timers", "audit-timers", "buckets"] as const;
/** Topics that the application writes, but for dead letters and changelogs. */
export const OUTPUTS = ["receipts", "statements", "audits", "transfers", "totals"] as const;
const DEAD_LETTERS = `${GROUP}.dlq`;

export class LedgerCheck implements ApplicationCheck {
  readonly #cluster: SimulatedCluster;
  readonly #topics: CommittedTopics;
  readonly #accounts = Array.from({ length: PARTITIONS }, (_, partition) => new AccountsModel(partition));
  readonly #buckets = Array.from({ length: PARTITIONS }, () => new BucketsModel());
  /** Records that were taken into models and comparisons. */
  readonly #taken = new Map<string, number>();
  /** Of each partition of moves, how many of its transfers there are in all partitions together. */
  readonly #transferred = new Map<string, number>();
  readonly #committed: CommittedOffsets;
  readonly #audited = new Set<string>();
  readonly #rows: StoredRows;

  constructor(cluster: SimulatedCluster, topics: readonly TopicConfig[]) {
    this.#cluster = cluster;
    this.#topics = new CommittedTopics(cluster, topics);
    this.#committed = new CommittedOffsets(cluster, GROUP);
    this.#rows = new StoredRows(GROUP, STORES, (topic, partition) => this.partition(topic, partition));
  }

  get checkedRecords(): number {
    let sum = 0;
    for (const count of this.#taken.values()) sum += count;
    return sum;
  }

  partition(topic: string, partition: number): CommittedPartition {
    return this.#topics.partition(topic, partition);
  }

  read(): void {
    this.#topics.read();
  }

  /** I1, I2, I5. */
  check(): void {
    this.read();
    for (let partition = 0; partition < PARTITIONS; partition++)
      this.#fresh("moves", partition, (record) => this.#accounts[partition]?.take(record));
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const accounts = this.#accounts[partition] as AccountsModel; // one for each
      const buckets = this.#buckets[partition] as BucketsModel; // one for each
      this.#compare("receipts", partition, accounts.receipts);
      this.#compare("statements", partition, accounts.statements);
      this.#fresh("audits", partition, ({ key, value }) => this.#audit(partition, `${String(key)} ${String(value)}`));
      this.#fresh("transfers", partition, (record) => {
        buckets.take(record);
        const { from } = JSON.parse(String(record.value)) as { from: number };
        this.#inTurn(partition, from, `${String(record.key)} ${String(record.value)}`);
      });
      this.#compare("totals", partition, buckets.totals);
    }
    this.#checkOffsets();
  }

  /** I4. */
  checkRows(rows: Disk, whose: string): void {
    this.#rows.check(rows, whose);
  }

  /** Whoever has read everything has nothing left to do. */
  unread(): string | undefined {
    return this.missing();
  }

  missing(): string | undefined {
    if (this.#cluster.openTransactions > 0) return `${this.#cluster.openTransactions} transactions are open`;
    for (let partition = 0; partition < PARTITIONS; partition++)
      for (const topic of ["moves", "transfers"]) {
        const last = this.partition(topic, partition).records.at(-1)?.offset ?? -1;
        const committed = this.#cluster.committedOffset(GROUP, topic, partition) ?? -1;
        if (committed <= last) return `${topic}/${partition} is read up to ${committed}, and its last record is ${last}`;
      }
    for (const [partition, accounts] of this.#accounts.entries())
      for (const [topic, count] of [
        ["statements", accounts.statements.length],
        ["audits", accounts.audits.size],
      ] as const)
        if (this.#count(topic, partition) < count) return `${topic}/${partition} has ${this.#count(topic, partition)} of ${count}`;
    return undefined;
  }

  /** At rest: every effect is there, once. */
  checkAtRest(): void {
    this.check();
    const missing = this.missing();
    if (missing !== undefined) throw new Violation("I12", `It has not come to rest: ${missing}.`);
    for (const [partition, { receipts, statements, audits }] of this.#accounts.entries()) {
      this.#exactly("receipts", partition, receipts.length);
      this.#exactly("audits", partition, audits.size);
      this.#exactly("statements", partition, statements.length);
      this.#exactly("totals", partition, this.#buckets[partition]?.totals.length ?? 0);
    }
    const letters = this.partition(DEAD_LETTERS, 0).records.map(({ key, value }) => `${String(key)} ${String(value)}`);
    const expected = this.#accounts.flatMap(({ deadLetters }) => deadLetters);
    if (letters.toSorted().join("\n") !== expected.toSorted().join("\n"))
      throw new Violation("I1", `There are ${letters.length} dead letters, and ${expected.length} records that cannot be read.`);
    const stored = new Map(
      STORES.map((store) => [
        store,
        Array.from({ length: PARTITIONS }, (_, partition) => this.#rows.changelogAt(store, partition, Infinity)),
      ]),
    );
    for (let partition = 0; partition < PARTITIONS; partition++) {
      this.#sameStore("accounts", partition, this.#accounts[partition]?.accounts, stored.get("accounts")?.[partition]);
      this.#sameStore("buckets", partition, this.#buckets[partition]?.buckets, stored.get("buckets")?.[partition]);
      const timers = stored.get("statement-timers")?.[partition]?.size ?? 0;
      const set = this.#accounts[partition]?.timers.size ?? 0;
      if (timers !== set) throw new Violation("I4", `statement-timers/${partition} has ${timers} timers, and ${set} are set.`);
    }
  }

  #sameStore(
    store: string,
    partition: number,
    model: ReadonlyMap<string, unknown> | undefined,
    found: ReadonlyMap<string, Buffer> | undefined,
  ): void {
    const values = new Map([...(found ?? [])].map(([key, value]) => [Buffer.from(key, "latin1").toString(), value.toString()]));
    for (const [key, value] of model ?? [])
      if (values.get(key) !== JSON.stringify(value))
        throw new Violation("I4", `${store}/${partition} says ${values.get(key)} of ${key}, and it is ${JSON.stringify(value)}.`);
    if (values.size !== model?.size) throw new Violation("I4", `${store}/${partition} has ${values.size} keys instead of ${model?.size}.`);
  }

  /** The offset and the outputs of a commit come together; only looked at while no marker is on its way. */
  #checkOffsets(): void {
    const settled = this.#cluster.openTransactions === 0;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const moves = this.#committed.advance("moves", partition);
      const transfers = this.#committed.advance("transfers", partition);
      if (!settled || moves === undefined || transfers === undefined) continue;
      const { receipts, statementsMin, statementsMax } = (this.#accounts[partition] as AccountsModel).at(moves); // one for each
      this.#exactly("receipts", partition, receipts, "I2");
      const stated = this.#count("statements", partition);
      if (stated < statementsMin || stated > statementsMax)
        throw new Violation(
          "I2",
          `statements/${partition} has ${stated} records where moves up to ${moves} make ${statementsMin} to ${statementsMax}.`,
        );
      let transferred = 0;
      for (let to = 0; to < PARTITIONS; to++) transferred += this.#transferred.get(`${partition} to ${to}`) ?? 0;
      if (transferred !== receipts)
        throw new Violation("I2", `${transferred} transfers come from moves/${partition}, ${receipts} were committed.`);
      this.#exactly("totals", partition, this.#buckets[partition]?.at(transfers) ?? 0, "I2");
    }
  }

  #audit(partition: number, found: string): void {
    if (this.#accounts[partition]?.audits.has(found) !== true)
      throw new Violation("I1", `audits/${partition} says ${found}, and there is no such move.`);
    if (this.#audited.has(found)) throw new Violation("I1", `audits/${partition} says ${found} twice.`);
    this.#audited.add(found);
  }

  #inTurn(to: number, from: number, found: string): void {
    const key = `${from} to ${to}`;
    const turn = this.#transferred.get(key) ?? 0;
    this.#transferred.set(key, turn + 1);
    // Of one partition of moves, those that go to one partition of transfers keep their order.
    const mine = this.#accounts[from]?.transfersTo(bucketIn(found)) ?? [];
    const bucket = `${key} ${bucketIn(found)}`;
    const at = this.#transferred.get(bucket) ?? 0;
    this.#transferred.set(bucket, at + 1);
    if (mine[at] !== found) throw new Violation("I1", `transfers/${to} says ${found} where ${mine[at] ?? "nothing"} is due.`);
  }

  #compare(topic: string, partition: number, expected: readonly string[]): void {
    let at = this.#taken.get(`${topic}/${partition}`) ?? 0;
    this.#fresh(topic, partition, ({ key, value, offset }) => {
      const found = `${String(key)} ${String(value)}`;
      if (expected[at] !== found)
        throw new Violation(
          "I1",
          `${topic}/${partition}@${offset}, the record ${at}, says ${found} where ${expected[at] ?? "nothing"} is due.`,
        );
      at += 1;
    });
  }

  #exactly(topic: string, partition: number, expected: number, invariant = "I1"): void {
    const found = this.#count(topic, partition);
    if (found !== expected) throw new Violation(invariant, `${topic}/${partition} has ${found} records instead of ${expected}.`);
  }

  #count(topic: string, partition: number): number {
    return this.partition(topic, partition).records.length;
  }

  #fresh(topic: string, partition: number, take: (record: CommittedPartition["records"][number]) => void): void {
    const key = `${topic}/${partition}`;
    const { records } = this.partition(topic, partition);
    for (let at = this.#taken.get(key) ?? 0; at < records.length; at++) {
      this.#taken.set(key, at + 1);
      take(records[at] as CommittedPartition["records"][number]); // in bounds
    }
  }
}
