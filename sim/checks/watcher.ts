/** I3: a reader of committed records through the adapter, while everything goes wrong: what it is given is what is committed, in order. */
import { RecordBatchCursor, type Log, type Reader } from "#log";
import type { CommittedPartition } from "#proof";
import { Violation } from "./violation.ts";

export interface Watched {
  readonly topic: string;
  readonly partition: number;
}

export class Watcher {
  readonly #reader: Reader;
  readonly #cursor = new RecordBatchCursor();
  readonly #seen = new Map<string, number>();
  readonly #truth: (topic: string, partition: number) => CommittedPartition;

  readonly #watched: readonly Watched[];

  constructor(log: Log, watched: readonly Watched[], truth: (topic: string, partition: number) => CommittedPartition) {
    this.#reader = log.reader();
    this.#reader.assign(watched.map((each) => ({ ...each, offset: 0, outOfRange: "fail" })));
    this.#truth = truth;
    this.#watched = watched;
  }

  get seenAll(): boolean {
    return this.#watched.every(
      ({ topic, partition }) => (this.#seen.get(`${topic}/${partition}`) ?? 0) === this.#truth(topic, partition).records.length,
    );
  }

  /** Whatever has come since; the truth must be read before. */
  look(): void {
    for (const { topic, partition, bytes, baseOffset, fetchOffset } of this.#reader.poll()) {
      const where = `${topic}/${partition}`;
      const { records } = this.#truth(topic, partition);
      this.#cursor.reset(bytes, baseOffset);
      while (this.#cursor.next()) {
        if (this.#cursor.offset < fetchOffset) continue;
        const turn = this.#seen.get(where) ?? 0;
        this.#seen.set(where, turn + 1);
        const due = records[turn];
        const value = this.#cursor.value();
        const same =
          due !== undefined &&
          due.offset === this.#cursor.offset &&
          (value === null ? due.value === null : due.value?.equals(value) === true);
        if (!same)
          throw new Violation(
            "I3",
            `A reader of ${where} is given ${this.#cursor.offset} ${String(value)} where ${due?.offset ?? "nothing"} ${String(due?.value)} is due.`,
          );
      }
    }
  }
}
