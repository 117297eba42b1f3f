/** Follows assignments and trips as a downstream consumer would, and keeps the tally. */
import { RecordBatchCursor, type Log, type Reader } from "#log";
import type { DispatchTopics } from "#topologies";
import { Tally } from "./tally.ts";

export class Observer implements AsyncDisposable {
  readonly tally = new Tally();
  readonly #reader: Reader;
  readonly #topics: DispatchTopics;
  readonly #cursor = new RecordBatchCursor();

  /** From the log's start, so that a demo that goes on counts what it did before. */
  constructor(log: Log, topics: DispatchTopics) {
    this.#topics = topics;
    this.#reader = log.reader();
    this.#reader.assign(
      [topics.assignments, topics.trips].flatMap(({ name, partitions }) =>
        Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, offset: 0, outOfRange: "start" as const })),
      ),
    );
  }

  /** `now`: on the clock of the ticks; undefined while catching up with the past. */
  read(now: number | undefined): void {
    const { assignments, trips } = this.#topics;
    const cursor = this.#cursor;
    for (let batches = this.#reader.poll(); batches.length > 0; batches = this.#reader.poll()) {
      for (const batch of batches) {
        cursor.reset(batch.bytes, batch.baseOffset);
        while (cursor.next()) {
          if (cursor.offset < batch.fetchOffset) continue;
          const { bytes, valueStart, valueEnd } = cursor;
          if (batch.topic === trips.name) this.tally.trip(trips.value.decode(bytes, valueStart, valueEnd));
          else this.tally.assignment(assignments.value.decode(bytes, valueStart, valueEnd), now);
        }
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.close();
  }
}
