/** Follows assignments and trips as a downstream consumer would, and keeps the tally. */
import { RecordBatchCursor, type Log, type Reader } from "#log";
import type { AssignmentEvent, TripChanged } from "#schemas";
import type { DispatchTopics } from "#topologies";
import { Tally } from "./tally.ts";

/** Whoever else wants to hear the same; the past is not told. */
export interface Listener {
  trip(trip: TripChanged): void;
  assignment(event: AssignmentEvent, seenAt: number): void;
}

export class Observer implements AsyncDisposable {
  readonly tally = new Tally();
  readonly #reader: Reader;
  readonly #topics: DispatchTopics;
  readonly #cursor = new RecordBatchCursor();
  readonly #listener: Listener | undefined;

  /** From the log's start, so that a demo that goes on counts what it did before. */
  constructor(log: Log, topics: DispatchTopics, listener?: Listener) {
    this.#topics = topics;
    this.#listener = listener;
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
          if (batch.topic === trips.name) {
            const trip = trips.value.decode(bytes, valueStart, valueEnd);
            this.tally.trip(trip);
            if (now !== undefined) this.#listener?.trip(trip);
          } else {
            const assignment = assignments.value.decode(bytes, valueStart, valueEnd);
            this.tally.assignment(assignment, now);
            if (now !== undefined) this.#listener?.assignment(assignment, now);
          }
        }
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.close();
  }
}
