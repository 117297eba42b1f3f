/** Follows assignments and trips as a downstream consumer would, and keeps the tally. */
import { RecordBatchCursor, type Log, type Reader, type TopicPartition } from "#log";
import type { AssignmentEvent, TripChanged } from "#schemas";
import type { DispatchTopics } from "#topologies";
import { somethingNew } from "../system/read-records.ts";
import { Tally } from "./tally.ts";

/** A log that has been silent for so long although there is more: what is missing is read later. */
const CATCH_UP_SILENCE_MS_MAX = 10_000;

/** Whoever else wants to hear the same; the past is not told. */
export interface Listener {
  trip(trip: TripChanged): void;
  assignment(event: AssignmentEvent, seenAt: number): void;
}

export class Observer implements AsyncDisposable {
  readonly tally = new Tally();
  readonly #log: Log;
  readonly #reader: Reader;
  readonly #places: readonly TopicPartition[];
  readonly #topics: DispatchTopics;
  readonly #cursor = new RecordBatchCursor();
  readonly #listener: Listener | undefined;

  /** From the log's start, so that a demo that goes on counts what it did before; resolves when the past is read. */
  static async open(log: Log, topics: DispatchTopics, listener?: Listener): Promise<Observer> {
    const observer = new Observer(log, topics, listener);
    await observer.catchUp();
    return observer;
  }

  private constructor(log: Log, topics: DispatchTopics, listener?: Listener) {
    this.#log = log;
    this.#topics = topics;
    this.#listener = listener;
    this.#reader = log.reader();
    this.#places = [topics.assignments, topics.trips].flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    );
    this.#reader.assign(this.#places.map((place) => ({ ...place, offset: 0, outOfRange: "start" as const })));
  }

  /** Everything that is committed now is counted, and not timed: a log that fetches has it a moment later. */
  async catchUp(): Promise<void> {
    const ends = await Promise.all(this.#places.map((place) => this.#log.offsets.bound(place, "stable")));
    const behind = (): boolean => this.#places.some((place, index) => this.#reader.position(place) < (ends[index] ?? 0));
    for (let heardAt = performance.now(); behind() && performance.now() - heardAt < CATCH_UP_SILENCE_MS_MAX;) {
      const version = this.#log.version();
      if (this.read(undefined)) heardAt = performance.now();
      else if (behind()) await somethingNew(this.#log, version);
    }
  }

  /** What is there by now. `now`: on the clock of the ticks; undefined for the past. False: nothing was new. */
  read(now: number | undefined): boolean {
    const { assignments, trips } = this.#topics;
    const cursor = this.#cursor;
    let heard = false;
    for (let batches = this.#reader.poll(); batches.length > 0; batches = this.#reader.poll()) {
      heard = true;
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
    return heard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.close();
  }
}
